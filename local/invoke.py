"""Calls one function directly, with the event that AWS would send it: ``make invoke``.

``python -m local.invoke NAME=VALUE ...``. The function's operation decides what the event is: a
request as API Gateway passes it on, a run of the schedule, or a record of the ledger table's
stream. docs/invoking.md has an example of each.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl, quote
from uuid import uuid4

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.emulator import ACCOUNT, REGION, emulator_session
from local.endpoints import Endpoints
from local.errors import StartError, tell
from local.issuer import CALL_SECONDS, token_form
from local.paths import ROOT, SHARED, State

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
LOCALSTACK_URL: Final = "http://127.0.0.1:4566"
TOKEN_VARIABLE: Final = "TILL_TOKEN"  # noqa: S105 - where one may be, and not one
AUTHORIZER: Final = "authorize_request"
BASE_PATH: Final = "v1"
ALIAS: Final = "live"
NAMES: Final = frozenset(
    {
        *("OPERATION", "AS", "TARGET", "BODY", "QUERY", "KEY", "IF_MATCH", "VERSION"),
        *("CUSTOMER", "PRODUCT", "PURCHASE", "ATTEMPT", "CODE"),
    }
)


class InvokeError(StartError):
    """Why nothing was called, or what the authorizer said, in one sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """The functions of one stage."""

    stage: str
    session: boto3.Session
    url: str | None
    """The emulator's; None on AWS itself."""

    @property
    def region(self) -> str:
        """Where it is."""
        return self.session.region_name or REGION

    def name(self, operation: str) -> str:
        """The name of an operation's function; on AWS of the alias that callers call."""
        name = f"till-{self.stage}-{operation.replace('_', '-')}"
        return name if self.url is not None else f"{name}:{ALIAS}"

    def functions(self) -> LambdaClient:
        """The client for the functions. It calls once: a repeated call could ship twice."""
        config = Config(read_timeout=60, retries={"total_max_attempts": 1})
        return self.session.client("lambda", endpoint_url=self.url, config=config)


@dataclass(frozen=True, slots=True)
class Route:
    """How an operation is reached, by the OpenAPI document."""

    method: str
    path: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered, what it logged, and how long it took."""

    payload: str
    log: str
    error: str | None
    """What Lambda calls the error, if the function failed."""
    seconds: float


def main() -> int:
    """Call, and print what came back; the status says whether the function succeeded."""
    try:
        given = parse(sys.argv[1:])
        target = target_for(given.get("TARGET", "local"))
        event = event_for(target, given)
        answer = call(target, given["OPERATION"], event)
    except (StartError, BotoCoreError, ClientError, httpx.HTTPError) as error:
        tell(error if isinstance(error, StartError) else InvokeError(str(error)))
        return 1
    print(describe(answer), flush=True)
    return 0 if answer.error is None else 1


def parse(arguments: Iterable[str]) -> dict[str, str]:
    """What the command line says.

    Raises:
        InvokeError: it is not valid.
    """
    given: dict[str, str] = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in NAMES:
            raise InvokeError(f"{name} is not known: pass some of {', '.join(sorted(NAMES))}.")
        if value:
            given[name] = value
    operations = sorted(folder.name for folder in (ROOT / "functions").iterdir())
    if given.get("OPERATION") not in operations:
        raise InvokeError(f"Pass OPERATION= with one of {', '.join(operations)}.")
    return given


def target_for(name: str) -> Target:
    """The stage of that name: one on this machine, or one on AWS.

    Raises:
        InvokeError: it does not run, or the region is not set.
    """
    if name == "local":
        path = State(SHARED).endpoints
        if not path.exists():
            raise InvokeError("Nothing runs in this checkout: start it with make run.")
        return emulated(name, Endpoints.read(path).aws_endpoint_url)
    if name == "localstack":
        return emulated(name, os.environ.get("AWS_URL", LOCALSTACK_URL))
    session = boto3.Session()
    if session.region_name is None:
        raise InvokeError(f"Set AWS_REGION to the region of stage {name}.")
    return Target(name, session, None)


def emulated(stage: str, url: str) -> Target:
    """A stage in an emulator."""
    return Target(stage, emulator_session(), url)


def event_for(target: Target, given: Mapping[str, str]) -> dict[str, Json]:
    """The event of an operation.

    Raises:
        InvokeError: something that it is made of is missing.
    """
    operation = given["OPERATION"]
    route = routes().get(operation)
    if route is not None:
        return _request(target, route, given)
    if operation == AUTHORIZER:
        return _authorization(target, "GET", "/customers", _token(target, given))
    name = target.name(operation)
    mappings = target.functions().list_event_source_mappings(FunctionName=name)
    if mappings["EventSourceMappings"]:
        return _stream_event(target, operation, given)
    return _scheduled(target, operation)


def routes() -> dict[str, Route]:
    """How each operation of the API is reached."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return {
        operation["operationId"]: Route(method.upper(), path, not operation.get("security"))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _request(target: Target, route: Route, given: Mapping[str, str]) -> dict[str, Json]:
    """A request as API Gateway passes it on: bodies in base64, the caller by the authorizer."""
    parts = {
        part[1:-1]: given.get(part[1:-1].removesuffix("_id").upper(), "")
        for part in route.path.split("/")
        if part.startswith("{")
    }
    missing = [name.removesuffix("_id").upper() for name, value in parts.items() if not value]
    if missing:
        raise InvokeError(f"{given['OPERATION']} also needs {', '.join(f'{n}=' for n in missing)}.")
    path = route.path.format(**{name: quote(value, safe="") for name, value in parts.items()})
    headers = {"Accept": "application/json", "User-Agent": "make invoke"}
    context: dict[str, Json] = {
        "stage": BASE_PATH,
        "path": f"/{BASE_PATH}{path}",
        "resourcePath": route.path,
        "httpMethod": route.method,
        "requestId": str(uuid4()),
        "identity": {"sourceIp": "127.0.0.1", "userAgent": headers["User-Agent"]},
    }
    if not route.is_public:
        token = _token(target, given)
        headers["Authorization"] = f"Bearer {token}"
        if setting(target, given["OPERATION"], "TILL_IDENTITY_FROM") == "authorizer":
            context["authorizer"] = authorize(target, route.method, path, token)
    if route.method != "GET":
        headers["Content-Type"] = "application/json"
        headers["Idempotency-Key"] = given.get("KEY") or f"invoke-{uuid4()}"
    if "IF_MATCH" in given:
        headers["If-Match"] = given["IF_MATCH"]
    query = parse_qsl(given.get("QUERY", ""), keep_blank_values=True)
    body = given.get("BODY")
    return {
        "resource": route.path,
        "path": path,
        "httpMethod": route.method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": {
            name: [value for other, value in query if other == name] for name, _ in query
        }
        or None,
        "pathParameters": dict(parts) or None,
        "stageVariables": None,
        "requestContext": context,
        "body": None if body is None else base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": body is not None,
    }


def authorize(target: Target, method: str, path: str, token: str) -> dict[str, Json]:
    """Ask the authorizer, as API Gateway does; gives back the caller that it found.

    Raises:
        InvokeError: it does not let the caller pass.
    """
    event = _authorization(target, method, path, token)
    answer = call(target, AUTHORIZER, event)
    document = json.loads(answer.payload)
    if answer.error is not None:
        raise InvokeError(f"The authorizer refused the token: {document.get('errorMessage')}.")
    allowed = [
        resource
        for statement in document["policyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        for resource in statement["Resource"]
    ]
    if not any(_matches(pattern, str(event["methodArn"])) for pattern in allowed):
        raise InvokeError(f"None of this caller's roles allows {method} {path}.")
    caller: dict[str, Json] = document["context"]
    return caller


def _authorization(target: Target, method: str, path: str, token: str) -> dict[str, Json]:
    return {
        "type": "TOKEN",
        "authorizationToken": f"Bearer {token}",
        "methodArn": f"arn:aws:execute-api:{target.region}:{ACCOUNT}:invoke/{BASE_PATH}/"
        f"{method}{path}",
    }


def _matches(pattern: str, arn: str) -> bool:
    """Whether a resource of a policy is this one; ``*`` stands for one part of a path here."""
    parts, wanted = pattern.split("/"), arn.split("/")
    return len(parts) == len(wanted) and all(
        part in ("*", one) for part, one in zip(parts, wanted, strict=True)
    )


def _token(target: Target, given: Mapping[str, str]) -> str:
    """An access token: on AWS the one in ``TILL_TOKEN``, else of the person that ``AS`` names."""
    if target.url is None:
        token = os.environ.get(TOKEN_VARIABLE, "")
        if not token:
            raise InvokeError(f"Set {TOKEN_VARIABLE} to an access token for stage {target.stage}.")
        return token
    person = given.get("AS")
    if not person:
        raise InvokeError("Pass AS= with who calls: rita, amir, chiara or shop.")
    issuer = setting(target, given["OPERATION"], "TILL_TOKEN_ISSUER")
    answer = httpx.post(
        f"{issuer}/token", data=token_form(person), timeout=CALL_SECONDS, trust_env=False
    )
    if answer.status_code != httpx.codes.OK:
        raise InvokeError(f"The identity provider knows no {person}: try rita, amir, chiara, shop.")
    token = answer.json()["access_token"]
    return str(token)


def setting(target: Target, operation: str, name: str) -> str:
    """What a function is told by its environment."""
    configuration = target.functions().get_function_configuration(
        FunctionName=target.name(operation)
    )
    return configuration["Environment"]["Variables"][name]


def _scheduled(target: Target, operation: str) -> dict[str, Json]:
    rule = f"till-{target.stage}-{operation.replace('_', '-')}"
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": target.region,
        "resources": [f"arn:aws:events:{target.region}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def _stream_event(target: Target, operation: str, given: Mapping[str, str]) -> dict[str, Json]:
    """The record that the stream had for a version of an account, made from the table."""
    customer, version = given.get("CUSTOMER"), given.get("VERSION", "1")
    if not customer or not version.isdecimal():
        raise InvokeError(
            f"{operation} follows the ledger: pass CUSTOMER= and VERSION=, a version of their "
            "account such as 1."
        )
    table = setting(target, operation, "TILL_LEDGER_TABLE")
    client = target.session.client("dynamodb", endpoint_url=target.url)
    # docs/data-model.md: what the keys of the ledger look like.
    pk, sk = f"ACCOUNT#{customer}", f"VERSION#{int(version):016d}"
    item = client.get_item(
        TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
    ).get("Item")
    if item is None:
        raise InvokeError(f"Customer {customer} has no version {version} of an account.")
    return {
        "Records": [
            {
                "eventID": uuid4().hex,
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": target.region,
                "dynamodb": {
                    "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
                    "NewImage": json.loads(json.dumps(item)),
                    "SequenceNumber": "1",
                    "StreamViewType": "NEW_IMAGE",
                },
            }
        ]
    }


def call(target: Target, operation: str, event: Mapping[str, Json]) -> Answer:
    """Call a function, and wait for its end."""
    began = time.perf_counter()
    answer = target.functions().invoke(
        FunctionName=target.name(operation), LogType="Tail", Payload=json.dumps(event).encode()
    )
    payload = answer["Payload"].read().decode()
    seconds = time.perf_counter() - began
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    return Answer(payload, log, answer.get("FunctionError"), seconds)


def describe(answer: Answer) -> str:
    """The answer, the log and the duration, for a person."""
    document: Json = json.loads(answer.payload or "null")
    lines = []
    if isinstance(document, dict) and "statusCode" in document:
        lines.append(f"status   {document['statusCode']}")
        body = str(document.get("body") or "")
        if document.get("isBase64Encoded"):
            body = base64.b64decode(body).decode()
        document = json.loads(body) if body else None
    if answer.error is not None:
        lines.append(f"failed   {answer.error}")
    lines += ["answer", json.dumps(document, indent=4, ensure_ascii=False), "log"]
    lines += [f"  {line}" for line in answer.log.splitlines() if line.strip()]
    lines.append(f"duration {answer.seconds * 1000:.0f} ms")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
