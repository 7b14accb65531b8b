"""What can be destroyed and deployed again at any time: functions, their API and their schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import ALARM_PERIOD, Runbook, notify, ring
from infra.api_function import ApiFunction, Surroundings
from infra.checks import accept
from infra.data_stack import ledger_table_name, purchases_table_name, upstream_secret_name
from infra.event_publisher import EventPublisher
from infra.gateway_problems import add_gateway_problems
from infra.layers import LayerFolders
from infra.names import add_records
from infra.observability import Observability
from infra.packages import packages_for
from infra.permissions import check_permissions
from infra.release import Releases
from infra.settings import IdentityFrom, Release, StageSettings
from infra.web_acl import WebAcl
from till.http.routes import AUTHORIZER, BASE_PATH, ROUTES, SCHEDULED_OPERATIONS, STREAM_OPERATIONS

AUTHORIZER_CACHE: Final = Duration.minutes(5)
"""How long API Gateway keeps what the authorizer said about a token."""

EMULATED_API_ID: Final = "till"
"""The API's id on LocalStack, which takes it from a tag. Otherwise the API would get another
address with each deploy after a restart."""

SCHEDULE: Final = Duration.minutes(1)
"""How often the scheduled operations run."""


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
                *(route.operation for route in ROUTES),
                *SCHEDULED_OPERATIONS,
                *STREAM_OPERATIONS,
                AUTHORIZER,
            ]
        )
        self._settings: Final = settings
        self._alarm_topic: Final = self._make_alarm_topic() if settings.is_aws else None
        self._surroundings: Final = Surroundings(
            settings=settings,
            packages=packages_for(self, settings, layer_folders),
            environment=_environment(settings),
            alarm_topic=self._alarm_topic,
            releases=None
            if settings.release is Release.IN_PLACE
            else Releases(self, "Releases", settings=settings),
        )
        self.api: Final = self._make_api()
        authorizer = (
            self._make_authorizer() if settings.identity_from is IdentityFrom.AUTHORIZER else None
        )
        for route in ROUTES:
            function = ApiFunction(
                self,
                route.operation,
                surroundings=self._surroundings,
                description=f"Till: {route.method} {route.path}",
            )
            function.add_route(self.api, route, authorizer)
        dead_letters = [
            *(self._schedule(operation) for operation in SCHEDULED_OPERATIONS),
            *(
                EventPublisher(self, operation, surroundings=self._surroundings).parked
                for operation in STREAM_OPERATIONS
            ),
        ]
        observability = Observability(
            self,
            "Observability",
            settings=settings,
            api=self.api,
            dead_letters=dead_letters,
            alarm_topic=self._alarm_topic,
        )
        if self._surroundings.releases is not None:
            self._surroundings.releases.heed(observability.of_releases)
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)
        CfnOutput(self, "ApiUrl", value=self._api_url())

    def _make_api(self) -> apigateway.RestApi:
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self._settings.prefix,
            description="Buy products with credit.",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # Every body reaches the functions as the bytes that were sent. As text, API Gateway
            # would put replacement characters for what is not UTF-8, and nobody could tell.
            binary_media_types=["*/*"],
            cloud_watch_role=False,
            deploy_options=self._stage_options(),
        )
        if not self._settings.is_aws:
            Tags.of(api).add(
                "_custom_id_",
                EMULATED_API_ID,
                include_resource_types=[apigateway.CfnRestApi.CFN_RESOURCE_TYPE_NAME],
            )
        # RestApi brings an output of its own, which says what ApiUrl says.
        api.node.try_remove_child("Endpoint")
        add_gateway_problems(api)
        throttle = self._settings.throttle
        if throttle is not None:
            WebAcl(
                self,
                "WebAcl",
                settings=self._settings,
                throttle=throttle,
                stage=api.deployment_stage,
            )
        self._add_name(api)
        accept(
            api,
            {
                "APIG2": "Every function validates its requests wholly, against the models that "
                "the OpenAPI document is made of, and says which field is wrong. API Gateway "
                "would refuse fewer, and say less.",
                "COG4": "Tokens are those of the OpenID Connect issuer that the stage is told, "
                "Cognito's or another's: the authorizer is a function, and every method with "
                "roles has it.",
            },
        )
        return api

    def _add_name(self, api: apigateway.RestApi) -> None:
        """A name of the API's own, if the stage has one. The paths behind it are the same."""
        surrounding = self._settings.surrounding
        if not surrounding.api_domain_name:
            return
        place = Construct(self, "Name")
        domain = apigateway.DomainName(
            place,
            "Domain",
            domain_name=surrounding.api_domain_name,
            certificate=acm.Certificate.from_certificate_arn(
                place, "Certificate", surrounding.api_certificate_arn
            ),
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        domain.add_base_path_mapping(api, base_path=BASE_PATH)
        add_records(
            place,
            surrounding,
            surrounding.api_domain_name,
            route53_targets.ApiGatewayDomain(domain),
            ipv6=False,
        )

    def _api_url(self) -> str:
        name = self._settings.surrounding.api_domain_name
        return f"https://{name}/{BASE_PATH}/" if name else self.api.url

    def _make_authorizer(self) -> apigateway.TokenAuthorizer:
        """Who asks each caller for a token. It alone carries what checks one.

        API Gateway keeps its answers, by token: with the caller goes when their token ends, and
        the functions look at that themselves.
        """
        function = ApiFunction(
            self,
            AUTHORIZER,
            surroundings=self._surroundings,
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

    def _stage_options(self) -> apigateway.StageOptions:
        throttle = self._settings.throttle
        if throttle is None:
            return apigateway.StageOptions(stage_name=BASE_PATH)
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{self._settings.prefix}",
            retention=self._settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return apigateway.StageOptions(
            stage_name=BASE_PATH,
            access_log_destination=apigateway.LogGroupLogDestination(access_log),
            access_log_format=_ACCESS_LOG_FORMAT,
            throttling_rate_limit=throttle.requests_per_second,
            throttling_burst_limit=throttle.burst,
            # Of requests that fail, and never with what was sent.
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
        )

    def _make_alarm_topic(self) -> sns.Topic:
        """Where alarms go; whoever is on call subscribes to it.

        Not encrypted with a key: CloudWatch cannot use the one that AWS manages for SNS, and there
        is no secret in the name of an alarm.
        """
        topic = sns.Topic(
            self, "Alarms", topic_name=f"{self._settings.prefix}-alarms", enforce_ssl=True
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    def _schedule(self, operation: str) -> sqs.Queue:
        """Run an operation every minute; gives back the queue of what failed.

        A run that fails is not tried again: the next one finds the same work a minute later. But it
        is not lost either: what could not be delivered, or failed, is in a queue and rings.
        """
        failed = sqs.Queue(
            self,
            f"{operation}-failed",
            queue_name=f"{self._settings.prefix}-{operation.replace('_', '-')}-failed",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(failed, {"SQS3": "What is in it is looked at by a person, whom an alarm tells."})
        function = ApiFunction(
            self,
            operation,
            surroundings=self._surroundings,
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
            rule_name=f"{self._settings.prefix}-{operation.replace('_', '-')}",
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
                f"{operation} has not run for ten minutes: nobody looks for dead attempts, and the "
                "money that they hold stays held.",
                Runbook.DEAD_LETTERS,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                periods=2,
                missing=cloudwatch.TreatMissingData.BREACHING,
            ),
            self._alarm_topic,
        )
        return failed


def _environment(settings: StageSettings) -> Mapping[str, str]:
    """What ``till.bootstrap`` reads."""
    return {
        "TILL_STAGE": settings.stage,
        "TILL_LEDGER_TABLE": ledger_table_name(settings),
        "TILL_PURCHASES_TABLE": purchases_table_name(settings),
        "TILL_UPSTREAM_URL": settings.surrounding.upstream_url,
        "TILL_UPSTREAM_READ_TIMEOUT_SECONDS": str(settings.read_timeout_seconds),
        "TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS": str(settings.shipment_timeout_seconds),
        "TILL_UPSTREAM_SECRET": upstream_secret_name(settings),
        "TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS": str(
            settings.upstream_credential_max_age_seconds
        ),
        "TILL_SHIPMENTS_IDEMPOTENT": "false",
        "TILL_PENDING_EXPIRY_SECONDS": str(settings.pending_expiry_seconds),
        "TILL_UNKNOWN_DEADLINE_SECONDS": str(settings.unknown_deadline_seconds),
        "TILL_DISPLAY_MAX_AGE_SECONDS": str(settings.display_max_age_seconds),
        "TILL_DISPLAY_STALE_IF_ERROR_SECONDS": str(settings.display_stale_if_error_seconds),
        "TILL_IDENTITY_FROM": settings.identity_from,
        "TILL_TOKEN_ISSUER": settings.surrounding.issuer,
        "TILL_TOKEN_AUDIENCE": settings.surrounding.audience,
        "TILL_TOKEN_JWKS_URL": settings.surrounding.jwks_url,
        "TILL_TOKEN_ROLES_CLAIM": settings.surrounding.roles_claim,
        "TILL_TOKEN_CUSTOMER_CLAIM": settings.surrounding.customer_claim,
        "TILL_SUPPORT_LIMIT_MINOR": str(settings.support_limit_minor),
        "POWERTOOLS_SERVICE_NAME": "till",
        "POWERTOOLS_METRICS_NAMESPACE": "Till",
        "POWERTOOLS_LOG_LEVEL": "INFO",
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
