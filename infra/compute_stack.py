"""What can be destroyed and deployed again at any time: functions, their API and their schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, TypedDict

from aws_cdk import CfnOutput, CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import ALARM_PERIOD, Runbook, notify, ring
from infra.api_function import ApiFunction, SharedByFunctions
from infra.checks import accept
from infra.data_stack import customer_index_name, upstream_secret_name
from infra.gateway_problems import gateway_problems
from infra.lasting import (
    access_log,
    alarm_topic,
    failed_runs,
    queue_named,
    rest_api,
    schedule_name,
)
from infra.layers import LayerFolders
from infra.ledger_follower import EventPublisher, LedgerWatcher
from infra.observability import Observability
from infra.packages import packages_for
from infra.permissions import check_permissions
from infra.probe import ApiProbe
from infra.release import Releases
from infra.settings import IdentityFrom, Release, StageSettings
from infra.waves import make_in_waves
from infra.web_acl import WebAcl
from till.http.routes import (
    AUTHORIZER,
    BASE_PATH,
    OPERATIONS,
    PROBE,
    ROUTES,
    SCHEDULED_OPERATIONS,
    STREAM_OPERATIONS,
)

AUTHORIZER_CACHE: Final = Duration.minutes(5)
"""How long API Gateway keeps what the authorizer said about a token."""

SCHEDULE: Final = Duration.minutes(1)
"""How often the scheduled operations run."""


class _StageOptions(TypedDict, total=False):
    """What of a stage's settings only a stage on AWS has."""

    access_log_destination: apigateway.IAccessLogDestination
    access_log_format: apigateway.AccessLogFormat
    throttling_rate_limit: int
    throttling_burst_limit: int
    logging_level: apigateway.MethodLoggingLevel
    data_trace_enabled: bool
    tracing_enabled: bool


class ComputeStack(Stack):
    """The API of one stage: one function and one role for each operation."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        layer_folders: LayerFolders,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Till, stage {settings.stage}: the API, the schedule, the events.",
        )
        check_permissions(
            [
                *OPERATIONS,
                *SCHEDULED_OPERATIONS,
                *STREAM_OPERATIONS,
                AUTHORIZER,
                PROBE,
            ]
        )
        self._settings: Final = settings
        self._alarm_topic: Final = alarm_topic(self, settings) if settings.is_aws else None
        self._shared: Final = SharedByFunctions(
            settings=settings,
            packages=packages_for(self, settings, layer_folders),
            environment=_environment(settings),
            alarm_topic=self._alarm_topic,
            releases=None
            if settings.release is Release.IN_PLACE
            else Releases(self, "Releases", settings=settings),
        )
        api = rest_api(self, settings)
        authorizer = (
            self._make_authorizer() if settings.identity_from is IdentityFrom.AUTHORIZER else None
        )
        functions: dict[str, ApiFunction] = {}
        methods = []
        for route in ROUTES:
            if route.operation not in functions:
                functions[route.operation] = ApiFunction(
                    self,
                    route.operation,
                    shared=self._shared,
                    description=f"Till: {route.method} {route.path}",
                )
            methods.append(functions[route.operation].add_route(api, route, authorizer))
        stage = self._make_stage(api, methods)
        dead_letters = [
            *(self._schedule(operation) for operation in SCHEDULED_OPERATIONS),
            *(
                follower(self, operation, shared=self._shared).dead_letters
                for operation, follower in zip(
                    STREAM_OPERATIONS, (EventPublisher, LedgerWatcher), strict=True
                )
            ),
        ]
        observability = Observability(
            self,
            "Observability",
            settings=settings,
            dead_letters=dead_letters,
            alarm_topic=self._alarm_topic,
        )
        release_alarms = list(observability.of_releases)
        if settings.probe is not None:
            probe = ApiProbe(
                self,
                probe=settings.probe,
                api_url=self._api_url(stage),
                shared=self._shared,
            )
            release_alarms.append(probe.alarm)
        if self._shared.releases is not None:
            self._shared.releases.heed(release_alarms)
        if settings.is_aws:
            # An emulator has no such limits, and is there sooner without.
            make_in_waves(self)
        CfnOutput(self, "ApiUrl", value=self._api_url(stage))

    def _make_stage(
        self,
        api: apigateway.IRestApi,
        methods: Sequence[apigateway.Method],
    ) -> apigateway.Stage:
        """Serve the routes: a deployment of them all, and the stage with its settings."""
        accept(
            api,
            {
                "COG4": "Tokens are those of the OpenID Connect issuer that the stage is told, "
                "Cognito's or another's: the authorizer is a function, and every method with "
                "roles has it.",
            },
        )
        deployment = apigateway.Deployment(self, "Deployment", api=api)
        # A deployment is a copy of the routes as they are then. So it is made again, under another
        # id, when anything of them changes: the CDK does that only for an API of the same stack.
        made = _resource(deployment)
        for method in methods:
            # On the resource alone: what lets API Gateway call a method names the stage.
            made.add_resource_dependency(_resource(method))
            deployment.add_to_logical_id(self.resolve(_content(method)))
        # The data stack has made these before.
        deployment.add_to_logical_id(gateway_problems())
        stage = apigateway.Stage(
            self, "Stage", deployment=deployment, stage_name=BASE_PATH, **self._stage_options(api)
        )
        api.deployment_stage = stage
        throttle = self._settings.throttle
        if throttle is not None:
            WebAcl(self, "WebAcl", settings=self._settings, throttle=throttle, stage=stage)
        name = self._settings.deployment.api_domain_name
        if name:
            apigateway.CfnBasePathMapping(
                self,
                "Name",
                domain_name=name,
                base_path=BASE_PATH,
                rest_api_id=api.rest_api_id,
                stage=stage.stage_name,
            )
        return stage

    def _api_url(self, stage: apigateway.Stage) -> str:
        name = self._settings.deployment.api_domain_name
        return f"https://{name}/{BASE_PATH}/" if name else stage.url_for_path()

    def _make_authorizer(self) -> apigateway.TokenAuthorizer:
        """Who asks each caller for a token. It alone carries what checks one.

        API Gateway keeps its answers, by token: with the caller goes when their token ends, and
        the functions look at that themselves.
        """
        function = ApiFunction(
            self,
            AUTHORIZER,
            shared=self._shared,
            description="Till: who is calling",
            # To API Gateway a refusal is an error of the function, and anybody can cause one.
            errors_ring=False,
        )
        return apigateway.TokenAuthorizer(
            self,
            "Authorizer",
            authorizer_name=f"{self._settings.prefix}-authorizer",
            handler=function.called,
            identity_source=apigateway.IdentitySource.header("Authorization"),
            validation_regex="^[Bb][Ee][Aa][Rr][Ee][Rr] +[^ ]+$",
            results_cache_ttl=AUTHORIZER_CACHE,
        )

    def _stage_options(self, api: apigateway.IRestApi) -> _StageOptions:
        throttle = self._settings.throttle
        if throttle is None:
            return {}
        # API Gateway makes this group itself, and keeps it without end, if it is not there.
        logs.LogGroup(
            self,
            "ExecutionLog",
            log_group_name=f"API-Gateway-Execution-Logs_{api.rest_api_id}/{BASE_PATH}",
            retention=self._settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return {
            "access_log_destination": apigateway.LogGroupLogDestination(
                access_log(self, self._settings)
            ),
            "access_log_format": _ACCESS_LOG_FORMAT,
            "throttling_rate_limit": throttle.requests_per_second,
            "throttling_burst_limit": throttle.burst,
            # Of requests that fail, and never with what was sent.
            "logging_level": apigateway.MethodLoggingLevel.ERROR,
            "data_trace_enabled": False,
            "tracing_enabled": self._settings.tracing,
        }

    def _schedule(self, operation: str) -> sqs.IQueue:
        """Run an operation every minute; gives back the queue of what failed.

        A run that fails is not tried again: the next one finds the same work a minute later. But it
        is not lost either: what could not be delivered, or failed, is in a queue and rings.
        """
        failed = queue_named(
            Construct(self, f"{operation}-failed"), failed_runs(self._settings, operation)
        )
        function = ApiFunction(
            self,
            operation,
            shared=self._shared,
            description=f"Till: every {SCHEDULE.to_minutes():g} min",
            further_rights=[
                iam.PolicyStatement(
                    sid="ReportFailedRun",
                    actions=["sqs:SendMessage"],
                    resources=[failed.queue_arn],
                )
            ],
        )
        # EventBridge hands the event to Lambda's own queue: the first retry policy is for handing
        # it over, the second for running it.
        events.Rule(
            self,
            f"{operation}-schedule",
            rule_name=schedule_name(self._settings, operation),
            schedule=events.Schedule.rate(SCHEDULE),
            targets=[
                targets.LambdaFunction(
                    function.called,
                    dead_letter_queue=failed,
                    retry_attempts=1,
                    max_event_age=SCHEDULE,
                )
            ],
        )
        runs = lambda_.CfnEventInvokeConfig(
            self,
            f"{operation}-runs",
            function_name=function.function.function_name,
            qualifier=function.qualifier,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=SCHEDULE.to_seconds(),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=failed.queue_arn
                )
            ),
        )
        # It names the alias, and CloudFormation sees no reference in that.
        runs.node.add_dependency(function.called)
        notify(
            ring(
                self,
                f"{operation}-failed-alarm",
                failed.metric_approximate_number_of_messages_visible(
                    period=ALARM_PERIOD, statistic=cloudwatch.Stats.MAXIMUM
                ),
                f"A run of {operation} failed: the queue says which.",
                Runbook.DEAD_LETTERS,
            ),
            self._alarm_topic,
        )
        notify(
            ring(
                self,
                f"{operation}-silent-alarm",
                function.function.metric_invocations(period=ALARM_PERIOD),
                f"{operation} has not run for ten minutes: dead attempts are not settled, and "
                "the money that they hold stays held.",
                Runbook.DEAD_LETTERS,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                periods=2,
                missing=cloudwatch.TreatMissingData.BREACHING,
            ),
            self._alarm_topic,
        )
        return failed


def _resource(one: Construct) -> CfnResource:
    found = one.node.default_child
    if not isinstance(found, CfnResource):
        raise TypeError(f"{one} is not one resource")
    return found


def _content(method: apigateway.Method) -> list[object]:
    """What a deployment copies of a method."""
    made = _resource(method)
    if not isinstance(made, apigateway.CfnMethod):
        raise TypeError(f"{method} is not one method")
    return [
        *(made.http_method, made.resource_id, made.operation_name),
        *(made.authorization_type, made.authorizer_id, made.integration),
    ]


def _environment(settings: StageSettings) -> Mapping[str, str]:
    """What ``till.bootstrap`` reads."""
    return {
        "TILL_STAGE": settings.stage,
        "TILL_LEDGER_TABLE": settings.ledger_table,
        "TILL_PURCHASES_TABLE": settings.purchases_table,
        "TILL_CUSTOMER_INDEX_TABLE": customer_index_name(settings),
        "TILL_UPSTREAM_URL": settings.deployment.upstream_url,
        "TILL_UPSTREAM_READ_TIMEOUT_SECONDS": str(settings.read_timeout_seconds),
        "TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS": str(settings.shipment_timeout_seconds),
        "TILL_UPSTREAM_SECRET": upstream_secret_name(settings),
        "TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS": str(
            settings.upstream_credential_max_age_seconds
        ),
        "TILL_SHIPMENTS_IDEMPOTENT": "false",
        "TILL_FREE_PRODUCTS": str(settings.free_products).lower(),
        "TILL_PENDING_EXPIRY_SECONDS": str(settings.pending_expiry_seconds),
        "TILL_UNKNOWN_DEADLINE_SECONDS": str(settings.unknown_deadline_seconds),
        "TILL_DISPLAY_MAX_AGE_SECONDS": str(settings.display_max_age_seconds),
        "TILL_DISPLAY_STALE_IF_ERROR_SECONDS": str(settings.display_stale_if_error_seconds),
        "TILL_IDENTITY_FROM": settings.identity_from,
        "TILL_TOKEN_ISSUER": settings.deployment.issuer,
        "TILL_TOKEN_AUDIENCE": settings.deployment.audience,
        "TILL_TOKEN_JWKS_URL": settings.deployment.jwks_url,
        "TILL_TOKEN_ROLES_CLAIM": settings.deployment.roles_claim,
        "TILL_TOKEN_CUSTOMER_CLAIM": settings.deployment.customer_claim,
        "TILL_SUPPORT_LIMIT_MINOR": str(settings.support_limit_minor),
        "POWERTOOLS_SERVICE_NAME": "till",
        "POWERTOOLS_METRICS_NAMESPACE": "Till",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        # Looking for plugins reads the metadata of every package, at each cold start; we have none.
        "PYDANTIC_DISABLE_PLUGINS": "1",
    }


_ACCESS_LOG_FORMAT: Final = apigateway.AccessLogFormat.custom(
    json.dumps(
        {
            "request_id": "$context.requestId",
            "requested_at": "$context.requestTime",
            "ip": "$context.identity.sourceIp",
            "caller": "$context.authorizer.subject",
            "method": "$context.httpMethod",
            "route": "$context.resourcePath",
            "path": "$context.path",
            "status": "$context.status",
            "milliseconds": "$context.responseLatency",
            "integration_status": "$context.integration.status",
            "gateway_error": "$context.error.responseType",
        }
    )
)
