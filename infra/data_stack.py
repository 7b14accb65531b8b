"""What must outlive every deployment: the two tables."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.settings import StageSettings

STATE_INDEX: Final = "state-index"
OPENED_INDEX: Final = "opened-index"


def ledger_table_name(settings: StageSettings) -> str:
    """The name of the stage's ledger table."""
    return f"{settings.prefix}-ledger"


def purchases_table_name(settings: StageSettings) -> str:
    """The name of the stage's purchases table."""
    return f"{settings.prefix}-purchases"


class DataStack(Stack):
    """The tables of one stage.

    The tables have fixed names, and the compute stack knows them by name: no CloudFormation export
    ties the two stacks together, so compute can be changed, destroyed and deployed again while this
    stack is not touched at all. A fixed name has a second use. CloudFormation cannot replace a
    table that has one, and a replacement is the one change that would quietly start an empty
    ledger; it fails instead.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Till, stage {settings.stage}: the ledger and the purchases.",
            termination_protection=settings.is_aws,
        )
        ledger = self._table("Ledger", ledger_table_name(settings), settings)
        ledger.add_global_secondary_index(
            index_name=OPENED_INDEX,
            partition_key=_string("opened_shard"),
            sort_key=_string("opened_at"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        purchases = self._table("Purchases", purchases_table_name(settings), settings)
        purchases.add_global_secondary_index(
            index_name=STATE_INDEX,
            partition_key=_string("state_shard"),
            sort_key=_string("state_at"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        CfnOutput(self, "LedgerTableName", value=ledger.table_name)
        CfnOutput(self, "PurchasesTableName", value=purchases.table_name)

    def _table(self, construct_id: str, table_name: str, settings: StageSettings) -> dynamodb.Table:
        # The key that AWS manages for DynamoDB: each use of it is in CloudTrail, and no function
        # needs a right to it. A key of our own would be the choice if another account had to read
        # the tables, or if cutting off the key had to be a way to shut the data.
        return dynamodb.Table(
            self,
            construct_id,
            table_name=table_name,
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=settings.is_aws
            ),
            deletion_protection=settings.is_aws,
            removal_policy=RemovalPolicy.RETAIN if settings.is_aws else RemovalPolicy.DESTROY,
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
