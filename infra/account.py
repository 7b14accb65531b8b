"""Prepares an AWS account: ``python -m infra.account bootstrap STAGE`` and ``... ci-roles``.

Both are done once in an account, by somebody who may make roles. ``make bootstrap STAGE=dev`` and
``make ci-roles REPOSITORY=OWNER/NAME`` are the same, with everything installed before. The region
is ``AWS_REGION``'s, and the account is the one that the AWS credentials belong to.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra import ROOT
from infra.cdk import (
    QUALIFIER_CONTEXT,
    DeployError,
    check_cdk,
    check_qualifier,
    region_for,
    run_cdk,
    say,
)
from infra.settings import AWS_STAGES

QUALIFIER_VARIABLE: Final = "TILL_BOOTSTRAP_QUALIFIER"

_CI_ASSEMBLY: Final = ROOT / "cdk.out" / "ci"
_CI_OPTIONS: Final = ("repository", "environments", "regions", "provider", "diff")


def main(arguments: Iterable[str] | None = None) -> None:
    """Do what was asked for.

    Raises:
        SystemExit: it could not be done; the sentence on stderr says why.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.account", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    bootstrap = actions.add_parser("bootstrap", help="make what the CDK needs in an account")
    bootstrap.add_argument("stage", nargs="?", default="", help=", ".join(AWS_STAGES))
    roles = actions.add_parser("ci-roles", help="make the roles that GitHub Actions takes")
    for option in _CI_OPTIONS:
        roles.add_argument(f"--{option}", default="")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    try:
        check_cdk(asked.action)
        if asked.action == "bootstrap":
            _bootstrap(asked.stage.strip())
        else:
            _deploy_ci_roles({option: getattr(asked, option).strip() for option in _CI_OPTIONS})
    except DeployError as error:
        sys.exit(f"till: {error}")
    except KeyboardInterrupt:
        sys.exit(
            "\ntill: stopped. CloudFormation finishes what it has started: look there before you "
            "try again."
        )


def _bootstrap(stage: str) -> None:
    if stage not in AWS_STAGES:
        named = f"There is no stage {stage!r} on AWS" if stage else "No stage was named"
        raise DeployError(f"{named}: pass STAGE= with one of {', '.join(AWS_STAGES)}.")
    region = region_for(f"of stage {stage} for a bootstrap")
    qualifier = _qualifier()
    # A bootstrap with a qualifier of its own stands next to the usual one in the same account.
    own = (
        ("--qualifier", qualifier, "--toolkit-stack-name", f"CDKToolkit-{qualifier}")
        if qualifier
        else ()
    )
    account = _account(region)
    say(f"The CDK bootstraps account {account} in {region} for stage {stage}.")
    # In a folder without cdk.json: there the CDK would run the app first, which needs settings.
    with tempfile.TemporaryDirectory(prefix="till-bootstrap-") as folder:
        run_cdk(
            *("bootstrap", f"aws://{account}/{region}", *own),
            doing="The account could not be bootstrapped",
            folder=Path(folder),
        )


def _deploy_ci_roles(options: dict[str, str]) -> None:
    region = region_for("for the roles of CI")
    context = {name: value for name, value in options.items() if value}
    qualifier = _qualifier()
    if qualifier:
        context[QUALIFIER_CONTEXT] = qualifier
    say(f"The CDK deploys the roles of CI to {region}.")
    run_cdk(
        *("deploy", "--app", "python -m infra.ci", "--output", str(_CI_ASSEMBLY)),
        *("--require-approval", "never", "--progress", "events"),
        *(f"--context={name}={value}" for name, value in context.items()),
        doing="The roles of CI could not be deployed",
    )


def _qualifier() -> str:
    qualifier = os.environ.get(QUALIFIER_VARIABLE, "").strip()
    return check_qualifier(qualifier) if qualifier else ""


def _account(region: str) -> str:
    try:
        return boto3.client("sts", region_name=region).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise DeployError(
            f"AWS does not say whose credentials these are ({error}). Sign in first, as for the "
            "AWS CLI; aws sts get-caller-identity shows the account."
        ) from None


if __name__ == "__main__":
    main()
