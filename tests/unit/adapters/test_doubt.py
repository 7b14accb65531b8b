"""What DynamoDB, or something between it and us, answers: proven, or in doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tests.unit.fakes import NOON, FakeDeadline
from till.adapters.dynamodb.client import CALL_SECONDS, client_for
from till.adapters.dynamodb.store import DynamoStore
from till.domain.account import Account
from till.domain.actor import Actor
from till.domain.ledger import Cause
from till.domain.money import Money
from till.services.ports.accounts import AppendChange
from till.services.ports.store_errors import StoreUnreadableError, UnconfirmedCommitError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CAUSE = Cause(actor=Actor("a"), at=NOON, reason="r", idempotency_key="k")


class Stub:
    """A client whose every call raises, or answers, the same."""

    def __init__(self, outcome: object) -> None:
        self._outcome = outcome
        self.calls = 0

    def __getattr__(self, _: str) -> Callable[..., object]:
        def call(**_: object) -> object:
            self.calls += 1
            if isinstance(self._outcome, Exception):
                raise self._outcome
            return self._outcome

        return call


def refused(code: str, *reasons: str, status: int = 400) -> ClientError:
    answer: dict[str, object] = {
        "Error": {"Code": code, "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    if reasons:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(answer, "TransactWriteItems")  # type: ignore[arg-type]


IN_DOUBT: dict[str, object] = {
    "5xx without JSON": refused("503", status=503),
    "InternalFailure": refused("InternalFailure", status=500),
    "InternalServerError": refused("InternalServerError", status=500),
    "ServiceUnavailableException": refused("ServiceUnavailableException", status=503),
    "Throttling": refused("Throttling"),
    "ThrottlingException": refused("ThrottlingException"),
    "RequestLimitExceeded": refused("RequestLimitExceeded"),
    "ExpiredTokenException": refused("ExpiredTokenException"),
    "UnrecognizedClientException": refused("UnrecognizedClientException"),
    "TransactionInProgress": refused("TransactionInProgressException"),
    "an unknown error code": refused("SomethingNewException", status=418),
    "a condition": refused("TransactionCanceledException", "ConditionalCheckFailed", "None"),
    "a conflict": refused("TransactionCanceledException", "None", "TransactionConflict"),
    "cancelled without reasons": refused("TransactionCanceledException"),
    "connection closed": ConnectionClosedError(endpoint_url="x"),
    "no connection": EndpointConnectionError(endpoint_url="x"),
    "read timeout": ReadTimeoutError(endpoint_url="x"),
    "no credentials": NoCredentialsError(),
    "credentials expired": CredentialRetrievalError(provider="x", error_msg="y"),
    "a body that cannot be parsed": ResponseParserError("x"),
    "a body of the wrong shape": AttributeError("'list' object has no attribute 'get'"),
    "HTML with status 200": {"ResponseMetadata": {"HTTPStatusCode": 200}},
    "a list with status 200": [],
}
FINAL: dict[str, Exception] = {
    "access denied": refused("AccessDeniedException"),
    "validation": refused("ValidationException"),
    "no table": refused("ResourceNotFoundException"),
    "another token": refused("IdempotentParameterMismatchException"),
    "an item that is too large": refused("TransactionCanceledException", "ValidationError"),
    "our own parameters": ParamValidationError(report="x"),
}


def store_over(stub: Stub) -> DynamoStore:
    return DynamoStore(
        lambda _: cast("DynamoDBClient", stub), ledger_table="ledger", purchases_table="purchases"
    )


@pytest.mark.parametrize("outcome", IN_DOUBT.values(), ids=IN_DOUBT)
def test_what_proves_nothing_is_in_doubt(outcome: object) -> None:
    write = AppendChange(Account.empty(uuid4()).grant(Money(1), CAUSE))
    with pytest.raises(UnconfirmedCommitError):
        store_over(Stub(outcome)).commit(write)


READS: dict[str, Callable[[DynamoStore], object]] = {
    "query": lambda store: store.account(uuid4()),
    "get": lambda store: store.attempt(uuid4()),
    "batch get": lambda store: store.attempts((uuid4(),)),
    "index": lambda store: store.accounts(before=None, limit=1),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("outcome", IN_DOUBT.values(), ids=IN_DOUBT)
def test_a_read_without_a_genuine_answer_is_repeated(
    outcome: object, read: Callable[[DynamoStore], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("till.adapters.dynamodb.tables._READ_PAUSE_SECONDS", 0.0)
    stub = Stub(outcome)
    with pytest.raises(StoreUnreadableError):
        read(store_over(stub))
    assert stub.calls >= 3


@pytest.mark.parametrize("error", FINAL.values(), ids=FINAL)
def test_our_own_mistakes_are_not_repeated(error: Exception) -> None:
    stub = Stub(error)
    with pytest.raises(type(error)):
        store_over(stub).commit(AppendChange(Account.empty(uuid4()).grant(Money(1), CAUSE)))
    with pytest.raises(type(error)):
        store_over(stub).account(uuid4())
    assert stub.calls == 2


def test_a_genuine_answer_says_what_it_consumed() -> None:
    store = store_over(Stub({"ConsumedCapacity": {}, "Items": []}))
    customer_id = uuid4()
    assert store.account(customer_id) == Account.empty(customer_id)


def test_keys_that_are_never_processed_end_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("till.services.shared.in_parallel.time.sleep", pauses.append)
    left = {"purchases": {"Keys": [{"pk": {"S": "x"}}]}}
    stub = Stub({"ConsumedCapacity": [], "Responses": {}, "UnprocessedKeys": left})
    with pytest.raises(StoreUnreadableError):
        store_over(stub).attempts((uuid4(),))
    assert stub.calls == 8
    assert len(pauses) == 7


def test_no_read_is_repeated_after_the_deadline() -> None:
    stub = Stub(refused("ThrottlingException"))
    with pytest.raises(StoreUnreadableError):
        store_over(stub).within(FakeDeadline(0)).account(uuid4())
    assert stub.calls == 1


@pytest.mark.parametrize(
    ("left", "limit"), [(25.0, 3.0), (3.0, 3.0), (2.9, 1.0), (0.5, 0.3), (0.0, 0.3), (-1.0, 0.3)]
)
def test_a_call_takes_no_longer_than_is_left(
    monkeypatch: pytest.MonkeyPatch, left: float, limit: float
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert limit in CALL_SECONDS
    config = vars(client_for(left).meta.config)["_user_provided_options"]
    assert config["connect_timeout"] + config["read_timeout"] == pytest.approx(limit)
