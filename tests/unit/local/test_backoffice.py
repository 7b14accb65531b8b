from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from local import backoffice
from local.errors import StartError
from local.paths import State
from local.progress import Progress


class Checkout:
    """A back office whose npm only counts what it is asked to build."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "backoffice"
        self.builds = folder / "builds"
        self.state = State(folder / "state")
        self.state.temporary.mkdir(parents=True)
        for name in ("package-lock.json", "src/main.tsx", "src/pages/home.tsx"):
            self.write(name)
        self.document = folder / "openapi.json"
        self.document.write_text("{}")
        self.npm(succeeds=True, folder=folder / "bin")
        monkeypatch.setattr(backoffice, "BACKOFFICE", self.folder)
        monkeypatch.setattr(backoffice, "API_DOCUMENT", self.document)
        monkeypatch.setattr(backoffice, "STAMP", folder / "stamp")
        monkeypatch.setattr(backoffice, "SHARED", folder)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def npm(self, *, succeeds: bool, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        npm = folder / "npm"
        build = "mkdir -p dist && touch dist/index.html" if succeeds else "exit 1"
        npm.write_text(f'#!/bin/sh\necho "$*" >> {self.builds}\n{build}\n')
        npm.chmod(0o755)

    def write(self, name: str, text: str = "as it was") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def builds_after(self, change: Callable[[], object]) -> int:
        """How often it is built when, after a build, this changes."""
        self.build()
        self.builds.write_text("")
        change()
        self.build()
        return len(self.builds.read_text().splitlines())

    def build(self) -> None:
        asyncio.run(backoffice.build_backoffice(self.state, Progress()))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path, monkeypatch)


def test_it_is_built_by_its_own_script(checkout: Checkout) -> None:
    checkout.build()

    assert checkout.builds.read_text() == "run --silent build\n"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda checkout: checkout.write("src/main.tsx", "new"), id="a source"),
        pytest.param(lambda checkout: checkout.write("src/pages/more.tsx"), id="a new source"),
        pytest.param(
            lambda checkout: (checkout.folder / "src/pages/home.tsx").unlink(), id="one source less"
        ),
        pytest.param(
            lambda checkout: (checkout.folder / "src/main.tsx").rename(
                checkout.folder / "src/start.tsx"
            ),
            id="another name",
        ),
        pytest.param(lambda checkout: checkout.write("package-lock.json", "new"), id="the lock"),
        pytest.param(lambda checkout: checkout.document.write_text("[]"), id="the API"),
        pytest.param(
            lambda checkout: (checkout.folder / "dist/index.html").unlink(), id="the build is gone"
        ),
    ],
)
def test_it_is_built_anew_when_that_makes_a_difference(
    checkout: Checkout, change: Callable[[Checkout], object]
) -> None:
    assert checkout.builds_after(lambda: change(checkout)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "node_modules/react/index.js",
        "dist/assets/index.js",
        "e2e/refund.spec.ts",
        "src/api/schema.d.ts",
    ],
)
def test_it_is_not_built_anew_for_what_is_no_source(checkout: Checkout, name: str) -> None:
    assert checkout.builds_after(lambda: checkout.write(name, "new")) == 0


def test_another_node_builds_it_anew(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    def change() -> None:
        monkeypatch.setattr(backoffice, "find_node", lambda: "v99.0.0")

    assert checkout.builds_after(change) == 1


def test_a_failed_build_is_one_sentence_and_no_build(checkout: Checkout) -> None:
    checkout.build()
    checkout.write("src/main.tsx", "broken")
    checkout.npm(succeeds=False, folder=checkout.state.folder.parent / "bin")

    for _ in range(2):
        with pytest.raises(StartError, match="The back office could not be built"):
            checkout.build()

    checkout.write("src/main.tsx")
    checkout.npm(succeeds=True, folder=checkout.state.folder.parent / "bin")
    assert checkout.builds_after(lambda: None) == 0


def test_two_builds_take_turns(checkout: Checkout) -> None:
    async def both() -> None:
        progress = Progress()
        await asyncio.gather(
            backoffice.build_backoffice(checkout.state, progress),
            backoffice.build_backoffice(checkout.state, progress),
        )

    asyncio.run(both())

    assert checkout.builds.read_text() == "run --silent build\n"
