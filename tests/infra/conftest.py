from __future__ import annotations

import pytest

from tests.infra.synthesized import NAMES, ZONE, Synthesized, synthesize

PROD_URL = "https://shop.example.com/api"


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize("local", "http://127.0.0.1:9000/api", tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    scratch = tmp_path_factory.mktemp("localstack")
    return synthesize("localstack", "http://upstream:9000/api", scratch)


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize("prod", PROD_URL, tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize("staging", PROD_URL, tmp_path_factory.mktemp("staging"))


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """A stage with names of its own, whose records it makes, and released in a hurry."""
    told = {**NAMES, **ZONE, "release": "at-once"}
    return synthesize("prod", PROD_URL, tmp_path_factory.mktemp("named"), **told)


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """With names of its own, and no zone to make their records in."""
    return synthesize("dev", PROD_URL, tmp_path_factory.mktemp("dev"), **NAMES)


@pytest.fixture(scope="session", params=["local", "prod"])
def synthesized(request: pytest.FixtureRequest) -> Synthesized:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Synthesized)
    return found
