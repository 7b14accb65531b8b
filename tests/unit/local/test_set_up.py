from __future__ import annotations

from typing import TYPE_CHECKING

from local import set_up

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_linked_venv_is_refused_in_one_sentence_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "of-another-checkout"
    target.mkdir()
    link = tmp_path / ".venv"
    link.symlink_to(target)
    monkeypatch.setattr(set_up, "VENV", link)
    set_ups = []

    async def record(*_: object) -> None:
        set_ups.append(1)

    monkeypatch.setattr(set_up, "_set_up", record)
    monkeypatch.setattr("sys.argv", ["local.set_up"])

    assert set_up.main() == 1
    assert f"till: {link} is a symbolic link to {target}" in capsys.readouterr().err
    assert not set_ups
