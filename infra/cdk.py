"""Runs the locked CDK command line, for a stage and for an account."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra import ROOT

RUNBOOK: Final = "docs/runbooks/deploying.md"
REGION_VARIABLE: Final = "AWS_REGION"
QUALIFIER_CONTEXT: Final = "@aws-cdk/core:bootstrapQualifier"
"""Where the CDK looks for the qualifier of the bootstrap that a stack is deployed by."""

_COMMAND: Final = ROOT / "infra" / "node_modules" / "aws-cdk" / "bin" / "cdk"
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_QUALIFIER: Final = re.compile(r"[a-z0-9]{1,10}")


class DeployError(Exception):
    """Something cannot be deployed. The message is for the person who tried."""


def run_cdk(*arguments: str, doing: str, folder: Path = ROOT) -> None:
    """Run the CDK command line. It reports its own progress and errors.

    Raises:
        DeployError: it failed; ``doing`` completes the sentence.
    """
    # cdk.json runs the app with `python`: the one that runs us, which has the CDK's library.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(  # noqa: S603 - no shell
        [program("node"), str(_COMMAND), *arguments, "--no-notices"],
        cwd=folder,
        env={**os.environ, "PATH": path, "CDK_DISABLE_CLI_TELEMETRY": "true"},
        check=False,
    )
    if done.returncode != 0:
        raise DeployError(f"{doing}; the CDK says above why, and {RUNBOOK} what to do.")


def check_cdk(action: str) -> None:
    """Check that the CDK command line is installed.

    Raises:
        DeployError: it is not.
    """
    if not _COMMAND.is_file():
        raise DeployError(f"The CDK command line is not installed: make {action} does that.")


def region_for(purpose: str) -> str:
    """The region that ``AWS_REGION`` names.

    It has to be named: the CDK would take a profile's region, or us-east-1, and a stage would begin
    there with an empty ledger.

    Raises:
        DeployError: no region is named.
    """
    region = os.environ.get(REGION_VARIABLE, "")
    if not _REGION.fullmatch(region):
        said = f"{region!r} is no region" if region else "it is not set"
        raise DeployError(
            f"{REGION_VARIABLE} has to name the region {purpose}, such as eu-west-1; {said}."
        )
    return region


def check_qualifier(qualifier: str) -> str:
    """The qualifier of a bootstrap, if it is one.

    Raises:
        DeployError: it is not.
    """
    if not _QUALIFIER.fullmatch(qualifier):
        raise DeployError(
            f"{qualifier!r} is no qualifier of a CDK bootstrap: it is one to ten lower-case "
            "letters and digits."
        )
    return qualifier


def program(name: str) -> str:
    """Where a program is.

    Raises:
        DeployError: it is not on the PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise DeployError(f"There is no {name} on the PATH.")
    return found


def say(line: str) -> None:
    """Tell the person who runs this how far it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
