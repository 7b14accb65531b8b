from __future__ import annotations

import json
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from infra import gateway_problems
from tests.infra.synthesized import Synthesized, synthesize
from tests.infra.templates import Json, Resource, arn_of, as_list, render
from till.http import problem as problems
from till.http import routes
from till.http.routes import AUTHORIZER, ROUTES, SCHEDULED_OPERATIONS, STREAM_OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

OPERATIONS = [
    *routes.OPERATIONS,
    *SCHEDULED_OPERATIONS,
    *STREAM_OPERATIONS,
    AUTHORIZER,
]
STAGE_VARIABLES = {
    "local": {
        "TILL_UPSTREAM_URL": "http://127.0.0.1:9000/api",
        "TILL_TOKEN_ISSUER": "http://127.0.0.1:9000/issuer",
        "TILL_TOKEN_JWKS_URL": "http://127.0.0.1:9000/issuer/jwks",
        "TILL_UPSTREAM_READ_TIMEOUT_SECONDS": "8",
        "TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS": "8",
        "TILL_PENDING_EXPIRY_SECONDS": "30",
        "TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS": "5",
    },
    "prod": {
        "TILL_UPSTREAM_URL": "https://shop.example.com/api",
        "TILL_TOKEN_ISSUER": "https://shop.example.com/issuer",
        "TILL_TOKEN_JWKS_URL": "https://shop.example.com/issuer/jwks",
        "TILL_UPSTREAM_READ_TIMEOUT_SECONDS": "3",
        "TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS": "10",
        "TILL_PENDING_EXPIRY_SECONDS": "60",
        "TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS": "300",
    },
}


def test_there_is_one_function_for_each_operation(synthesized: Synthesized) -> None:
    functions = synthesized.compute.functions()
    assert sorted(functions) == sorted(OPERATIONS)
    for operation, function in functions.items():
        name = f"till-{synthesized.stage}-{operation.replace('_', '-')}"
        assert function.properties["FunctionName"] == name
        assert function.properties["Handler"] == "handler.lambda_handler"
        assert function.properties["Runtime"] == "python3.13"
        machine = "arm64" if synthesized.settings.is_aws else "x86_64"
        assert function.properties["Architectures"] == [machine]


def test_those_that_people_wait_for_have_more_cpu(synthesized: Synthesized) -> None:
    sizes = {
        operation: function.properties["MemorySize"]
        for operation, function in synthesized.compute.functions().items()
    }
    waiting = {"create_purchase", "recover_attempts", "publish_events", "watch_ledger"}
    assert {name for name, size in sizes.items() if size == 512} == waiting
    assert {sizes[name] for name in sizes.keys() - waiting} == {1024}


def test_every_function_has_the_layers_and_the_authorizer_has_one_more(
    synthesized: Synthesized,
) -> None:
    layers = {
        one.properties["Description"]: one.logical_id
        for one in synthesized.compute.all("AWS::Lambda::LayerVersion")
    }
    assert len(layers) == 3
    machine = "arm64" if synthesized.settings.is_aws else "x86_64"
    for one in synthesized.compute.all("AWS::Lambda::LayerVersion"):
        assert one.properties["CompatibleArchitectures"] == [machine]
    identity = layers.pop("What verifies access tokens.")
    for operation, function in synthesized.compute.functions().items():
        carried = {one["Ref"] for one in function.properties["Layers"]}
        wanted = {*layers.values()} | ({identity} if operation == AUTHORIZER else set())
        assert carried == wanted


def test_only_what_the_table_calls_public_is_reached_without_the_authorizer(
    synthesized: Synthesized,
) -> None:
    compute = synthesized.compute
    authorizer = compute.one("AWS::ApiGateway::Authorizer")
    assert authorizer.properties["Type"] == "TOKEN"
    assert authorizer.properties["IdentitySource"] == "method.request.header.Authorization"
    public = {(route.method, route.path) for route in ROUTES if not route.roles}
    assert {path for _, path in public} == {"/health", "/openapi.json", "/.well-known/jwks.json"}
    methods = compute.methods()
    assert len(methods) == len(ROUTES)
    for place, method in methods.items():
        if place in public:
            assert method.properties["AuthorizationType"] == "NONE"
            assert "AuthorizerId" not in method.properties
        else:
            assert method.properties["AuthorizationType"] == "CUSTOM"
            assert method.properties["AuthorizerId"] == {"Ref": authorizer.logical_id}


def test_there_is_no_setting_in_which_nobody_verifies_tokens(synthesized: Synthesized) -> None:
    for function in synthesized.compute.functions().values():
        variables = function.properties["Environment"]["Variables"]
        assert variables["TILL_IDENTITY_FROM"] == "authorizer"


def test_every_function_is_told_all_that_it_needs(synthesized: Synthesized) -> None:
    stage = synthesized.stage
    for operation, function in synthesized.compute.functions().items():
        further = set[str]()
        if operation == "publish_events":
            further = {"TILL_EVENT_BUS", "TILL_DEAD_LETTERS_URL"}
        if operation in {"watch_ledger", "get_credit"}:
            further = {"TILL_JOURNAL"}
        if operation in {"get_statement", "get_signing_keys"}:
            further = {"TILL_SIGNING_KEY"}
        variables = function.properties["Environment"]["Variables"]
        assert further <= variables.keys()
        assert {name: variables[name] for name in variables.keys() - further} == {
            "TILL_STAGE": stage,
            "TILL_LEDGER_TABLE": f"till-{stage}-ledger",
            "TILL_PURCHASES_TABLE": f"till-{stage}-purchases",
            "TILL_CUSTOMER_INDEX_TABLE": f"till-{stage}-customer-index",
            "TILL_SHIPMENTS_IDEMPOTENT": "false",
            "TILL_FREE_PRODUCTS": "false",
            "TILL_UPSTREAM_SECRET": f"till-{stage}-upstream",
            "TILL_UNKNOWN_DEADLINE_SECONDS": "86400",
            "TILL_DISPLAY_MAX_AGE_SECONDS": "5",
            "TILL_DISPLAY_STALE_IF_ERROR_SECONDS": "300",
            "TILL_IDENTITY_FROM": "authorizer",
            "TILL_TOKEN_AUDIENCE": "https://till.example/api",
            "TILL_TOKEN_ROLES_CLAIM": "roles",
            "TILL_TOKEN_CUSTOMER_CLAIM": "customer_id",
            "TILL_SUPPORT_LIMIT_MINOR": "50000",
            "POWERTOOLS_SERVICE_NAME": "till",
            "POWERTOOLS_METRICS_NAMESPACE": "Till",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "PYDANTIC_DISABLE_PLUGINS": "1",
            **STAGE_VARIABLES[stage],
        }


def test_the_routes_are_those_of_the_table(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    functions = {one.logical_id: name for name, one in compute.functions().items()}
    deployed = {route: functions[target] for route, target in compute.routes().items()}
    assert deployed == {(route.method, route.path): route.operation for route in ROUTES}


def test_the_timeouts_are_in_the_right_order(synthesized: Synthesized) -> None:
    methods = synthesized.compute.all("AWS::ApiGateway::Method")
    gateway = {one.properties["Integration"]["TimeoutInMillis"] / 1000 for one in methods}
    assert gateway == {29}
    for function in synthesized.compute.functions().values():
        variables = function.properties["Environment"]["Variables"]
        read = int(variables["TILL_UPSTREAM_READ_TIMEOUT_SECONDS"])
        carrier = int(variables["TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS"])
        run = function.properties["Timeout"]
        assert carrier < run < min(gateway)
        # Room for the reads before, and for step 4 after.
        assert read + carrier + 3 <= run
        assert int(variables["TILL_PENDING_EXPIRY_SECONDS"]) > run


def test_every_method_hands_the_whole_request_to_its_function(synthesized: Synthesized) -> None:
    for method in synthesized.compute.all("AWS::ApiGateway::Method"):
        assert method.properties["Integration"]["Type"] == "AWS_PROXY"
        assert method.properties["Integration"]["IntegrationHttpMethod"] == "POST"


def test_only_the_api_and_the_schedule_may_call_a_function(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    permissions = compute.all("AWS::Lambda::Permission")
    # Lambda itself follows the stream, and needs no permission from the function.
    scheduled = [*SCHEDULED_OPERATIONS, "watch_ledger"]
    assert len(permissions) == len(ROUTES) + len(scheduled) + len([AUTHORIZER])
    stage = compute.one("AWS::ApiGateway::Stage").logical_id
    operations = {one.logical_id: name for name, one in compute.functions().items()}
    allowed = {
        (
            operations[compute.called(permission.properties["FunctionName"])],
            permission.properties["Principal"],
            render(permission.properties["SourceArn"]).rpartition(":<ApiId>")[2],
        )
        for permission in permissions
    }
    authorizer = compute.one("AWS::ApiGateway::Authorizer").logical_id
    gateway = "apigateway.amazonaws.com"
    assert allowed == {
        *(
            (operation, "events.amazonaws.com", _schedule(synthesized, operation).arn)
            for operation in scheduled
        ),
        (AUTHORIZER, gateway, f"/authorizers/<{authorizer}>"),
        *(
            (route.operation, gateway, f"/<{stage}>/{route.method}{_with_wildcards(route.path)}")
            for route in ROUTES
        ),
    }


def _with_wildcards(path: str) -> str:
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))


def test_every_function_keeps_its_log_for_a_while(synthesized: Synthesized) -> None:
    days = {"local": 1, "prod": 365}[synthesized.stage]
    groups = synthesized.compute.all("AWS::Logs::LogGroup")
    assert len(groups) >= len(OPERATIONS)
    assert {group.properties["RetentionInDays"] for group in groups} == {days}
    # API Gateway would make this one itself otherwise, and keep it without end.
    names = {render(group.properties["LogGroupName"]) for group in groups}
    execution = "API-Gateway-Execution-Logs_<ApiId>/v1"
    assert (execution in names) is synthesized.settings.is_aws


@pytest.mark.parametrize("metric", ["Errors", "Duration"])
def test_every_function_has_an_alarm_on_each_metric(synthesized: Synthesized, metric: str) -> None:
    compute = synthesized.compute
    alarms = [
        one
        for one in compute.all("AWS::CloudWatch::Alarm")
        if (one.properties.get("Namespace"), one.properties.get("MetricName"))
        == ("AWS/Lambda", metric)
    ]
    watched = {one.properties["Dimensions"][0]["Value"]["Ref"]: one for one in alarms}
    assert len(alarms) == len(watched)
    functions = {
        one.logical_id: one
        for operation, one in compute.functions().items()
        # To API Gateway, who is not known is an error of the authorizer: anybody can cause one.
        if (operation, metric) != (AUTHORIZER, "Errors")
    }
    assert watched.keys() == functions.keys()
    for logical_id, alarm in watched.items():
        assert alarm.properties["TreatMissingData"] == "notBreaching"
        if metric == "Duration":
            timeout = functions[logical_id].properties["Timeout"] * 1000
            assert alarm.properties["Statistic"] == "Maximum"
            assert timeout / 2 < alarm.properties["Threshold"] < timeout
        else:
            assert alarm.properties["Statistic"] == "Sum"
            assert alarm.properties["Threshold"] == 1


def test_on_aws_somebody_hears_every_alarm(prod: Synthesized) -> None:
    (topic,) = prod.data.all("AWS::SNS::Topic")
    for alarm in prod.compute.all("AWS::CloudWatch::Alarm"):
        (action,) = alarm.properties["AlarmActions"]
        assert render(action) == arn_of("sns", topic.properties["TopicName"])


def failed_runs(synthesized: Synthesized) -> str:
    """The name of the queue of the recovery's failed runs, which is in the data stack."""
    name = f"till-{synthesized.stage}-recover-attempts-failed"
    queues = synthesized.data.all("AWS::SQS::Queue")
    assert name in {one.properties["QueueName"] for one in queues}
    return name


def _is_about(alarm: Resource, queue: str) -> bool:
    return any(one["Value"] == queue for one in alarm.properties.get("Dimensions", []))


def _schedule(synthesized: Synthesized, operation: str) -> Resource:
    name = f"till-{synthesized.stage}-{operation.replace('_', '-')}"
    (rule,) = (
        one
        for one in synthesized.compute.all("AWS::Events::Rule")
        if one.properties["Name"] == name
    )
    return rule


def test_everything_is_audited_every_minute(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    rule = _schedule(synthesized, "watch_ledger")
    assert rule.properties["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule.properties["Targets"]
    assert compute.called(target["Arn"]) == compute.functions()["watch_ledger"].logical_id
    (late,) = (
        one.properties
        for one in compute.all("AWS::CloudWatch::Alarm")
        if one.properties.get("MetricName") == "AuditRoundSeconds"
    )
    assert late["Threshold"] == 7 * 24 * 3600
    # Without a run there is no measure.
    assert late["TreatMissingData"] == "breaching"


def test_dead_attempts_are_looked_for_every_minute(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    rule = _schedule(synthesized, "recover_attempts")
    assert rule.properties["ScheduleExpression"] == "rate(1 minute)"
    assert rule.properties["State"] == "ENABLED"
    (target,) = rule.properties["Targets"]
    function = compute.functions()["recover_attempts"]
    queue = failed_runs(synthesized)
    assert compute.called(target["Arn"]) == function.logical_id
    assert render(target["DeadLetterConfig"]["Arn"]) == arn_of("sqs", queue)
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1}


def test_a_failed_run_is_not_repeated_but_kept(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    runs = compute.one("AWS::Lambda::EventInvokeConfig").properties
    queue = failed_runs(synthesized)
    assert runs["FunctionName"] == {"Ref": compute.functions()["recover_attempts"].logical_id}
    # Of the alias, if there is one: that is what the schedule calls.
    assert runs["Qualifier"] == ("live" if synthesized.settings.is_aws else "$LATEST")
    assert runs["MaximumRetryAttempts"] == 0
    assert runs["MaximumEventAgeInSeconds"] == 60
    assert render(runs["DestinationConfig"]["OnFailure"]["Destination"]) == arn_of("sqs", queue)


def test_a_schedule_that_fails_or_falls_silent_rings(synthesized: Synthesized) -> None:
    compute = synthesized.compute
    alarms = {
        one.properties["MetricName"]: one.properties
        for one in compute.all("AWS::CloudWatch::Alarm")
        if one.properties.get("MetricName") == "Invocations"
        or _is_about(one, failed_runs(synthesized))
    }
    silent = alarms["Invocations"]
    assert silent["Dimensions"][0]["Value"] == {
        "Ref": compute.functions()["recover_attempts"].logical_id
    }
    assert silent["ComparisonOperator"] == "LessThanThreshold"
    assert silent["TreatMissingData"] == "breaching"
    failed = alarms["ApproximateNumberOfMessagesVisible"]
    assert failed["Threshold"] == 1
    assert failed["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def _gateway_problems(synthesized: Synthesized) -> dict[str, tuple[Resource, Json]]:
    return {
        one.properties["ResponseType"]: (
            one,
            json.loads(one.properties["ResponseTemplates"]["application/json"]),
        )
        for one in synthesized.data.all("AWS::ApiGateway::GatewayResponse")
    }


def test_the_gateway_speaks_in_problems_too(synthesized: Synthesized) -> None:
    found = _gateway_problems(synthesized)
    assert found.keys() >= {"MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX"}
    for resource, document in found.values():
        headers = resource.properties["ResponseParameters"]
        media_type = headers["gatewayresponse.header.Content-Type"]
        assert media_type == f"'{problems.PROBLEM_CONTENT_TYPE}'"
        assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'"
        assert document["correlation_id"] == "$context.requestId"
        assert document.keys() >= {"type", "title", "detail"}
        # What API Gateway would say by itself is about itself.
        assert "$context.error" not in str(document)
        if "StatusCode" in resource.properties:
            assert document["status"] == int(resource.properties["StatusCode"])


@pytest.mark.parametrize(
    ("response_type", "problem"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", problems.ROUTE_NOT_FOUND),
        ("REQUEST_TOO_LARGE", problems.BODY_TOO_LARGE),
        ("DEFAULT_5XX", problems.UNEXPECTED),
    ],
)
def test_the_gateway_says_the_same_things_in_the_same_words_as_the_functions(
    synthesized: Synthesized, response_type: str, problem: problems.Problem
) -> None:
    _, document = _gateway_problems(synthesized)[response_type]
    theirs = problem.response("$context.requestId").model_dump(mode="json", exclude_none=True)
    assert document == {name: theirs[name] for name in document}


def test_a_deployment_has_all_of_the_gateways_problems(
    local: Synthesized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take effect with a deployment, so it is made after them, and again when one changes."""
    manifest = json.loads((local.assembly / "manifest.json").read_text())
    assert "till-local-data" in manifest["artifacts"]["till-local-compute"]["dependencies"]
    first, *others = gateway_problems._PROBLEMS
    changed = replace(first, detail="Another sentence.")
    monkeypatch.setattr(gateway_problems, "_PROBLEMS", (changed, *others))
    again = synthesize("local", "http://127.0.0.1:9000/api", tmp_path)
    kind = "AWS::ApiGateway::Deployment"
    assert again.compute.one(kind).logical_id != local.compute.one(kind).logical_id


def test_the_stage_is_v1(synthesized: Synthesized) -> None:
    stage = synthesized.compute.one("AWS::ApiGateway::Stage")
    assert stage.properties["StageName"] == "v1"


def test_on_aws_the_door_is_watched_and_not_too_wide(prod: Synthesized) -> None:
    stage = prod.compute.one("AWS::ApiGateway::Stage").properties
    assert json.loads(stage["AccessLogSetting"]["Format"])["request_id"] == "$context.requestId"
    assert stage["AccessLogSetting"]["DestinationArn"]
    (settings,) = stage["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == 100
    assert settings["ThrottlingBurstLimit"] == 200
    # Requests that fail leave a line; whole requests and answers do not belong in a log.
    assert settings["LoggingLevel"] == "ERROR"
    assert settings["DataTraceEnabled"] is False


def test_the_output_is_where_the_api_is(synthesized: Synthesized) -> None:
    # And nothing that another stack reads: this one goes without it.
    assert set(synthesized.compute.document["Outputs"]) == {"ApiUrl"}


def test_there_is_no_data_in_the_compute_stack(synthesized: Synthesized) -> None:
    kinds = {one.type for one in synthesized.compute.all()}
    assert not {kind for kind in kinds if kind.startswith(("AWS::DynamoDB", "AWS::S3"))}
    # No queue, topic or API either: what others know, or look into, is in the data stack.
    assert not kinds & {"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::ApiGateway::RestApi"}
    # And nothing in it outlives its destruction. Versions go when their function does.
    kept = {
        one.type
        for one in synthesized.compute.all()
        if one.document.get("DeletionPolicy") == "Retain"
    }
    assert kept <= {"AWS::Lambda::Version"}


def _names(value: object) -> set[str]:
    """What a part of a template refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case {"DependsOn": str(other), **rest}:
            return {other, *_names(rest)}
        case {"DependsOn": list(others), **rest}:
            return {*others, *_names(rest)}
        case dict():
            return {name for one in value.values() for name in _names(one)}
        case list():
            return {name for one in value for name in _names(one)}
    return set()


def test_cloudformation_finds_an_order_to_make_it_in(synthesized: Synthesized) -> None:
    """Aliases wait for alarms, which look at the API, whose methods call the aliases."""
    resources = synthesized.compute.document["Resources"]
    graph = {name: _names(one) & resources.keys() for name, one in resources.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)
    # CloudFormation takes 500 in a stack.
    assert len(resources) < 475


def test_the_settings_of_the_recovery_s_runs_come_after_what_they_name(prod: Synthesized) -> None:
    runs = prod.compute.one("AWS::Lambda::EventInvokeConfig")
    aliases = {one.logical_id for one in prod.compute.all("AWS::Lambda::Alias")}
    assert aliases & set(as_list(runs.document["DependsOn"]))
