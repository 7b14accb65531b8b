"""The commands of the runbooks: those that need no AWS are run, the others are checked.

``make bootstrap`` and ``make ci-roles`` are run in test_account.py, against an emulator.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import botocore.session
import jmespath  # type: ignore[import-untyped]
import pytest

from infra.deploy import SETTINGS, variable_of
from tests.infra.runbooks import ROOT, Command, commands

COMMANDS = commands()
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
GLOBAL_OPTIONS = {"--query", "--output", "--region", "--cli-binary-format", "--no-cli-pager"}
SESSION = botocore.session.Session()
CALLED_BY_THE_CLI = {"deploy": "codedeploy"}
"""Services that the AWS CLI gives another name."""
OF_THE_CLI_ALONE = {("logs", "tail"): {"--since", "--format", "--follow", "--filter-pattern"}}
"""Commands that the AWS CLI adds to those of the services, with their options."""


def of(program: str) -> list[Command]:
    return [one for one in COMMANDS if program in one.programs]


def test_every_command_is_known_here() -> None:
    """A command of another kind needs a test of its own, which tells whether it works."""
    assert {name for one in COMMANDS for name in one.programs} == {"aws", "gh", "make", "python3"}


@pytest.mark.parametrize("command", of("make"), ids=str)
def test_make_knows_what_it_is_asked_for(command: Command) -> None:
    for words in command.parts:
        _, target, *variables = words
        rule = re.search(rf"^{re.escape(target)}:[^\n]*\n((?:\t[^\n]*\n)+)", MAKEFILE, re.MULTILINE)
        assert rule is not None, target
        for variable in variables:
            assert f"$({variable.partition('=')[0]})" in rule[1], variable


@pytest.mark.parametrize("command", of("make"), ids=str)
def test_what_is_set_before_make_is_a_setting(command: Command) -> None:
    before = re.findall(r"\b(TILL_[A-Z_]+)=", command.text)
    assert set(before) <= {variable_of(name) for name in SETTINGS}


@pytest.mark.parametrize("command", of("aws"), ids=str)
def test_aws_has_such_a_command_with_such_options(command: Command) -> None:
    for words in command.parts:
        if words[0] == "aws":
            _check_aws(words[1:])


def _check_aws(words: list[str]) -> None:
    service, operation, *rest = words
    options = {word for word in rest if word.startswith("--")}
    if (service, operation) in OF_THE_CLI_ALONE:
        assert options <= OF_THE_CLI_ALONE[service, operation] | GLOBAL_OPTIONS
        return
    model = SESSION.get_service_model(CALLED_BY_THE_CLI.get(service, service))
    names = {_dashed(name): name for name in model.operation_names}
    assert operation in names
    shape = model.operation_model(names[operation]).input_shape
    members = dict(shape.members) if shape is not None else {}
    required = {f"--{_dashed(name)}" for name in (shape.required_members if shape else [])}
    known = {f"--{_dashed(name)}" for name in members}
    known |= {
        f"--no-{_dashed(name)}" for name, one in members.items() if one.type_name == "boolean"
    }
    given = {re.sub(r"^--no-", "--", one) if one not in known else one for one in options}
    assert given <= known | GLOBAL_OPTIONS, given - known
    assert {one.replace("--no-", "--") for one in required} <= {
        one.replace("--no-", "--") for one in options
    }, f"{service} {operation} needs {required}"
    if "--query" in rest:
        jmespath.compile(rest[rest.index("--query") + 1])


def _dashed(name: str) -> str:
    """As the AWS CLI writes the name of an operation or an option."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def test_the_secret_is_put_in_as_the_functions_read_it(tmp_path: Path) -> None:
    """Run as written, with an ``aws`` that keeps what it is handed."""
    (command,) = (one for one in COMMANDS if "getpass" in one.text)
    aws = tmp_path / "aws"
    aws.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/secret\n')
    aws.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", command.text],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        input="a value, not a secret\n",
        capture_output=True,
        text=True,
        check=True,
        # Without a terminal of ours, from which it would ask.
        start_new_session=True,
    )
    assert "a value" not in done.stdout
    assert json.loads((tmp_path / "secret").read_text()) == {
        "header": "X-Api-Key",
        "value": "a value, not a secret",
    }
    assert "put-secret-value --secret-id till-prod-upstream" in (tmp_path / "arguments").read_text()
