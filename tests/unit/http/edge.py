"""Calls the real handlers with events as API Gateway makes them."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tests import document
from till.domain.money import Money
from till.http.admission import AdmissionPolicy
from till.http.identity import Caller
from till.http.routes import Role, Route

if TYPE_CHECKING:
    from till.http.events import Event


@dataclass
class Context:
    aws_request_id: str = "request-1"
    function_name: str = "f"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn"

    def get_remaining_time_in_millis(self) -> int:
        return 25_000


def policy() -> AdmissionPolicy:
    return AdmissionPolicy(support_limit=Money(500_00), tokens=None)


ME = UUID("c0000000-0000-4000-8000-000000000001")
FAR_FUTURE = 4_000_000_000


def caller(*roles: Role, customer_id: UUID | None = None) -> Caller:
    return Caller(
        subject="anna", roles=frozenset(roles), customer_id=customer_id, expires_at=FAR_FUTURE
    )


ADMIN = caller(Role.ADMIN)


def handler(operation: str) -> ModuleType:
    module = importlib.import_module(f"functions.{operation}.handler")
    is_public = not hasattr(module, "entry_point")
    module.__dict__["tested_handler"] = (
        module.lambda_handler if is_public else module.entry_point(module.app, policy, lambda: None)
    )
    return module


def event(
    route: Route,
    *,
    body: str | None,
    headers: dict[str, str] | None = None,
    who: Caller | None = ADMIN,
) -> Event:
    path = route.path.replace("{", "").replace("}", "")
    for name in ("customer_id", "product_id", "purchase_id", "attempt_id"):
        path = path.replace(name, str(uuid4()))
    path = path.replace("/code", "/SUMMER-10")
    all_headers = {"Idempotency-Key": "k", "Content-Type": "application/json"} | (headers or {})
    return {
        "httpMethod": route.method,
        "path": path,
        "resource": route.path,
        "headers": {**all_headers},
        "multiValueHeaders": {name: [value] for name, value in all_headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "stage": "v1",
            "path": f"/v1{path}",
            "requestId": "r",
            **({"authorizer": {**who.context(), "principalId": who.subject}} if who else {}),
        },
        "body": body,
        "isBase64Encoded": False,
    }


def call(event_: Event, operation: str) -> tuple[int, dict[str, object]]:
    answer = handler(operation).tested_handler(event_, Context())
    headers = answer["multiValueHeaders"]
    assert headers["X-Correlation-Id"] == ["request-1"]
    assert headers["Content-Type"] == ["application/problem+json"]
    first = {name: values[0] for name, values in headers.items()}
    path = str(event_["path"]).removeprefix("/v1")
    document.check(str(event_["httpMethod"]), path, answer["statusCode"], first, answer["body"])
    body = json.loads(answer["body"])
    assert body["status"] == answer["statusCode"]
    assert body["correlation_id"] == "request-1"
    return answer["statusCode"], body


def fields(body: dict[str, object]) -> set[str]:
    listed = body["errors"]
    assert isinstance(listed, list)
    return {error["field"] for error in listed}
