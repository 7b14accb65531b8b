"""What must outlive every deployment: tables, their key, a secret, the bus, and ``Lasting``."""

from __future__ import annotations

from typing import Final

from aws_cdk import (
    CfnOutput,
    Duration,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_backup as backup
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.checks import accept
from infra.journal import Journal
from infra.lasting import Lasting
from infra.settings import StageSettings
from infra.written_down import WrittenDown

STATE_INDEX: Final = "state-index"
SHORT_ID_INDEX: Final = "short-id-index"
OPENED_INDEX: Final = "opened-index"

_BACKUP_POLICY: Final = "service-role/AWSBackupServiceRolePolicyForBackup"
_BACKUPS_KEPT: Final = Duration.days(35)
_EVENTS_KEPT: Final = Duration.days(30)


def ledger_table_name(settings: StageSettings) -> str:
    """The name of the stage's own ledger table; the functions may use a restored one."""
    return f"{settings.prefix}-ledger"


def purchases_table_name(settings: StageSettings) -> str:
    """The same of the purchases."""
    return f"{settings.prefix}-purchases"


def customer_index_name(settings: StageSettings) -> str:
    """The name of the table in which customers are found by name. It is never restored."""
    return f"{settings.prefix}-customer-index"


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
        if settings.is_aws:
            _forbid_changes(ledger, ledger_table_name(settings), settings)
        ledger.add_global_secondary_index(
            index_name=OPENED_INDEX,
            partition_key=_string("opened_shard"),
            sort_key=_string("opened_at"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            contributor_insights_specification=_throttled_keys(settings),
        )
        # The watcher compares each item with what it was before.
        purchases = self._table(
            "Purchases",
            purchases_table_name(settings),
            key,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        )
        purchases.add_global_secondary_index(
            index_name=STATE_INDEX,
            partition_key=_string("state_shard"),
            sort_key=_string("state_at"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            contributor_insights_specification=_throttled_keys(settings),
        )
        purchases.add_global_secondary_index(
            index_name=SHORT_ID_INDEX,
            partition_key=_string("short_id"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            contributor_insights_specification=_throttled_keys(settings),
        )
        customer_index = self._table(
            "CustomerIndex", customer_index_name(settings), key, kept_copies=False
        )
        accept(
            customer_index,
            {
                "DDB3": "It holds words of names and e-mail addresses, and no copy of them may "
                "outlive a customer's erasure. It fills itself again: docs/decisions/61."
            },
        )
        bus = events.EventBus(
            self,
            "Events",
            event_bus_name=event_bus_name(settings),
            description="What happened to customers' credit: docs/events.",
        )
        bus.apply_removal_policy(_removal_policy_beside_tables(settings))
        if settings.is_aws:
            events.Archive(
                self,
                "EventArchive",
                archive_name=event_bus_name(settings),
                source_event_bus=bus,
                description="The last weeks, to be replayed for consumers that missed something.",
                event_pattern=events.EventPattern(account=[self.account]),
                retention=_EVENTS_KEPT,
            )
        if key is not None:
            self._back_up(key, ledger, purchases)
        secret = self._make_upstream_secret(key)
        WrittenDown.SIGNING_KEY.write(self, settings, self._make_signing_key().key_arn)
        for table, stream in (
            (ledger, WrittenDown.LEDGER_STREAM),
            (purchases, WrittenDown.PURCHASES_STREAM),
        ):
            if table.table_stream_arn is None:
                raise AssertionError("both tables have a stream")
            stream.write(self, settings, table.table_stream_arn)
        WrittenDown.UPSTREAM_SECRET.write(self, settings, secret.ref)
        if key is not None:
            WrittenDown.KEY.write(self, settings, key.key_arn)
        Journal(
            self,
            "Journal",
            settings=settings,
            key=key,
            removal_policy=_removal_policy_beside_tables(settings),
        )
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

    def _make_signing_key(self) -> kms.Key:
        """The key that signs statements. No one can take its private half out of KMS.

        It is never removed with the stack: its public half checks every statement given out so far.
        """
        return kms.Key(
            self,
            "SigningKey",
            alias=f"{key_alias(self._settings)}-statements",
            description=f"Till, stage {self._settings.stage}: signs customers' statements",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            pending_window=Duration.days(30),
            removal_policy=_removal_policy_beside_tables(self._settings),
        )

    def _back_up(self, key: kms.Key, *tables: dynamodb.ITable) -> None:
        """A copy every night, for five weeks, in a vault that outlives the tables.

        Point-in-time recovery is finer, but goes with the table that it is of.
        """
        vault = backup.BackupVault(
            self,
            "Backups",
            backup_vault_name=self._settings.prefix,
            encryption_key=key,
            removal_policy=_removal_policy_beside_tables(self._settings),
        )
        role = iam.Role(
            self,
            "BackupRole",
            assumed_by=iam.ServicePrincipal("backup.amazonaws.com"),
            description="Lets AWS Backup copy the tables.",
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_BACKUP_POLICY)],
        )
        accept(
            role,
            {
                f"IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_BACKUP_POLICY}]": (
                    "Only AWS Backup takes this role, and AWS keeps its policy in step with what "
                    "AWS Backup does. No code of ours runs under it."
                )
            },
        )
        plan = backup.BackupPlan(self, "BackupPlan", backup_vault=vault)
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="nightly",
                schedule_expression=events.Schedule.cron(hour="3", minute="0"),
                delete_after=_BACKUPS_KEPT,
            )
        )
        plan.add_selection(
            "Tables",
            resources=[backup.BackupResource.from_dynamo_db_table(table) for table in tables],
            role=role,
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
        kept_copies: bool = True,
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
                point_in_time_recovery_enabled=settings.is_aws and kept_copies
            ),
            contributor_insights_specification=_throttled_keys(settings),
            deletion_protection=settings.is_aws,
            removal_policy=_removal_policy(settings),
            stream=stream,
        )


def _forbid_changes(ledger: dynamodb.Table, name: str, settings: StageSettings) -> None:
    """Let only Till's functions add items to the ledger, and let no one change them.

    No right in the account gets past this, an administrator's included. Someone who has to change
    an item must remove this policy first, which CloudTrail records.
    """
    stack = Stack.of(ledger)
    table = stack.format_arn(service="dynamodb", resource="table", resource_name=name)
    roles = stack.format_arn(
        service="iam", region="", resource="role", resource_name=f"{settings.prefix}-compute-*"
    )
    ledger.add_to_resource_policy(
        iam.PolicyStatement(
            sid="EntriesAreNeverChangedOrDeleted",
            effect=iam.Effect.DENY,
            principals=[iam.StarPrincipal()],
            actions=[
                *("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
                *("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"),
            ],
            resources=[table],
        )
    )
    ledger.add_to_resource_policy(
        iam.PolicyStatement(
            sid="OnlyTillAddsEntries",
            effect=iam.Effect.DENY,
            principals=[iam.StarPrincipal()],
            actions=["dynamodb:PutItem"],
            resources=[table],
            conditions={"ArnNotLike": {"aws:PrincipalArn": roles}},
        )
    )


def _throttled_keys(settings: StageSettings) -> dynamodb.ContributorInsightsSpecification | None:
    """Contributor Insights for keys that are throttled, and no others: it counts only those."""
    if not settings.is_aws:
        return None
    return dynamodb.ContributorInsightsSpecification(
        enabled=True, mode=dynamodb.ContributorInsightsMode.THROTTLED_KEYS
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
