"""What must outlive the compute stack, apart from data: what others know, what waits for people.

It is in the data stack. A destroyed compute stack takes down the functions; callers keep the API's
address, people on call keep their subscriptions, and what waits in a queue or is in the access log
stays there. The compute stack finds all of it by fixed names, and by what is written down in SSM
parameters where AWS chooses a part of the name.
"""

from __future__ import annotations

from typing import Final

from aws_cdk import Aws, CfnOutput, CfnTag, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.checks import accept
from infra.gateway_problems import add_gateway_problems
from infra.names import add_records
from infra.settings import StageSettings
from infra.written_down import WrittenDown
from till.http.routes import SCHEDULED_OPERATIONS, STREAM_OPERATIONS

EMULATED_API_ID: Final = "till"
"""The API's id on LocalStack, which takes it from a tag. Otherwise the API would get another
address with each deploy after a restart."""

PARKS_ITSELF: Final = "publish_events"
"""The operation that itself puts what it cannot read into its queue."""

_KEPT: Final = Duration.days(14)
"""How long SQS keeps a message: no longer is possible."""


def failed_runs(settings: StageSettings, operation: str) -> str:
    """The name of the queue of a scheduled operation's failed runs."""
    return f"{settings.prefix}-{operation.replace('_', '-')}-failed"


def dead_letters_queue(settings: StageSettings, operation: str) -> str:
    """The name of the queue of a stream's records that an operation could not process."""
    return f"{settings.prefix}-{operation.replace('_', '-')}-dead-letters"


def schedule_name(settings: StageSettings, operation: str) -> str:
    """The name of the rule that runs an operation."""
    return f"{settings.prefix}-{operation.replace('_', '-')}"


def queue_named(scope: Construct, name: str) -> sqs.IQueue:
    """A queue of the data stack, for the compute stack."""
    arn = Stack.of(scope).format_arn(service="sqs", resource=name)
    return sqs.Queue.from_queue_arn(scope, "Queue", arn)


def alarm_topic(scope: Construct, settings: StageSettings) -> sns.ITopic:
    """The topic of the stage's alarms, for the compute stack."""
    arn = Stack.of(scope).format_arn(service="sns", resource=_topic_name(settings))
    return sns.Topic.from_topic_arn(scope, "Alarms", arn)


def access_log(scope: Construct, settings: StageSettings) -> logs.ILogGroup:
    """The log of the API's requests, for the compute stack."""
    return logs.LogGroup.from_log_group_name(scope, "AccessLog", _access_log_name(settings))


def rest_api(scope: Construct, settings: StageSettings) -> apigateway.IRestApi:
    """The API, without any route yet, for the compute stack."""
    return apigateway.RestApi.from_rest_api_attributes(
        scope,
        "Api",
        rest_api_id=WrittenDown.API_ID.look_up(scope, settings),
        root_resource_id=WrittenDown.API_ROOT_ID.look_up(scope, settings),
    )


class Lasting(Construct):
    """The API's address, the queues that people look into, the access log, and the alarm topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings: Final = settings
        self._removal_policy: Final = removal_policy
        self._make_api()
        for operation in SCHEDULED_OPERATIONS:
            self._make_failed_runs(operation)
        for operation in STREAM_OPERATIONS:
            self._make_dead_letters(operation, key)
        if settings.throttle is not None:
            logs.LogGroup(
                self,
                "AccessLog",
                log_group_name=_access_log_name(settings),
                retention=settings.log_retention,
                removal_policy=removal_policy,
            )
        if settings.is_aws:
            self._make_alarm_topic()

    def _make_api(self) -> None:
        """The API itself, with its own answers. Its routes come, and go, with compute."""
        api = apigateway.CfnRestApi(
            self,
            "Api",
            name=self._settings.prefix,
            description="Buy products with credit.",
            endpoint_configuration=apigateway.CfnRestApi.EndpointConfigurationProperty(
                types=["REGIONAL"]
            ),
            # Every body reaches the functions as the bytes that were sent. As text, API Gateway
            # would put replacement characters for what is not UTF-8, and it could not be noticed.
            binary_media_types=["*/*"],
            tags=None
            if self._settings.is_aws
            else [CfnTag(key="_custom_id_", value=EMULATED_API_ID)],
        )
        api.apply_removal_policy(self._removal_policy)
        accept(
            api,
            {
                "APIG2": "Every function validates the whole request against the models that "
                "the OpenAPI document is made of, and says which field is wrong. API Gateway "
                "would refuse fewer, and say less.",
            },
        )
        # Here, and not with the routes: they are the API's own, whatever routes it has.
        add_gateway_problems(self, apigateway.RestApi.from_rest_api_id(self, "Made", api.ref))
        WrittenDown.API_ID.write(self, self._settings, api.ref)
        WrittenDown.API_ROOT_ID.write(self, self._settings, api.attr_root_resource_id)
        CfnOutput(Stack.of(self), "ApiId", value=api.ref)
        self._add_name()

    def _add_name(self) -> None:
        """A name of the API's own, if the stage has one; compute maps the API to it."""
        deployment = self._settings.deployment
        if not deployment.api_domain_name:
            return
        place = Construct(self, "Name")
        domain = apigateway.DomainName(
            place,
            "Domain",
            domain_name=deployment.api_domain_name,
            certificate=acm.Certificate.from_certificate_arn(
                place, "Certificate", deployment.api_certificate_arn
            ),
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        add_records(
            place,
            deployment,
            deployment.api_domain_name,
            route53_targets.ApiGatewayDomain(domain),
            ipv6=False,
        )

    def _make_failed_runs(self, operation: str) -> None:
        queue = self._queue(
            f"{operation}-failed",
            failed_runs(self._settings, operation),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
        )
        stack = Stack.of(self)
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RunsThatCouldNotBeStarted",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {
                        "aws:SourceArn": stack.format_arn(
                            service="events",
                            resource="rule",
                            resource_name=schedule_name(self._settings, operation),
                        )
                    }
                },
            )
        )

    def _make_dead_letters(self, operation: str, key: kms.IKey | None) -> None:
        # They hold what the ledger holds, and so they are encrypted by the same key.
        queue = self._queue(
            f"{operation}-dead-letters",
            dead_letters_queue(self._settings, operation),
            encryption=sqs.QueueEncryption.SQS_MANAGED if key is None else sqs.QueueEncryption.KMS,
            key=key,
        )
        if operation == PARKS_ITSELF:
            WrittenDown.DEAD_LETTERS_URL.write(self, self._settings, queue.queue_url)

    def _queue(
        self,
        construct_id: str,
        name: str,
        *,
        encryption: sqs.QueueEncryption,
        key: kms.IKey | None = None,
    ) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            construct_id,
            queue_name=name,
            encryption=encryption,
            encryption_master_key=key,
            data_key_reuse=None if key is None else Duration.hours(1),
            enforce_ssl=True,
            retention_period=_KEPT,
            removal_policy=self._removal_policy,
        )
        accept(queue, {"SQS3": "What is in it is looked at by a person, whom an alarm tells."})
        return queue

    def _make_alarm_topic(self) -> None:
        """Where alarms go, and who hears them.

        Not encrypted with a key: CloudWatch cannot use the one that AWS manages for SNS, and there
        is no secret in an alarm's name.
        """
        topic = sns.Topic(self, "Alarms", topic_name=_topic_name(self._settings), enforce_ssl=True)
        topic.apply_removal_policy(self._removal_policy)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        self._add_budget(topic)
        hears = self._settings.deployment.alarms_to
        if hears.startswith("https://"):
            topic.add_subscription(subscriptions.UrlSubscription(hears))
        elif hears:
            topic.add_subscription(subscriptions.EmailSubscription(hears))

    def _add_budget(self, topic: sns.Topic) -> None:
        """Tell the same people when the account is about to cost more than was meant."""
        amount = self._settings.monthly_budget_usd
        if amount is None:
            return
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="BudgetOfThisAccount",
                principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        budget = budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self._settings.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=amount, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(
                            address=topic.topic_arn, subscription_type="SNS"
                        )
                    ],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
        # Budgets sends a message to the topic when it is made, and has to be allowed to.
        budget.node.add_dependency(topic)


def _topic_name(settings: StageSettings) -> str:
    return f"{settings.prefix}-alarms"


def _access_log_name(settings: StageSettings) -> str:
    return f"/aws/apigateway/{settings.prefix}"
