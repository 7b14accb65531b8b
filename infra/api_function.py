"""One operation: its Lambda function, role, log group, alarms and route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.alarms import ALARM_PERIOD, RELEASE_ALARM_PERIOD, Runbook, notify, ring
from infra.checks import accept
from infra.data_stack import (
    OPENED_INDEX,
    SHORT_ID_INDEX,
    STATE_INDEX,
    customer_index_name,
)
from infra.packages import Packages, architecture_of
from infra.permissions import KEY_READ, KEY_SEND, PERMISSIONS, Rights
from infra.release import ALIAS, Releases
from infra.settings import GATEWAY_TIMEOUT_SECONDS, StageSettings
from infra.written_down import WrittenDown
from till.http.routes import PROBE, SCHEDULED_OPERATIONS, STREAM_OPERATIONS, Route

_WAITING: Final = frozenset({"create_purchase", PROBE, *SCHEDULED_OPERATIONS, *STREAM_OPERATIONS})
"""They wait for the carrier, or no one waits for them: more CPU would only cost more."""


def memory_mb(operation: str) -> int:
    """The memory of a function, to which Lambda gives CPU in proportion: docs/performance.md."""
    return 512 if operation in _WAITING else 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedByFunctions:
    """What all functions of a stage share."""

    settings: StageSettings
    packages: Packages
    environment: Mapping[str, str]
    alarm_topic: sns.ITopic | None
    releases: Releases | None
    """None: where there is one version only, which is called as it is."""


class ApiFunction(Construct):
    """One operation, with a role that may do exactly what ``infra/permissions.py`` says.

    There is no reserved concurrency: it would take from what all functions of the account share,
    and nothing here needs a ceiling of its own. What reaches the tables is bounded at the door, by
    the API's throttle, and two runs of the same operation at once are safe by the conditions on
    every write.
    """

    def __init__(
        self,
        scope: Construct,
        operation: str,
        *,
        shared: SharedByFunctions,
        description: str,
        further_rights: Sequence[iam.PolicyStatement] = (),
        errors_ring: bool = True,
    ) -> None:
        super().__init__(scope, operation)
        settings = shared.settings
        self.operation: Final = operation
        self.timeout: Final = Duration.seconds(settings.lambda_timeout_seconds)
        name = f"{settings.prefix}-{operation.replace('_', '-')}"
        # Logs go when the functions go. What has to be kept is in the ledger, which does not.
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role: Final = self._make_role(settings, log_group, further_rights)
        package = shared.packages.of(operation)
        self.function: Final = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=architecture_of(settings.runs_on),
            handler="handler.lambda_handler",
            code=package.code,
            layers=list(package.layers),
            environment=dict(shared.environment),
            role=self.role,
            log_group=log_group,
            timeout=self.timeout,
            memory_size=memory_mb(operation),
            # Of the published versions only, which is what the alias names.
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if settings.snap_start else None,
            # The version before stays when a new one has taken over: to go back to it by hand, and
            # for CodeDeploy to find it should the stack be rolled back.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        if PERMISSIONS[operation].signing_key:
            self.function.add_environment(
                "TILL_SIGNING_KEY", WrittenDown.SIGNING_KEY.look_up(self, settings)
            )
        if PERMISSIONS[operation].journal or PERMISSIONS[operation].journal_list:
            self.function.add_environment(
                "TILL_JOURNAL", WrittenDown.JOURNAL.look_up(self, settings)
            )
        if settings.tracing:
            # Not by the construct's own property, which adds a policy of its own to the role.
            made = self.function.node.default_child
            if not isinstance(made, lambda_.CfnFunction):
                raise TypeError("a function is a resource")
            made.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
        accept(
            self.function,
            {
                "L1": "The locks, the layers' bytecode and the tests are for Python 3.13. A newer "
                "one is taken for all of them at once."
            },
        )
        errors = self._add_alarms(shared.alarm_topic, errors_ring=errors_ring)
        releases = shared.releases
        self.called: Final[lambda_.IFunction] = (
            self.function
            if releases is None
            else releases.release(self, operation, self.function, errors)
        )
        """What callers call: the alias, where versions take over from each other."""

    @property
    def qualifier(self) -> str:
        """The version or alias that callers name."""
        return "$LATEST" if self.called is self.function else ALIAS

    def add_route(
        self, api: apigateway.IRestApi, route: Route, authorizer: apigateway.IAuthorizer | None
    ) -> apigateway.Method:
        """Let callers reach this operation by its route: those whom the authorizer lets through.

        Without one everybody reaches the function, which then asks for the token itself.
        """
        integration = apigateway.LambdaIntegration(
            self.called,
            proxy=True,
            timeout=Duration.seconds(GATEWAY_TIMEOUT_SECONDS),
            allow_test_invoke=False,
        )
        asked = authorizer if route.roles else None
        method = api.root.resource_for_path(route.path).add_method(
            route.method,
            integration,
            operation_name=route.operation,
            authorization_type=apigateway.AuthorizationType.CUSTOM
            if asked
            else apigateway.AuthorizationType.NONE,
            authorizer=asked,
        )
        if asked is None:
            accept(
                method,
                {
                    "APIG4": "Public by the table of routes: it says nothing about anybody, and "
                    "is asked by those who have no token yet."
                },
            )
        return method

    def _make_role(
        self,
        settings: StageSettings,
        log_group: logs.ILogGroup,
        further_rights: Sequence[iam.PolicyStatement],
    ) -> iam.Role:
        stack = Stack.of(self)
        ledger = stack.format_arn(
            service="dynamodb", resource="table", resource_name=settings.ledger_table
        )
        purchases = stack.format_arn(
            service="dynamodb", resource="table", resource_name=settings.purchases_table
        )
        customer_index = stack.format_arn(
            service="dynamodb", resource="table", resource_name=customer_index_name(settings)
        )
        journal = WrittenDown.JOURNAL.look_up(self, settings)
        allowed = PERMISSIONS[self.operation]
        statements = [
            iam.PolicyStatement(
                sid="WriteOwnLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log_group.log_group_arn],
            ),
            *(
                iam.PolicyStatement(sid=sid, actions=list(table_actions), resources=[arn])
                for sid, table_actions, arn in (
                    ("Ledger", allowed.ledger, ledger),
                    ("Purchases", allowed.purchases, purchases),
                    ("StateIndex", allowed.state_index, f"{purchases}/index/{STATE_INDEX}"),
                    ("ShortIdIndex", allowed.short_id_index, f"{purchases}/index/{SHORT_ID_INDEX}"),
                    ("CustomerIndex", allowed.customer_index, customer_index),
                    ("OpenedIndex", allowed.opened_index, f"{ledger}/index/{OPENED_INDEX}"),
                    (
                        "LedgerStream",
                        allowed.ledger_stream,
                        WrittenDown.LEDGER_STREAM.look_up(self, settings),
                    ),
                    (
                        "PurchasesStream",
                        allowed.purchases_stream,
                        WrittenDown.PURCHASES_STREAM.look_up(self, settings),
                    ),
                    (
                        "SigningKey",
                        allowed.signing_key,
                        WrittenDown.SIGNING_KEY.look_up(self, settings),
                    ),
                    ("Journal", allowed.journal, f"arn:aws:s3:::{journal}/*"),
                    ("JournalList", allowed.journal_list, f"arn:aws:s3:::{journal}"),
                )
                if table_actions
            ),
            *self._rights_beside_tables(settings, allowed),
            *_rights_to_trace(settings),
            *further_rights,
        ]
        # Inline, and without a managed policy: AWS's own for Lambda lets a function write
        # to every log group of the account.
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {self.operation} may do.",
            inline_policies={"Operation": iam.PolicyDocument(statements=statements)},
        )
        if settings.tracing:
            accept(role, {"IAM5[Resource::*]": "X-Ray's actions are on no resource at all."})
        if allowed.journal:
            objects = "IAM5[Resource::arn:aws:s3:::<JournalBucket>/*]"
            accept(role, {objects: "The journal is append-only: every object that is put is new."})
        return role

    def _rights_beside_tables(
        self, settings: StageSettings, allowed: Rights
    ) -> Iterator[iam.PolicyStatement]:
        """The credential of the external APIs, and the key, each by way of its service alone."""
        if allowed.calls_upstream:
            yield iam.PolicyStatement(
                sid="UpstreamCredential",
                actions=["secretsmanager:GetSecretValue"],
                resources=[WrittenDown.UPSTREAM_SECRET.look_up(self, settings)],
            )
        for sid, actions, service in (
            ("KeyOfTables", allowed.key, "dynamodb"),
            ("KeyOfJournal", KEY_SEND if allowed.journal else (), "s3"),
            ("KeyOfSecret", KEY_READ if allowed.calls_upstream else (), "secretsmanager"),
        ):
            yield from key_rights(self, settings, sid=sid, actions=actions, service=service)

    def _add_alarms(
        self, topic: sns.ITopic | None, *, errors_ring: bool
    ) -> tuple[cloudwatch.Alarm, ...]:
        """Make the function's alarms; gives back those that a new version must not set off."""
        errors: tuple[cloudwatch.Alarm, ...] = ()
        if errors_ring:
            alarm = ring(
                self,
                "Errors",
                self.function.metric_errors(period=RELEASE_ALARM_PERIOD),
                f"{self.operation} died or timed out.",
                Runbook.ERRORS,
            )
            notify(alarm, topic)
            errors = (alarm,)
        near_timeout = ring(
            self,
            "NearTimeout",
            self.function.metric_duration(period=ALARM_PERIOD, statistic=cloudwatch.Stats.MAXIMUM),
            f"{self.operation} took more than four fifths of its timeout.",
            Runbook.LATENCY,
            threshold=self.timeout.to_milliseconds() * 0.8,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        )
        notify(near_timeout, topic)
        return errors


def _rights_to_trace(settings: StageSettings) -> Iterator[iam.PolicyStatement]:
    """What Lambda needs in the function's name to tell X-Ray of a request."""
    if settings.tracing:
        yield iam.PolicyStatement(
            sid="Trace",
            actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
            resources=["*"],
        )


def key_rights(
    scope: Construct, settings: StageSettings, *, sid: str, actions: Sequence[str], service: str
) -> Iterator[iam.PolicyStatement]:
    """The right to have a service use the stage's key in one's name, if there is a key."""
    if settings.has_key and actions:
        yield iam.PolicyStatement(
            sid=sid,
            actions=list(actions),
            resources=[WrittenDown.KEY.look_up(scope, settings)],
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"{service}.{Stack.of(scope).region}.amazonaws.com"
                }
            },
        )
