"""What must outlive every deployment: the two tables, and the bus that others listen to."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnDynamicReference, CfnDynamicReferenceService, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_ssm as ssm
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


def event_bus_name(settings: StageSettings) -> str:
    """The name of the bus with the stage's domain events."""
    return settings.prefix


def ledger_stream_arn(settings: StageSettings) -> str:
    """The ARN of the ledger table's stream, as CloudFormation looks it up when it deploys.

    A stream's ARN ends in the time when it was made, so nobody can know it by its name. The data
    stack writes it down under a name, and that is what everybody knows.
    """
    reference = CfnDynamicReference(
        CfnDynamicReferenceService.SSM, _ledger_stream_parameter(settings)
    )
    return reference.to_string()


def _ledger_stream_parameter(settings: StageSettings) -> str:
    return f"/{settings.prefix}/ledger-stream-arn"


class DataStack(Stack):
    """The tables of one stage, and the bus of its domain events.

    The tables have fixed names, and the compute stack knows them by name: no CloudFormation export
    ties the two stacks together, so compute can be changed, destroyed and deployed again while this
    stack is not touched at all. A fixed name has a second use. CloudFormation cannot replace a
    table that has one, and a replacement is the one change that would quietly start an empty
    ledger; it fails instead.

    The bus is here since the rules on it are other people's. CloudFormation cannot remove a bus
    that has rules, and they are not to be made again whenever compute is.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Till, stage {settings.stage}: the ledger, the purchases, the event bus.",
            termination_protection=settings.is_aws,
        )
        # The ledger alone tells all domain events. Its items are never changed, so what is new
        # about an item is all of it.
        ledger = self._table(
            "Ledger",
            ledger_table_name(settings),
            settings,
            stream=dynamodb.StreamViewType.NEW_IMAGE,
        )
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
        bus = events.EventBus(
            self,
            "Events",
            event_bus_name=event_bus_name(settings),
            description="What happened to customers' credit: docs/events.",
        )
        bus.apply_removal_policy(_removal_policy(settings))
        if ledger.table_stream_arn is None:
            raise AssertionError("the ledger table has a stream")
        ssm.StringParameter(
            self,
            "LedgerStreamArn",
            parameter_name=_ledger_stream_parameter(settings),
            string_value=ledger.table_stream_arn,
            description="The stream of the ledger table: the compute stack follows it.",
        )
        CfnOutput(self, "LedgerTableName", value=ledger.table_name)
        CfnOutput(self, "PurchasesTableName", value=purchases.table_name)

    def _table(
        self,
        construct_id: str,
        table_name: str,
        settings: StageSettings,
        *,
        stream: dynamodb.StreamViewType | None = None,
    ) -> dynamodb.Table:
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
            removal_policy=_removal_policy(settings),
            stream=stream,
        )


def _removal_policy(settings: StageSettings) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if settings.is_aws else RemovalPolicy.DESTROY


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
