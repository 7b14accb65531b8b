"""What all tests of a running system share: one system for the whole session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.endpoints import Endpoints
from local.system import running_system

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINTS_VARIABLE = "TILL_TEST_ENDPOINTS"
"""Names the endpoints.json of a system that runs already, while one works on a test."""


@pytest.fixture(scope="session")
def endpoints() -> Iterator[Endpoints]:
    """Where everything of the system under test is; it is started when a test first asks."""
    already_there = os.environ.get(ENDPOINTS_VARIABLE)
    if already_there:
        yield Endpoints.read(Path(already_there))
        return
    with running_system() as started:
        yield started
