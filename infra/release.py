"""How a new version of the functions takes over: by CodeDeploy, through each function's alias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.checks import accept
from infra.settings import Release, StageSettings

ALIAS: Final = "live"

_AWS_POLICY: Final = "service-role/AWSCodeDeployRoleForLambdaLimited"

_CONFIGS: Final = {
    Release.AT_ONCE: codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
    Release.CANARY: codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
}


class Releases(Construct):
    """What the functions of one stage have in common when they are released.

    Old and new run side by side for as long as a canary takes, on the same tables: each release can
    read what the one before it and the one after it write. If an alarm rings meanwhile, CodeDeploy
    takes every call back to the old version, and CloudFormation the whole stack.

    What is released at once has no alarms to heed. An alarm that rings already would forbid a
    release, also the one that mends its cause.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self._release: Final = settings.release
        self._application: Final = codedeploy.LambdaApplication(
            self, "Application", application_name=settings.prefix
        )
        self._role: Final = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            description="Lets CodeDeploy shift calls between versions, and look at alarms.",
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_AWS_POLICY)],
        )
        accept(
            self._role,
            {
                f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_AWS_POLICY}]": (
                    "Only CodeDeploy takes this role, and AWS keeps its policy in step with what "
                    "CodeDeploy does. No code of ours runs under it."
                )
            },
        )
        self._groups: Final[list[codedeploy.LambdaDeploymentGroup]] = []

    def release(
        self,
        scope: Construct,
        operation: str,
        function: lambda_.Function,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> lambda_.Alias:
        """The alias that everybody calls instead of the function."""
        alias = lambda_.Alias(scope, "Live", alias_name=ALIAS, version=function.current_version)
        group = codedeploy.LambdaDeploymentGroup(
            scope,
            "Release",
            application=self._application,
            deployment_group_name=operation.replace("_", "-"),
            alias=alias,
            deployment_config=_CONFIGS[self._release],
            # As it is, since CDK would give it the managed policy once for each group.
            role=self._role.without_policy_updates(),
        )
        self._groups.append(group)
        self._heed(group, alarms)
        return alias

    def heed(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Take back any function's release when one of these rings."""
        for group in self._groups:
            self._heed(group, alarms)

    def _heed(
        self, group: codedeploy.LambdaDeploymentGroup, alarms: Sequence[cloudwatch.IAlarm]
    ) -> None:
        if self._release is Release.CANARY:
            for alarm in alarms:
                group.add_alarm(alarm)
