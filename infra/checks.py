"""AWS's rules of thumb for what is deployed (cdk-nag's AwsSolutions), and where we go our own way.

They are part of every synth for AWS, which fails at a finding. What we go past is said where it is
made, with the reason, and about that one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

_PACK: Final = "AwsSolutions"


def add_checks(app: App) -> None:
    """Hold the whole app against the rules when it is synthesized."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def accept(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Say why rules (such as ``SMG4``) do not hold for this construct and what is within it."""
    Validations.of(construct).acknowledge(
        *(
            Acknowledgment(id=f"{_PACK}::{_PACK}-{rule}", reason=reason)
            for rule, reason in reasons.items()
        )
    )
