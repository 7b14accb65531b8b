"""The watcher's function: what it tells although it fails."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import ClientError

from evidence import wiring
from tests.unit.evidence.stored import StoredItems, kept_journal, refused
from tests.unit.evidence.test_watch import record, sound

if TYPE_CHECKING:
    from types import ModuleType

    from evidence.findings import Finding
    from evidence.journal import Journal

HANDLER = Path(__file__).parents[3] / "functions" / "watch_ledger" / "handler.py"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "watch-ledger")
    monkeypatch.setattr(wiring, "tables", StoredItems)
    spec = importlib.util.spec_from_file_location("watch_ledger_handler", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FullJournal:
    """Takes nothing."""

    def report(self, _finding: Finding) -> None:
        raise refused("SlowDown")


def measured(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line) for line in lines if "TamperingFound" in line]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_finding_is_logged_and_measured_although_the_run_fails(
    handler: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(wiring, "journal", lambda: cast("Journal", FullJournal()))
    records = [record(sound(1), "REMOVE"), record(sound(2), "MODIFY")]
    with pytest.raises(ClientError):
        handler.lambda_handler({"Records": records}, None)
    assert [line.message for line in caplog.records] == ["tampering found"] * 2
    found = measured(capsys)
    assert [each["TamperingFound"] for each in found] == [[0.0, 1.0], [1.0]]
    assert [each["stage"] for each in found] == ["none", "none"]


def test_a_run_without_a_finding_measures_none(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "journal", kept_journal)
    handler.lambda_handler({"Records": [record(sound(1))]}, None)
    (found,) = measured(capsys)
    assert (found["TamperingFound"], found["VersionsVerified"]) == ([0.0], [1.0])
