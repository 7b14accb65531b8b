from __future__ import annotations

import pytest

from tests.infra.synthesized import Synthesized, synthesize


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize("local", "http://127.0.0.1:9000/api", tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    scratch = tmp_path_factory.mktemp("localstack")
    return synthesize("localstack", "http://upstream:9000/api", scratch)


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize("prod", "https://shop.example.com/api", tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session", params=["local", "prod"])
def synthesized(request: pytest.FixtureRequest) -> Synthesized:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Synthesized)
    return found
