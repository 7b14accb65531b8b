"""Whom AWS lets in from GitHub Actions: an OpenID Connect provider and two roles.

No key is kept. A job shows a token that GitHub signed for it, which says of which repository it
is and what it is for, and gets an hour of one role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws, CfnOutput, DefaultStackSynthesizer, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
"""What configure-aws-credentials asks GitHub to write into the token."""

ENVIRONMENTS: Final = ("staging", "production")
"""GitHub's environments that are deployed by CI."""

QUALIFIER: Final = DefaultStackSynthesizer.DEFAULT_QUALIFIER
"""What ``cdk bootstrap`` puts into the names of its roles, unless it is told otherwise."""

DEPLOY_WORKFLOW: Final = ".github/workflows/deploy.yml"
"""The only workflow that may take the role that deploys, and only as it is on main."""

DEPLOY_ROLE: Final = "till-ci-deploy"
DIFF_ROLE: Final = "till-ci-diff"

_REPOSITORY: Final = re.compile(
    r"(?P<owner>[A-Za-z0-9-]+)(?P<owner_id>@\d+)?/(?P<name>[A-Za-z0-9._-]+)(?P<name_id>@\d+)?"
)
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


class CiSettingsError(Exception):
    """The stack cannot be made as it is described. The message is for the person who tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSettings:
    """Who is let into one account, and where.

    GitHub writes the names of owner and repository into a token's subject, and for repositories
    made since the summer of 2026 their numbers behind them: ``OWNER@1/NAME@2``. The numbers never
    belong to anybody else, the names can.
    """

    repository: str
    environments: tuple[str, ...] = ENVIRONMENTS
    """Which of GitHub's environments may deploy into this account."""
    regions: tuple[str, ...] = ()
    """The bootstrapped regions; none named: the one that this stack is in."""
    has_provider: bool = False
    """Whether the account has the provider already: there can be one for each issuer."""
    has_diff: bool = True
    """Whether pull requests may be compared with what is deployed in this account."""
    qualifier: str = QUALIFIER

    @property
    def repository_name(self) -> str:
        """``OWNER/NAME``, as claims other than the subject write it."""
        return re.sub(r"@\d+", "", self.repository)

    def __post_init__(self) -> None:
        """Refuse what no token's subject could be, and what is no place."""
        found = _REPOSITORY.fullmatch(self.repository)
        if found is None or (found["owner_id"] is None) != (found["name_id"] is None):
            raise CiSettingsError(
                "repository must be OWNER/NAME, or OWNER@ID/NAME@ID where GitHub writes the "
                f"numbers into its tokens, not {self.repository!r}."
            )
        unknown = [one for one in self.environments if one not in ENVIRONMENTS]
        if unknown or not self.environments:
            raise CiSettingsError(
                f"environments must be some of {', '.join(ENVIRONMENTS)}, not "
                f"{', '.join(self.environments)!r}."
            )
        for region in self.regions:
            if not _REGION.fullmatch(region):
                raise CiSettingsError(f"{region!r} is no region such as eu-west-1.")
        if not re.fullmatch(r"[a-z0-9]{1,10}", self.qualifier):
            raise CiSettingsError(f"{self.qualifier!r} is no qualifier of a CDK bootstrap.")


class CiStack(Stack):
    """The provider and the roles. Made by hand, once in an account; see infra/ci.py."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: CiSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Till: lets GitHub Actions deploy, and compare.",
            termination_protection=True,
        )
        self._settings: Final = settings
        self._provider_arn: Final = self._make_provider()
        deploy = self._role(
            DEPLOY_ROLE,
            "Deploys Till from the main branch: a job of an environment, once it is let in there.",
            subjects=[f"environment:{name}" for name in settings.environments],
            further_claims={
                "ref": "refs/heads/main",
                "job_workflow_ref": f"{settings.repository_name}/{DEPLOY_WORKFLOW}@refs/heads/main",
            },
            # Deploying is these: CloudFormation does the rest, by a role of its own.
            bootstrap_roles=["deploy-role", "file-publishing-role", "lookup-role"],
        )
        CfnOutput(self, "DeployRoleArn", value=deploy.role_arn)
        if settings.has_diff:
            diff = self._role(
                DIFF_ROLE,
                "Compares a pull request of this repository with what is deployed.",
                subjects=["pull_request"],
                bootstrap_roles=["lookup-role"],
            )
            CfnOutput(self, "DiffRoleArn", value=diff.role_arn)

    def _make_provider(self) -> str:
        if self._settings.has_provider:
            return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:oidc-provider/{ISSUER}"
        provider = iam.OidcProviderNative(
            self, "GitHub", url=f"https://{ISSUER}", client_ids=[AUDIENCE]
        )
        return provider.oidc_provider_arn

    def _role(
        self,
        name: str,
        description: str,
        *,
        subjects: list[str],
        further_claims: Mapping[str, str] | None = None,
        bootstrap_roles: list[str],
    ) -> iam.Role:
        """A role that may do nothing itself but take these roles of the CDK's bootstrap."""
        settings = self._settings
        return iam.Role(
            self,
            name,
            role_name=name,
            description=description,
            max_session_duration=Duration.hours(1),
            # Equal, never like: a pattern could match another owner's repository.
            assumed_by=iam.WebIdentityPrincipal(
                self._provider_arn,
                {
                    "StringEquals": {
                        f"{ISSUER}:aud": AUDIENCE,
                        f"{ISSUER}:sub": [
                            f"repo:{settings.repository}:{subject}" for subject in subjects
                        ],
                        **{
                            f"{ISSUER}:{claim}": value
                            for claim, value in (further_claims or {}).items()
                        },
                    }
                },
            ),
            inline_policies={
                "Bootstrap": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            sid="TakeRolesOfTheBootstrap",
                            actions=["sts:AssumeRole"],
                            resources=[
                                f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/"
                                f"cdk-{settings.qualifier}-{role}-{Aws.ACCOUNT_ID}-{region}"
                                for role in bootstrap_roles
                                for region in settings.regions or (Aws.REGION,)
                            ],
                        )
                    ]
                )
            },
        )
