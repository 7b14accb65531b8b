"""Histories of fixed and of fresh seeds, and those that once failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.history import run_seed
from tests.simulation.run import KEPT_SEEDS

ROOT = Path(__file__).resolve().parents[2]

FIXED, FRESH = 1500, 500

KEPT = [line.split(" ", 1) for line in KEPT_SEEDS.read_text().splitlines() if line[0] != "#"]


@pytest.mark.parametrize(("seed", "about"), KEPT)
def test_a_history_that_once_failed(seed: str, about: str) -> None:
    assert run_seed(int(seed)).violation is None, about


def test_the_same_seed_is_the_same_history() -> None:
    one, other = run_seed(42), run_seed(42)
    assert one.transactions > 0
    assert one == other


@pytest.mark.parametrize(
    "seeds", [("--seed", "1", "--histories", str(FIXED)), ("--histories", str(FRESH))]
)
def test_no_history_contradicts_the_protocol(seeds: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.simulation.run", *seeds],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/layers/till/python:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
