"""The Python client, in front of an API that answers as it is told."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import httpx
import pytest

import till_client
from infra.openapi_examples import RESPONSES
from tests import document
from till_client import Intents, InvalidRequest, NoAnswer, Problem, Till, models, problems
from till_client.retries import RetryTransport

if TYPE_CHECKING:
    from pathlib import Path

    from tests.document import JsonObject

CUSTOMER: Final = UUID("c0000000-0000-4000-8000-000000000003")
PRODUCT: Final = UUID("d0000000-0000-4000-8000-000000000003")
Answer = httpx.Response | httpx.TransportError


class Api(httpx.BaseTransport):
    """Gives prepared answers, and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = [*answers]
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    @property
    def keys(self) -> list[str]:
        return [request.headers["Idempotency-Key"] for request in self.requests]


class Breaks(httpx.SyncByteStream):
    """A body that ends too early."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"id": '
        raise httpx.RemoteProtocolError("the peer closed the connection")


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def good(operation: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=RESPONSES[operation])


def refused(
    status: int, slug: str, *, after: str | None = None, **members: object
) -> httpx.Response:
    body = {
        "type": f"urn:problem-type:till:{slug}",
        "title": "A title",
        "status": status,
        "detail": "A detail.",
        "correlation_id": "c-1",
        **members,
    }
    headers = {"Content-Type": "application/problem+json"}
    return httpx.Response(
        status,
        content=json.dumps(body),
        headers=headers | ({"Retry-After": after} if after else {}),
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Till, Api]]]:
    """A client, and the API that it talks to."""
    opened: list[Till] = []
    original = RetryTransport.__init__

    def with_clock(self: RetryTransport, inner: httpx.BaseTransport, **settings: float) -> None:
        patience = settings["patience_seconds"]
        original(
            self,
            inner,
            patience_seconds=patience,
            sleep=clock.sleep,
            monotonic=lambda: clock.now,
        )

    monkeypatch.setattr(RetryTransport, "__init__", with_clock)

    def make(*answers: Answer, intents: Intents | None = None) -> tuple[Till, Api]:
        api = Api(*answers)
        till = Till("https://till.test/v1/", lambda: "t-1", intents=intents, transport=api)
        opened.append(till)
        return till, api

    yield make
    for till in opened:
        till.close()


Connect = Callable[..., tuple[Till, Api]]


def test_every_operation_has_a_method_of_its_name() -> None:
    methods = {name for name, _ in inspect.getmembers(Till, inspect.isfunction) if name[0] != "_"}
    operations = {str(operation["operationId"]) for operation in document.operations()}
    assert methods - {"close"} == operations - {"head_health"}


def test_every_method_that_moves_money_takes_an_intent() -> None:
    keyed = {
        str(operation["operationId"])
        for operation in document.operations()
        if "Idempotency-Key" in json.dumps(operation["parameters"])
    }
    taking = {
        name
        for name, method in inspect.getmembers(Till, inspect.isfunction)
        if "intent" in inspect.signature(method).parameters
    }
    assert taking == keyed


def test_a_request_is_as_the_document_says(connect: Connect) -> None:
    till, api = connect(good("grant_credit", 201))
    change = till.grant_credit(CUSTOMER, 4000, "Welcome", intent="welcome")
    assert (change.balance.available, change.entry.kind) == (4000, models.EntryKind.GRANT)
    (request,) = api.requests
    assert str(request.url) == f"https://till.test/v1/customers/{CUSTOMER}/credit/grants"
    assert request.headers["Authorization"] == "Bearer t-1"
    assert json.loads(request.content) == {"amount": 4000, "reason": "Welcome"}


def test_what_is_not_given_is_left_out_and_not_null(connect: Connect) -> None:
    till, api = connect(good("create_purchase", 201), good("refund_purchase", 201))
    till.create_purchase(CUSTOMER, PRODUCT, intent="order")
    till.refund_purchase(PRODUCT, "Broken", intent="refund")
    assert [json.loads(request.content) for request in api.requests] == [
        {"product_id": str(PRODUCT), "quantity": 1},
        {"reason": "Broken"},
    ]


def test_a_patch_sends_what_is_changed_and_null_where_it_removes(connect: Connect) -> None:
    till, api = connect(good("update_promo_code"))
    change = models.UpdatePromoCodeRequest(max_redemptions=5, valid_until=None)
    till.update_promo_code("AUTUMN-10", change, version=1)
    (request,) = api.requests
    assert json.loads(request.content) == {"max_redemptions": 5, "valid_until": None}
    assert request.headers["If-Match"] == '"1"'


# Intents


def test_an_intent_has_one_key_and_another_intent_another(connect: Connect) -> None:
    till, api = connect(*(good("create_purchase", 201) for _ in range(3)))
    till.create_purchase(CUSTOMER, PRODUCT, intent="order 1")
    till.create_purchase(CUSTOMER, PRODUCT, intent="order 1")
    till.create_purchase(CUSTOMER, PRODUCT, intent="order 2")
    first, again, other = api.keys
    assert first == again != other


def test_a_key_is_stored_before_the_request_is_sent(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "intents.sqlite"
    till, api = connect(*[httpx.ReadTimeout("late")] * 30, intents=Intents(path))
    with pytest.raises(NoAnswer):
        till.create_purchase(CUSTOMER, PRODUCT, intent="order 1")
    # Another process, after a crash.
    later, later_api = connect(good("create_purchase", 201), intents=Intents(path))
    later.create_purchase(CUSTOMER, PRODUCT, intent="order 1")
    assert {*api.keys} == {*later_api.keys}


def test_a_renewed_intent_is_a_new_request(connect: Connect) -> None:
    failed = refused(502, "shipment-failed", attempt_id="a-1")
    till, api = connect(failed, good("create_purchase", 201))
    with pytest.raises(till_client.ShipmentFailed) as caught:
        till.create_purchase(CUSTOMER, PRODUCT, intent="order 1")
    assert caught.value.attempt_id == "a-1"
    till.intents.renew("order 1")
    till.create_purchase(CUSTOMER, PRODUCT, intent="order 1")
    first, second = api.keys
    assert first != second


# Retries


@pytest.mark.parametrize(
    ("status", "slug"), [(503, "busy"), (429, "too-many-requests"), (409, "request-in-flight")]
)
def test_the_same_request_is_sent_again_when_the_api_says(
    connect: Connect, clock: Clock, status: int, slug: str
) -> None:
    till, api = connect(refused(status, slug, after="3"), good("create_purchase", 201))
    till.create_purchase(CUSTOMER, PRODUCT, intent="order")
    assert clock.slept == [3]
    first, second = api.requests
    assert first.content == second.content
    assert len({*api.keys}) == 1


def test_a_date_in_retry_after_is_understood(connect: Connect, clock: Clock) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    till, _ = connect(refused(503, "busy", after=at), good("get_credit"))
    till.get_credit(CUSTOMER)
    assert 17 < clock.slept[0] <= 20


def test_a_balance_of_an_earlier_time_is_asked_for_with_its_offset(connect: Connect) -> None:
    till, api = connect(good("get_credit"), good("get_credit"))
    till.get_credit(CUSTOMER, at=datetime(2026, 11, 22, 17, 36, tzinfo=UTC))
    till.get_credit(CUSTOMER)
    assert [dict(request.url.params) for request in api.requests] == [
        {"at": "2026-11-22T17:36:00+00:00"},
        {},
    ]


def test_a_problem_without_retry_after_is_raised_immediately(connect: Connect) -> None:
    till, api = connect(refused(503, "busy"))
    with pytest.raises(Problem, match="A detail"):
        till.get_credit(CUSTOMER)
    assert len(api.requests) == 1


def test_patience_ends(connect: Connect, clock: Clock) -> None:
    till, _ = connect(*[refused(503, "busy", after="25") for _ in range(5)])
    with pytest.raises(Problem) as caught:
        till.get_credit(CUSTOMER)
    assert caught.value.slug == "busy"
    assert clock.slept == [25, 25]


def test_without_an_answer_it_is_sent_again_with_growing_pauses(
    connect: Connect, clock: Clock
) -> None:
    till, api = connect(
        httpx.ReadTimeout("late"), httpx.ConnectError("no"), good("create_purchase", 201)
    )
    till.create_purchase(CUSTOMER, PRODUCT, intent="order")
    assert len({*api.keys}) == 1
    assert 0.25 <= clock.slept[0] <= 0.5 <= clock.slept[1] <= 1


@pytest.mark.parametrize("status", [201, 500])
def test_an_answer_that_breaks_off_is_no_answer(
    connect: Connect, clock: Clock, status: int
) -> None:
    till, api = connect(
        httpx.Response(status, stream=Breaks()),
        httpx.Response(
            201, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip")
        ),
        good("create_purchase", 201),
    )
    till.create_purchase(CUSTOMER, PRODUCT, intent="order")
    assert len({*api.keys}) == 1
    assert len(clock.slept) == 2


@pytest.mark.parametrize("body", ["<html>", "{}", '{"id": 1}', "[]", "null"])
def test_a_success_that_is_not_of_this_api_is_no_answer(connect: Connect, body: str) -> None:
    till, _ = connect(httpx.Response(201, content=body))
    with pytest.raises(NoAnswer):
        till.create_purchase(CUSTOMER, PRODUCT, intent="order")


def test_a_wrong_argument_is_not_taken_for_an_answer(connect: Connect) -> None:
    till, api = connect(good("get_credit"))
    till.get_credit(CUSTOMER)
    with pytest.raises(AttributeError):
        till.get_credit(CUSTOMER, at="yesterday")  # type: ignore[arg-type]
    assert len(api.requests) == 1


def test_a_write_without_a_key_is_not_sent_again(connect: Connect) -> None:
    new = models.CreatePromoCodeRequest(
        code="NEW", discount=models.FixedDiscountRequest(type_="fixed", amount=5)
    )
    till, api = connect(httpx.ReadTimeout("late"), refused(503, "busy", after="1"))
    with pytest.raises(NoAnswer):
        till.create_promo_code(new)
    with pytest.raises(Problem):
        till.create_promo_code(new)
    assert len(api.requests) == 2
    limited, limited_api = connect(
        refused(429, "too-many-requests", after="1"), good("create_promo_code", 201)
    )
    limited.create_promo_code(new)
    assert len(limited_api.requests) == 2


# Lists


def test_a_list_is_read_page_by_page_when_it_is_needed(connect: Connect) -> None:
    entry = RESPONSES["list_entries"]["items"]
    pages = [
        httpx.Response(200, json={"items": entry, "next_cursor": cursor}) for cursor in ("c1", None)
    ]
    till, api = connect(*pages)
    entries = till.list_entries(CUSTOMER)
    assert api.requests == []
    next(entries)
    assert len(api.requests) == 1
    assert len([*entries]) == 1
    assert [dict(request.url.params) for request in api.requests] == [
        {"limit": "50"},
        {"limit": "50", "cursor": "c1"},
    ]


# Problems


def test_a_problem_says_all_it_knows(connect: Connect) -> None:
    errors = [{"field": "amount", "message": "must be greater than 0"}]
    till, _ = connect(refused(400, "invalid-request", errors=errors))
    with pytest.raises(InvalidRequest) as caught:
        till.grant_credit(CUSTOMER, 0, "r", intent="i")
    problem = caught.value
    assert (problem.status, problem.slug, problem.correlation_id) == (400, "invalid-request", "c-1")
    assert [(e.field, e.message) for e in problem.errors] == [("amount", "must be greater than 0")]


def examples() -> Iterator[JsonObject]:
    """Every problem of the document."""
    for operation in document.operations():
        responses = operation["responses"]
        assert isinstance(responses, dict)
        for status, response in responses.items():
            assert isinstance(response, dict)
            if status[0] != "2" and "content" in response:
                (media_type,) = response["content"].values()  # type: ignore[union-attr]
                assert isinstance(media_type, dict)
                example = media_type["example"]
                assert isinstance(example, dict)
                yield example


def test_every_class_reads_its_members_from_the_api_s_own_problems(connect: Connect) -> None:
    seen = set()
    for example in examples():
        # API Gateway's own may lack it.
        status = example.get("status", 502)
        assert isinstance(status, int)
        till, _ = connect(httpx.Response(status, json=example))
        with pytest.raises(Problem) as caught:
            till.get_credit(CUSTOMER)
        problem = caught.value
        seen.add(problem.slug)
        for name, member in inspect.getmembers(type(problem)):
            if isinstance(member, property):
                assert getattr(problem, name) is not None
    assert seen >= {"insufficient-credit", "stale-version", "shipment-failed", "invalid-request"}


def test_a_problem_of_the_gateway_has_no_status_in_its_body(connect: Connect) -> None:
    body = {"type": "urn:problem-type:till:refused", "title": "The request was refused"}
    till, _ = connect(httpx.Response(403, json=body))
    with pytest.raises(till_client.NotAllowed) as caught:
        till.get_credit(CUSTOMER)
    assert (caught.value.status, caught.value.slug) == (403, "refused")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b"\xff"])
def test_an_answer_of_something_else_is_no_answer(connect: Connect, body: bytes) -> None:
    till, _ = connect(httpx.Response(502, content=body))
    with pytest.raises(NoAnswer):
        till.create_purchase(CUSTOMER, PRODUCT, intent="order")


def test_the_classes_are_the_problems_of_the_api() -> None:
    slugs = {str(example["type"]).rpartition(":")[2] for example in examples()}
    unseen = {"amount-above-limit", "promo-code-refused", "refund-amount-changed", "total-changed"}
    assert problems.BY_SLUG.keys() - unseen <= slugs
