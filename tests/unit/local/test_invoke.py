"""What ``make invoke`` sends, and what it says when it cannot."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from local import invoke
from local.invoke import Answer, InvokeError, Target, describe, emulated, event_for, parse

CUSTOMER = "c0000000-0000-4000-8000-000000000003"
CALLER = {"subject": "rita", "roles": "support", "customer_id": "", "expires_at": "2000000000"}


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Target:
    """A stage whose people have tokens, and whose authorizer lets Rita read and not write."""

    def answer(_: Target, operation: str, event: dict[str, Any]) -> Answer:
        assert operation == "authorize_request"
        assert event["authorizationToken"] == "Bearer token-of-rita"
        arn = "arn:aws:execute-api:us-east-1:000000000000:invoke/v1/GET/customers/*/credit"
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": [arn]}
        policy = {"policyDocument": {"Statement": [statement]}, "context": CALLER}
        return Answer(json.dumps(policy), "", None, 0.1)

    monkeypatch.setattr(invoke, "_token", lambda _, given: f"token-of-{given['AS']}")
    monkeypatch.setattr(invoke, "setting", lambda *_: "authorizer")
    monkeypatch.setattr(invoke, "call", answer)
    return emulated("local", "http://127.0.0.1:1")


def test_a_request_is_as_api_gateway_sends_it(target: Target) -> None:
    given = {"OPERATION": "get_credit", "AS": "rita", "CUSTOMER": CUSTOMER, "QUERY": "a=1&a=2&b="}
    event: dict[str, Any] = event_for(target, given)
    assert event["resource"] == "/customers/{customer_id}/credit"
    assert event["path"] == f"/customers/{CUSTOMER}/credit"
    assert event["httpMethod"] == "GET"
    assert event["pathParameters"] == {"customer_id": CUSTOMER}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert event["headers"]["Authorization"] == "Bearer token-of-rita"
    assert event["requestContext"]["authorizer"] == CALLER
    assert (event["body"], event["isBase64Encoded"]) == (None, False)


def test_a_body_is_sent_as_bytes_with_a_key_of_its_own(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoke, "authorize", lambda *_: CALLER)
    body = '{"amount": 1, "reason": "it\'s só"}'
    given = {"OPERATION": "grant_credit", "AS": "rita", "CUSTOMER": CUSTOMER, "BODY": body}
    event: dict[str, Any] = event_for(target, given)
    assert base64.b64decode(event["body"]).decode() == body
    assert event["isBase64Encoded"] is True
    keys = {event_for(target, given)["headers"]["Idempotency-Key"] for _ in range(2)}  # type: ignore[call-overload, index]
    assert len(keys) == 2
    again: dict[str, Any] = event_for(target, {**given, "KEY": "mine"})
    assert again["headers"]["Idempotency-Key"] == "mine"


def test_what_is_public_is_asked_without_a_token(target: Target) -> None:
    event: dict[str, Any] = event_for(target, {"OPERATION": "get_health"})
    assert "Authorization" not in event["headers"]
    assert "authorizer" not in event["requestContext"]


def test_a_caller_whom_the_authorizer_stops_is_told(target: Target) -> None:
    given = {"OPERATION": "list_purchases", "AS": "rita"}
    with pytest.raises(InvokeError, match="None of this caller's roles allows GET /purchases"):
        event_for(target, given)


def test_what_a_path_needs_is_named(target: Target) -> None:
    with pytest.raises(InvokeError, match=r"get_customer_purchase also needs PURCHASE=\."):
        event_for(target, {"OPERATION": "get_customer_purchase", "AS": "rita", "CUSTOMER": "1"})


def test_a_function_without_route_or_stream_gets_a_scheduled_event(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = target.functions()
    monkeypatch.setattr(Target, "functions", lambda _: client)
    with Stubber(client) as stubber:
        stubber.add_response(
            "list_event_source_mappings",
            {"EventSourceMappings": []},
            {"FunctionName": "till-local-recover-attempts"},
        )
        event: dict[str, Any] = event_for(target, {"OPERATION": "recover_attempts"})
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == [
        "arn:aws:events:us-east-1:000000000000:rule/till-local-recover-attempts"
    ]


def test_on_aws_the_alias_is_called_and_its_log_and_error_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    target = Target("prod", emulated("x", "").session, None)
    assert target.name("get_health") == "till-prod-get-health:live"
    client = target.functions()
    monkeypatch.setattr(Target, "functions", lambda _: client)
    with Stubber(client) as stubber:
        stubber.add_response(
            "invoke",
            {
                "Payload": io.BytesIO(b'{"errorMessage": "no"}'),
                "FunctionError": "Unhandled",
                "LogResult": base64.b64encode(b"START\n\nEND\n").decode(),
            },
            {"FunctionName": "till-prod-get-health:live", "LogType": "Tail", "Payload": ANY},
        )
        answer = invoke.call(target, "get_health", {})
    assert answer.error == "Unhandled"
    told = describe(answer)
    assert "failed   Unhandled" in told
    assert "  START\n  END\n" in told
    assert '"errorMessage": "no"' in told


def test_an_answer_of_the_api_is_its_status_and_its_document() -> None:
    payload = json.dumps({"statusCode": 200, "body": '{"available": 4000}'})
    assert describe(Answer(payload, "a line\n", None, 0.0123)).splitlines() == [
        "status   200",
        "answer",
        "{",
        '    "available": 4000',
        "}",
        "log",
        "  a line",
        "duration 12 ms",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Pass OPERATION= with one of "),
        (["OPERATION=burn_credit"], "Pass OPERATION= with one of "),
        (["OPERATION=get_credit", "CUSTOMRE=1"], "CUSTOMRE is not known: pass some of AS, "),
    ],
)
def test_what_makes_no_sense_is_one_sentence(arguments: list[str], said: str) -> None:
    with pytest.raises(InvokeError, match=said):
        parse(arguments)


def test_an_empty_value_is_none() -> None:
    assert parse(["OPERATION=get_health", "AS="]) == {"OPERATION": "get_health"}
