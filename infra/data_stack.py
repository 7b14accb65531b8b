"""What must outlive every deployment: tables, their key, a secret, the bus, and ``Lasting``."""

from __future__ import annotations

from typing import Final

from aws_cdk import (
    CfnOutput,
    Duration,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.checks import accept
from infra.lasting import Lasting
from infra.settings import StageSettings
from infra.written_down import WrittenDown

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


def key_alias(settings: StageSettings) -> str:
    """The name of the stage's key."""
    return f"alias/{settings.prefix}"


def upstream_secret_name(settings: StageSettings) -> str:
    """The name of the secret with the credential of the stage's external APIs."""
    return f"{settings.prefix}-upstream"


class DataStack(Stack):
    """The tables of one stage, their key, and the bus of its domain events.

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
        self._settings: Final = settings
        key = self._make_key() if settings.has_key else None
        # The ledger alone tells all domain events. Its items are never changed, so what is new
        # about an item is all of it.
        ledger = self._table(
            "Ledger",
            ledger_table_name(settings),
            key,
            stream=dynamodb.StreamViewType.NEW_IMAGE,
        )
        ledger.add_global_secondary_index(
            index_name=OPENED_INDEX,
            partition_key=_string("opened_shard"),
            sort_key=_string("opened_at"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        purchases = self._table("Purchases", purchases_table_name(settings), key)
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
        bus.apply_removal_policy(_removal_policy_beside_tables(settings))
        secret = self._make_upstream_secret(key)
        if ledger.table_stream_arn is None:
            raise AssertionError("the ledger table has a stream")
        WrittenDown.LEDGER_STREAM.write(self, settings, ledger.table_stream_arn)
        WrittenDown.UPSTREAM_SECRET.write(self, settings, secret.ref)
        if key is not None:
            WrittenDown.KEY.write(self, settings, key.key_arn)
        Lasting(
            self,
            "Lasting",
            settings=settings,
            key=key,
            removal_policy=_removal_policy_beside_tables(settings),
        )
        CfnOutput(self, "LedgerTableName", value=ledger.table_name)
        CfnOutput(self, "PurchasesTableName", value=purchases.table_name)

    def _make_key(self) -> kms.Key:
        """The key of what holds customers' data.

        A key of our own is a second lock: who may read a table, but not use the key, reads nothing,
        and to switch the key off is to shut the data. It is never removed with the stack.
        """
        return kms.Key(
            self,
            "Key",
            alias=key_alias(self._settings),
            description=f"Till, stage {self._settings.stage}: the tables and the upstream's secret",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=_removal_policy_beside_tables(self._settings),
        )

    def _make_upstream_secret(self, key: kms.Key | None) -> secretsmanager.CfnSecret:
        """The credential of the external APIs. Made empty: it is another team that gives it out.

        Not by CDK's own construct, which would put a password of its making in.
        """
        secret = secretsmanager.CfnSecret(
            self,
            "Upstream",
            name=upstream_secret_name(self._settings),
            description="The header that the external APIs ask for: docs/runbooks/deploying.md.",
            kms_key_id=None if key is None else key.key_arn,
        )
        secret.apply_removal_policy(_removal_policy_beside_tables(self._settings))
        accept(
            secret,
            {
                "SMG4": "The external APIs' owner gives out the credential and its next "
                "one: nothing of ours could rotate it. A new value is used without a deploy."
            },
        )
        return secret

    def _table(
        self,
        construct_id: str,
        table_name: str,
        key: kms.Key | None,
        *,
        stream: dynamodb.StreamViewType | None = None,
    ) -> dynamodb.Table:
        settings = self._settings
        return dynamodb.Table(
            self,
            construct_id,
            table_name=table_name,
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=settings.is_aws
            ),
            deletion_protection=settings.is_aws,
            removal_policy=_removal_policy(settings),
            stream=stream,
        )


def _removal_policy(settings: StageSettings) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if settings.is_aws else RemovalPolicy.DESTROY


def _removal_policy_beside_tables(settings: StageSettings) -> RemovalPolicy:
    """As with the tables, but not when the stack fails as it is first made.

    What stayed then would take the names that the next try needs. Tables stay anyhow: they are
    protected.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if settings.is_aws else RemovalPolicy.DESTROY


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
