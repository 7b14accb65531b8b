"""Deploys a stage to AWS: ``python -m infra.deploy deploy|diff|synth|destroy STAGE``.

``make deploy STAGE=dev`` is the same, with everything installed before. The settings of a stage
come from the environment (``TILL_ISSUER`` and so on: one variable for each field of
``infra.settings.DeploymentSettings``), as do AWS's credentials and ``AWS_REGION``. All of it is
checked before anything is built, so that one message at the start names what is missing.

The app is synthesized first, into ``cdk.out/STAGE``, and what was synthesized is what is compared
or deployed. CI does the same in two jobs, and the one that may deploy runs none of our code.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Final

from infra import ROOT
from infra.cdk import (
    QUALIFIER_CONTEXT,
    RUNBOOK,
    DeployError,
    check_cdk,
    check_qualifier,
    program,
    region_for,
    run_cdk,
    say,
)
from infra.settings import AWS_STAGES, DeploymentSettings, SettingsError, settings_for

_ASSEMBLIES: Final = ROOT / "cdk.out"
SETTINGS: Final = (
    *(field.name for field in fields(DeploymentSettings)),
    *("release", "tracing", "snap_start", "bootstrap_qualifier"),
)
"""Everything that a stage can be told."""

_BACKOFFICE: Final = ROOT / "backoffice"
_BACKOFFICE_BUILT: Final = _BACKOFFICE / "dist"
_BACKOFFICE_STAMP: Final = ROOT / ".build" / "backoffice.stamp"
_BACKOFFICE_LOCK: Final = ROOT / ".local" / "backoffice.lock"
"""``make run`` holds it, too, while it builds: both build into the one folder."""
_NOT_SOURCES: Final = {"node_modules", "dist", "e2e", "schema.d.ts"}


def main(arguments: Iterable[str] | None = None) -> None:
    """Do what was asked for.

    Raises:
        SystemExit: it could not be done; the sentence on stderr says why.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("action", choices=["deploy", "diff", "synth", "destroy"])
    parser.add_argument("stage", nargs="?", default="", help=", ".join(AWS_STAGES))
    parser.add_argument("--confirm", default="", help="the stage once more, for destroy")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    try:
        _run_action(asked.action, asked.stage.strip(), confirmed=asked.confirm.strip())
    except (DeployError, SettingsError) as error:
        sys.exit(f"till: {error}")
    except KeyboardInterrupt:
        sys.exit(
            "\ntill: stopped. What CloudFormation had begun, it goes on with: look there before "
            "the next deploy."
            if asked.action in ("deploy", "destroy")
            else "\ntill: stopped."
        )


def _run_action(action: str, stage: str, *, confirmed: str) -> None:
    context = context_for(stage, os.environ)
    if action != "synth":
        region_for(f"of stage {stage} for a {action}")
    if action == "destroy" and confirmed != stage:
        raise DeployError(
            f"This takes stage {stage} off the air: its API answers nothing until the next deploy. "
            f"Pass CONFIRM={stage} if you mean it. Nothing was changed."
        )
    check_cdk(action)
    _build_backoffice()
    assembly = _synthesize(stage, context)
    if action == "synth":
        say(f"Stage {stage} is in {assembly.relative_to(ROOT)}.")
    elif action == "diff":
        # By template, which needs the right to read only; no change set is made.
        run_cdk(
            *("diff", "--app", str(assembly), "--method=template"),
            doing="The stage could not be compared",
        )
    elif action == "destroy":
        _destroy(stage, assembly)
    else:
        _deploy(stage, assembly)


def context_for(stage: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The CDK context of a stage, from environment variables.

    Raises:
        DeployError: there is no such stage, or a variable is not set.
        SettingsError: a value is not valid.
    """
    if stage not in AWS_STAGES:
        named = f"There is no stage {stage!r} on AWS" if stage else "No stage was named"
        raise DeployError(f"{named}: pass STAGE= with one of {', '.join(AWS_STAGES)}.")
    context = {"stage": stage}
    missing = []
    for field in fields(DeploymentSettings):
        variable = variable_of(field.name)
        value = environment.get(variable, "").strip()
        if value:
            context[field.name] = value
        elif field.default is MISSING:
            missing.append(variable)
    for name in ("release", "tracing", "snap_start"):
        value = environment.get(variable_of(name), "").strip()
        if value:
            context[name] = value
    qualifier = environment.get(variable_of("bootstrap_qualifier"), "").strip()
    if qualifier:
        context[QUALIFIER_CONTEXT] = check_qualifier(qualifier)
    if missing:
        raise DeployError(
            f"Stage {stage} is not told everything: set {', '.join(missing)} ({RUNBOOK} says what "
            "each is)."
        )
    settings_for(stage, context.get)
    return context


def variable_of(name: str) -> str:
    """The environment variable that a setting comes from."""
    return f"TILL_{name.upper()}"


def _build_backoffice() -> None:
    """Build it, or find that what is there was built from what is here."""
    with _only_builder(_BACKOFFICE_LOCK):
        sources = _digest(
            (*_files(_BACKOFFICE, leave_out=_NOT_SOURCES), ROOT / "docs" / "openapi.json")
        )
        if _BACKOFFICE_STAMP.is_file() and _BACKOFFICE_STAMP.read_text() == _stamp(sources):
            say("The back office is built.")
            return
        if not (_BACKOFFICE / "node_modules").is_dir():
            _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        say("npm builds the back office.")
        _npm("run", "build")
        _BACKOFFICE_STAMP.parent.mkdir(exist_ok=True)
        _BACKOFFICE_STAMP.write_text(_stamp(sources))


def _stamp(sources: str) -> str:
    """What it is built from, and what came of it: ``make run`` builds into the same folder."""
    return f"{sources}\n{_digest(_files(_BACKOFFICE_BUILT))}\n"


def _files(folder: Path, *, leave_out: Iterable[str] = ()) -> Iterator[Path]:
    """All files of a folder, without those of these names and without what is in such folders."""
    left_out = set(leave_out)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name in left_out:
                continue
            if path.is_dir():
                yield from _files(path, leave_out=left_out)
            else:
                yield path


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def _only_builder(lock_file: Path) -> Iterator[None]:
    lock_file.parent.mkdir(exist_ok=True)
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _npm(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - no shell
        [program("npm"), *arguments], cwd=_BACKOFFICE, check=False
    )
    if done.returncode != 0:
        raise DeployError(
            f"The back office cannot be built: npm {' '.join(arguments[:2])} failed in backoffice/."
        )


def _synthesize(stage: str, context: Mapping[str, str]) -> Path:
    assembly = _ASSEMBLIES / stage
    # Nothing of an earlier synth may be left in what is deployed.
    shutil.rmtree(assembly, ignore_errors=True)
    say(f"The CDK synthesizes stage {stage}.")
    run_cdk(
        *("synth", "--quiet", "--output", str(assembly)),
        *(f"--context={name}={value}" for name, value in context.items()),
        doing="The stage could not be synthesized",
    )
    return assembly


def _deploy(stage: str, assembly: Path) -> None:
    outputs = _ASSEMBLIES / f"{stage}-outputs.json"
    outputs.unlink(missing_ok=True)
    say(f"The CDK deploys stage {stage} to {os.environ['AWS_REGION']}.")
    run_cdk(
        *("deploy", "--app", str(assembly), "--all"),
        *("--require-approval", "never", "--progress", "events", "--outputs-file", str(outputs)),
        doing="The stage could not be deployed",
    )
    for line in describe_outputs(stage, outputs):
        say(line)


def _destroy(stage: str, assembly: Path) -> None:
    """Take the compute stack down, and no other: what must last is not in it."""
    compute = f"till-{stage}-compute"
    say(f"The CDK destroys {compute}. The other stacks stay as they are.")
    run_cdk(
        *("destroy", "--app", str(assembly), compute, "--exclusively", "--force"),
        doing="The compute stack could not be destroyed",
    )
    say(f"{compute} is gone. make deploy STAGE={stage} brings it back, at the same addresses.")


def describe_outputs(stage: str, outputs: Path) -> tuple[str, str]:
    """Where a deployed stage is, from the file that the CDK wrote.

    Raises:
        DeployError: the file does not say.
    """
    try:
        stacks: dict[str, dict[str, str]] = json.loads(outputs.read_text(encoding="utf-8"))
        api_url = stacks[f"till-{stage}-compute"]["ApiUrl"].rstrip("/")
        backoffice_url = stacks[f"till-{stage}-edge"]["BackofficeUrl"].rstrip("/")
    except (OSError, KeyError) as error:
        raise DeployError(
            f"Stage {stage} is deployed, but its outputs do not say where ({error})."
        ) from None
    return (
        f"API:         {api_url}",
        f"Back office: {backoffice_url}",
    )


if __name__ == "__main__":
    main()
