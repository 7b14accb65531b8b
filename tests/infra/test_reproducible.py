"""What is deployed depends on what is committed, and on nothing else.

Everything that CloudFormation is given, and every asset byte for byte, is made twice: in two
folders, by two processes with other hash seeds, from files of other dates. If it came out another
way, a ``cdk diff`` of an unchanged tree would not be empty, and each deploy would replace functions
and layers for nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.layers import Machine, build_layers
from tests.infra.synthesized import deployment_context

ROOT = Path(__file__).resolve().parents[2]
MADE = shutil.ignore_patterns(
    *(".git", ".venv", ".local", ".build", ".hypothesis", ".import_linter_cache"),
    *("node_modules", "dist", "cdk.out", "__pycache__", "*.pyc", "test-results"),
)
"""What is not committed, and so must not matter."""
BUILT_BACKOFFICE = {
    "index.html": "<!doctype html><script type=module src=/assets/index-b1.js></script>",
    "assets/index-b1.js": "console.log('back office')\n",
    "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>\n",
}
LONG_AGO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the repository in a folder of its own."""

    folder: Path
    hash_seed: int

    def synthesize(self, stage: str) -> dict[str, bytes]:
        """What becomes of it: every template, every list of assets, every file of every asset."""
        out = self.folder / "cdk.out"
        context = {
            **json.loads((self.folder / "cdk.json").read_text())["context"],
            **deployment_context("https://shop.example.com/api"),
            "stage": stage,
        }
        done = subprocess.run(
            [sys.executable, "-m", "infra.app"],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(self.folder / "layers" / "till" / "python"),
                "PYTHONHASHSEED": str(self.hash_seed),
                "CDK_OUTDIR": str(out),
                "CDK_CONTEXT_JSON": json.dumps(context),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return _content(out)


def _content(out: Path) -> dict[str, bytes]:
    # What is left out (tree.json, *.metadata.json) is notes of the CDK to itself about where it
    # ran, which is never deployed.
    files = [
        *out.glob("*.template.json"),
        *out.glob("*.assets.json"),
        *(path for asset in out.glob("asset.*") for path in [asset, *asset.rglob("*")]),
    ]
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(files) if path.is_file()
    }


def _link(source: str, target: str) -> None:
    """Thousands of files that do not change."""
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Checkout]:
    here = tmp_path_factory.mktemp("here") / "till"
    there = tmp_path_factory.mktemp("there") / "a longer way" / "down"
    for folder in (here, there):
        shutil.copytree(ROOT, folder, ignore=MADE, symlinks=True)
        for name, text in BUILT_BACKOFFICE.items():
            path = folder / "backoffice" / "dist" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    # One finds its layers built, as in this checkout, and the other builds them from the locks.
    build_layers(Machine.ARM64)
    made = Path(".build", "layers", Machine.ARM64)
    shutil.copytree(ROOT / made, here / made)
    for path in there.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (LONG_AGO, LONG_AGO))
    return Checkout(here, hash_seed=1), Checkout(there, hash_seed=2)


def test_the_same_commit_is_the_same_deployment(two: tuple[Checkout, Checkout]) -> None:
    with ThreadPoolExecutor(max_workers=2) as side_by_side:
        first, second = side_by_side.map(lambda one: one.synthesize("prod"), two)
    # Somewhere in there are the layers, our functions, and the back office.
    assert len(first) > 100
    assert sum(name.endswith(".template.json") for name in first) > 3
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_the_same_sources_are_the_same_back_office(two: tuple[Checkout, Checkout]) -> None:
    built = []
    for number, one in enumerate(two):
        folder = one.folder / "backoffice"
        # Not by a symlink: what is built would tell where it led.
        modules = ROOT / "backoffice" / "node_modules"
        shutil.copytree(modules, folder / "node_modules", symlinks=True, copy_function=_link)
        done = subprocess.run(
            ["node", "node_modules/vite/bin/vite.js", "build", "--outDir", "built"],
            cwd=folder,
            env={**os.environ, "TZ": ("UTC", "Asia/Tokyo")[number]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        built.append(
            {
                str(path.relative_to(folder)): path.read_bytes()
                for path in (folder / "built").rglob("*")
                if path.is_file()
            }
        )
    first, second = built
    assert len(first) > 5
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
