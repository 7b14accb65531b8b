from __future__ import annotations

import os
from pathlib import Path

import pytest

from local import browser
from local.errors import StartError


class Machine:
    """A machine whose programs are scripts in one folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        self.calls.touch()
        self.said: list[str] = []
        monkeypatch.setenv("PATH", str(self.bin))
        monkeypatch.delenv(browser.VARIABLE, raising=False)
        monkeypatch.setattr(browser, "LOG", folder / "logs" / "browser.log")
        monkeypatch.setattr(browser, "BACKOFFICE", folder)

    def program(self, name: str, *, does: str = ":", status: int = 0) -> Path:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{does}\nexit {status}\n')
        path.chmod(0o755)
        return path

    def find(self) -> Path | None:
        return browser.find_browser(self.said.append)

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture(params=["root", "user"])
def user(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if name == "root" else 1000)
    return name


def apt_that_installs(machine: Machine) -> None:
    chromium = machine.bin / "chromium"
    machine.program(
        "apt-get",
        does=f"case \"$*\" in *install*) printf '#!/bin/sh\\n' > {chromium}; "
        f"/bin/chmod +x {chromium};; esac",
    )


def test_an_installed_one_is_taken(machine: Machine) -> None:
    machine.program("google-chrome")
    installed = machine.program("chromium")

    assert machine.find() == installed
    assert machine.called() == ["chromium --version"]
    assert machine.said == []


def test_one_that_only_says_how_to_install_it_is_passed_over(machine: Machine) -> None:
    machine.program("chromium-browser", status=1)
    installed = machine.program("google-chrome")

    assert machine.find() == installed


def test_the_one_that_is_named_is_taken(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.program("chromium")
    named = machine.program("my-own")
    monkeypatch.setenv(browser.VARIABLE, str(named))

    assert machine.find() == named


def test_the_one_that_is_named_has_to_work(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.program("chromium")
    monkeypatch.setenv(browser.VARIABLE, "/nowhere")

    with pytest.raises(StartError, match="TILL_CHROMIUM=/nowhere is no working browser"):
        machine.find()


def test_root_gets_debians_package(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    apt_that_installs(machine)

    assert machine.find() == machine.bin / "chromium"
    update, install = machine.called()
    assert update == "apt-get update --quiet"
    assert install.startswith("apt-get install ")
    assert install.endswith("chromium chromium-sandbox")
    assert "--yes" in install
    assert machine.said == ["no Chromium is installed: apt-get installs Debian's package"]


def test_others_get_it_by_a_sudo_that_asks_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    apt_that_installs(machine)
    machine.program("true")
    machine.program("sudo", does='shift; "$@"')

    assert machine.find() == machine.bin / "chromium"
    assert "sudo --non-interactive true" in machine.called()


def test_a_sudo_that_asks_is_not_used(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    apt_that_installs(machine)
    machine.program("sudo", status=1)
    machine.program("node")

    assert machine.find() is None
    assert machine.said == ["Playwright downloads its own Chromium"]


def test_where_there_is_no_apt_get_playwright_brings_its_own(machine: Machine, user: str) -> None:
    machine.program("node")

    assert machine.find() is None
    [call] = machine.called()
    assert call.endswith("@playwright/test/cli.js install chromium")


def test_a_package_that_installs_no_browser_is_no_end(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.program("apt-get")
    machine.program("node")

    assert machine.find() is None


def test_none_at_all_is_one_sentence_and_a_log(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.program("apt-get", does="echo no such package", status=100)
    machine.program("node", does="echo no network", status=1)

    with pytest.raises(StartError, match=r"There is no Chromium .*TILL_CHROMIUM=") as caught:
        machine.find()

    assert caught.value.log is not None
    log = caught.value.log.read_text()
    assert "no such package" in log
    assert "no network" in log
