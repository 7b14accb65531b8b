"""Workers find what the archive holds, and share one copy of it."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.emulator import layers


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("handler.py", "x = 1")
        made.writestr("python/package/__init__.py", "")
        made.writestr("python/package/module.py", "y = 2")
    return path


def unpack(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    with layers.ZipFile(archive) as opened:
        opened.extractall(str(folder))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    found = {}
    for root, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(root, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def test_a_worker_finds_what_the_archive_holds(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "usual")
    assert contents(unpack(archive, tmp_path / "worker")) == contents(tmp_path / "usual")


def test_workers_share_one_copy_which_outlives_each(archive: Path, tmp_path: Path) -> None:
    folders = [tmp_path / f"worker-{number}" for number in range(8)]
    with ThreadPoolExecutor(len(folders)) as threads:
        first, *others = threads.map(lambda folder: unpack(archive, folder), folders)
    copies = {(folder / "python").resolve() for folder in [first, *others]}
    assert len(copies) == 1
    shutil.rmtree(first)
    for folder in others:
        assert (folder / "python/package/module.py").read_text() == "y = 2"


def test_another_archive_has_its_own(archive: Path, tmp_path: Path) -> None:
    unpack(archive, tmp_path / "worker")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("handler.py", "x = 2")
    assert contents(unpack(archive, tmp_path / "next")) == {"handler.py": b"x = 2"}
