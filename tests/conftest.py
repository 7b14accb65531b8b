"""What all tests of a running system share: one system for the whole session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.deployment import STAGE
from local.endpoints import Endpoints
from local.system import running_system
from tests import under_test as systems
from tests.under_test import (
    API_VARIABLE,
    AUDIENCE_VARIABLE,
    ENDPOINTS_VARIABLE,
    ISSUER_VARIABLE,
    LOCALSTACK_VARIABLE,
    STAGE_VARIABLE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def under_test() -> Iterator[systems.UnderTest]:
    """The system that was named, or one that is started when a test first asks for it."""
    localstack, api_url = os.environ.get(LOCALSTACK_VARIABLE), os.environ.get(API_VARIABLE)
    already_there = os.environ.get(ENDPOINTS_VARIABLE)
    if localstack:
        yield systems.on_localstack(localstack)
    elif api_url:
        issuer = os.environ.get(ISSUER_VARIABLE)
        if not issuer:
            pytest.exit(f"{ISSUER_VARIABLE} is needed with {API_VARIABLE}.", returncode=2)
        yield systems.at_endpoint(api_url, issuer, os.environ.get(AUDIENCE_VARIABLE))
    elif already_there:
        yield systems.embedded(Endpoints.read(Path(already_there)))
    else:
        with running_system(
            stage=os.environ.get(STAGE_VARIABLE, STAGE), records_calls=True
        ) as started:
            yield systems.embedded(started)


@pytest.fixture(scope="session")
def endpoints(under_test: systems.UnderTest) -> Endpoints:
    """All of a system on this machine: its processes, its log, and functions that can reach us."""
    return systems.needed(under_test.embedded, "emulator whose processes run on this machine")
