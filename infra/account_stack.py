"""What API Gateway needs once in an account before any API may write logs."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.checks import accept
from infra.settings import StageSettings

_AWS_POLICY: Final = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class AccountStack(Stack):
    """The account-wide right of API Gateway to write logs.

    The setting belongs to the account and region, not to an API: in a stack of its own it survives
    the compute stack, and it is kept when this one goes, since other APIs may lean on it. It is
    the one place with a policy managed by AWS: API Gateway checks the role against that policy,
    and it is API Gateway that takes the role, no code of ours.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Till, stage {settings.stage}: lets API Gateway write logs.",
        )
        role = iam.Role(
            self,
            "ApiGatewayLogs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_AWS_POLICY)],
        )
        accept(
            role,
            {
                f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_AWS_POLICY}]": (
                    "API Gateway holds the role against this very policy, and takes no other. No "
                    "code of ours runs under it."
                )
            },
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        for kept in (role, account):
            kept.apply_removal_policy(RemovalPolicy.RETAIN)
