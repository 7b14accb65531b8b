"""The simulation finds each deliberate bug, within the stated number of histories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS, NOT_FOUND, Bug, hunt, patched
from tests.simulation.shorten import shortest, tell

FOUND = tuple(bug for bug in BUGS if bug.name not in NOT_FOUND)


def test_there_are_enough_of_them() -> None:
    assert len(FOUND) >= 25
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert {bug.name for bug in BUGS} >= NOT_FOUND


@pytest.mark.parametrize("bug", FOUND, ids=lambda bug: bug.name)
def test_a_bug_is_found(bug: Bug) -> None:
    found = hunt(bug)
    assert found.seed is not None, found.said
    assert found.seed < bug.first + bug.within


def test_a_bug_that_does_not_apply_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="such places"):
        patched(Bug("x", "domain/account.py", "no such line", ""), tmp_path)


def test_a_history_is_told_in_the_words_of_the_protocol() -> None:
    story = "\n".join(tell(shortest(1)))
    assert "nothing was contradicted" in story
    assert "commits HOLD" in story
