"""Input that is refused before any use case sees it, through the real handlers."""

from __future__ import annotations

import base64
import io
import json
from uuid import UUID, uuid4

import pytest

from tests.unit.http.edge import ADMIN, ME, Context, call, caller, event, fields, handler
from till import bootstrap
from till.domain.account import (
    BalanceLimitError,
    InsufficientCreditError,
    TooManyOpenAttemptsError,
    UnresolvedAttemptError,
)
from till.domain.errors import TillError
from till.domain.instant import TimeInFutureError
from till.domain.ledger import LedgerCorruptError
from till.domain.money import AmountOutOfBoundsError, Money
from till.domain.promo import (
    InvalidPromoTermsError,
    PromoCodeDeactivatedError,
    PromoCodeExistsError,
    PromoCodeNotFoundError,
    PromoCodeRefusedError,
    PromoRestriction,
    StaleVersionError,
)
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    AttemptStillPendingError,
    CarrierAnsweredOtherwiseError,
    NoOrphanShipmentError,
    OrphanAlreadyClosedError,
    RefundAmountChangedError,
    RefundExceedsPurchaseError,
    RefundQuantityExceededError,
    ShipmentIdTakenError,
    TotalChangedError,
)
from till.domain.statement import OutsidePeriodError, PeriodReversedError
from till.http.admission import UnknownRouteError
from till.http.app import logger
from till.http.body import MAX_BODY_BYTES
from till.http.cursor import InvalidCursorError
from till.http.identity import (
    Caller,
    IdentityUnavailableError,
    NotAllowedError,
    NotAuthenticatedError,
)
from till.http.preconditions import InvalidIfMatchError, PreconditionRequiredError
from till.http.problem import UNEXPECTED
from till.http.problems import problem_for
from till.http.routes import ROUTES, Role, Route
from till.services.errors import (
    AttemptNotFoundError,
    PurchaseNotFoundError,
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.signing import SigningUnavailableError
from till.services.ports.store_errors import (
    BusyError,
    InconsistentReadError,
    StoreUnreadableError,
    UnansweredCommitError,
    UnconfirmedCommitError,
)
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.amount_limit import AmountAboveLimitError
from till.services.shared.idempotency import IdempotencyKeyReusedError

GRANT = next(route for route in ROUTES if route.operation == "grant_credit")
KEYLESS = {"create_quote", "create_refund_quote", "create_promo_code", "deactivate_promo_code"}
"""They move no money."""
POSTS = [r for r in ROUTES if r.method == "POST" and r.operation not in KEYLESS]
GOOD = '{"amount": 5, "reason": "r"}'


@pytest.mark.parametrize(
    ("amount"),
    ["0", "-1", "1.0", "1.5", "1e2", '"5"', "true", "null", "[]", "{}", str(10**12), "1e400"],
)
def test_an_amount_is_a_positive_integer(amount: str) -> None:
    body = f'{{"amount": {amount}, "reason": "r"}}'
    status, problem = call(event(GRANT, body=body), "grant_credit")
    assert (status, fields(problem)) == (400, {"amount"})


@pytest.mark.parametrize(
    "reason",
    [
        *("", " ", "\t", "\n", "\u00a0", "\u2028", "\u0301", "x" * 501),
        # Control characters.
        *("a\u0000b", "a\tb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b"),
        # Invisible letters alone: zero width, fillers, an empty Braille cell, private use.
        *("\u200b", "\u2060", "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufeff", "\ue000"),
        *("\u3164 \u200b\n\u2800", "\ufffe"),
        # Bidirectional controls, which make a text look like another.
        *("a\u202eb", "a\u2066b", "a\u200fb", "a\u061cb", "a\u202ab", "a\u2069b"),
    ],
    ids=ascii,
)
def test_a_reason_is_visible_text(reason: str) -> None:
    body = json.dumps({"amount": 5, "reason": reason})
    status, problem = call(event(GRANT, body=body), "grant_credit")
    assert (status, fields(problem)) == (400, {"reason"})


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "nonsense",
        "[]",
        "5",
        '"text"',
        "null",
        '{"amount": NaN, "reason": "r"}',
        '{"amount": Infinity, "reason": "r"}',
        '{"amount": 5, "amount": 6, "reason": "r"}',
        "[" * 8000,
        GOOD + GOOD,
        "\ufeff" + GOOD,
        '{"amount": 5, "reason": "\ufffd"}',
        '{"amount": 5, "reason": "\\ud83d"}',
        '{"amount": 1e99999999999999999999, "reason": "r"}',
        '{"amount": ' + "9" * 10_000 + ', "reason": "r"}',
        '{"amount": 5, "reason": "r", "x": [{"y": 1, "y": 2}]}',
        '{"amount": 5, "reason": "' + chr(0xDC80) + '"}',
    ],
)
def test_a_body_is_one_unambiguous_json_object(body: str | None) -> None:
    status, problem = call(event(GRANT, body=body), "grant_credit")
    assert (status, fields(problem)) == (400, {"body"})


@pytest.mark.parametrize("raw", [b"\xff\xfe{}", b'{"amount": 5, "reason": "\xe9"}'])
def test_bytes_that_are_not_utf_8_are_refused(raw: bytes) -> None:
    sent = event(GRANT, body=base64.b64encode(raw).decode())
    sent["isBase64Encoded"] = True
    status, problem = call(sent, "grant_credit")
    assert (status, fields(problem)) == (400, {"body"})


def test_what_is_missing_or_unknown_is_named() -> None:
    status, problem = call(event(GRANT, body='{"amount": 5, "note": 1}'), "grant_credit")
    assert (status, fields(problem)) == (400, {"reason", "note"})


def test_a_huge_body_is_refused() -> None:
    body = json.dumps({"amount": 5, "reason": "x" * MAX_BODY_BYTES})
    assert call(event(GRANT, body=body), "grant_credit")[0] == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_other_content_is_refused(kind: str) -> None:
    sent = event(GRANT, body=GOOD, headers={"Content-Type": kind})
    assert call(sent, "grant_credit")[0] == 415


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.operation)
@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "schlüssel", "tab\t"])
def test_every_post_needs_an_idempotency_key(route: Route, key: str) -> None:
    sent = event(route, body="{}", headers={"Idempotency-Key": key})
    status, problem = call(sent, route.operation)
    assert status == 400
    assert "idempotency-key" in {name.lower() for name in fields(problem)}


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.operation)
def test_a_missing_idempotency_key_is_named(route: Route) -> None:
    sent = event(route, body="{}")
    for name in ("headers", "multiValueHeaders"):
        headers = sent[name]
        assert isinstance(headers, dict)
        del headers["Idempotency-Key"]
    status, problem = call(sent, route.operation)
    assert status == 400
    assert "idempotency-key" in {name.lower() for name in fields(problem)}


WITH_ID = [route for route in ROUTES if "_id}" in route.path]


@pytest.mark.parametrize("route", WITH_ID, ids=lambda route: route.operation)
@pytest.mark.parametrize(
    "bad",
    ["x", "123", "{3fa85f64-5717-4562-b3fc-2c963f66afa6}", "3fa85f6457174562b3fc2c963f66afa6"],
)
def test_an_id_is_a_uuid_in_its_usual_spelling(route: Route, bad: str) -> None:
    sent = event(route, body="{}")
    path = route.path
    for name in ("customer_id", "product_id", "purchase_id", "attempt_id"):
        path = path.replace(f"{{{name}}}", bad)
    sent["path"] = path
    status, problem = call(sent, route.operation)
    assert status == 400
    assert fields(problem) & {"customer_id", "product_id", "purchase_id", "attempt_id"}


LISTS = [r for r in ROUTES if r.operation.startswith("list_")]


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.operation)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "1.5"),
        ("limit", "x"),
        ("limt", "5"),
        ("cursor", "x"),
        ("cursor", "WzEsIngiXQ"),
        ("cursor", "é"),
        ("cursor", "x" * 600),
    ],
)
def test_a_query_is_checked_to_the_letter(route: Route, name: str, value: str) -> None:
    sent = event(route, body=None)
    sent["queryStringParameters"] = {name: value}
    sent["multiValueQueryStringParameters"] = {name: [value]}
    status, problem = call(sent, route.operation)
    assert (status, fields(problem)) == (400, {name})


GUARDED = [route for route in ROUTES if route.roles]


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation)
def test_without_an_authorizer_nobody_is_known(route: Route) -> None:
    # As if a route had been deployed without it: no header can take its place.
    headers = {"X-Till-Actor": "admin", "Authorization": "Bearer of.all.evil"}
    assert call(event(route, body=GOOD, headers=headers, who=None), route.operation)[0] == 401


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation)
def test_only_the_roles_of_the_table_get_in(route: Route, role: Role) -> None:
    status, problem = call(event(route, body="{", who=caller(role)), route.operation)
    if role in route.roles:
        assert status not in {401, 403}, problem
    else:
        assert (status, str(problem["type"]).rpartition(":")[2]) == (403, "not-allowed")
        assert all(needed.value in str(problem["detail"]) for needed in route.roles)


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation)
def test_nobody_gets_in_without_a_role(route: Route) -> None:
    assert call(event(route, body=GOOD, who=caller()), route.operation)[0] == 403


OWN = [route for route in GUARDED if "{customer_id}" in route.path and Role.CUSTOMER in route.roles]


@pytest.mark.parametrize("own", [ME, None], ids=["another's", "without a customer"])
@pytest.mark.parametrize("route", OWN, ids=lambda route: route.operation)
def test_a_customer_finds_nobody_else(route: Route, own: UUID | None) -> None:
    body = json.dumps({"product_id": str(uuid4()), "quantity": 1})
    sent = event(route, body=body, who=caller(Role.CUSTOMER, customer_id=own))
    status, problem = call(sent, route.operation)
    assert (status, str(problem["type"]).rpartition(":")[2]) == (404, "customer-not-found")


@pytest.mark.parametrize("route", OWN, ids=lambda route: route.operation)
def test_a_customer_gets_through_to_their_own(route: Route) -> None:
    body = json.dumps({"product_id": str(uuid4()), "quantity": 1})
    sent = event(route, body=body, who=caller(Role.CUSTOMER, customer_id=ME))
    path = str(sent["path"]).split("/")
    path[2] = str(ME).upper()
    sent["path"] = "/".join(path)
    assert call(sent, route.operation)[0] == 500, "the use case was reached"


def test_a_rep_who_is_also_a_customer_buys_for_nobody_else() -> None:
    route = next(route for route in OWN if route.operation == "create_purchase")
    body = json.dumps({"product_id": str(uuid4()), "quantity": 1})
    who = caller(Role.CUSTOMER, Role.SUPPORT, customer_id=ME)
    assert call(event(route, body=body, who=who), route.operation)[0] == 404


def test_an_authorizer_s_answer_that_outlived_its_token_is_not_believed() -> None:
    late = Caller(
        subject="anna", roles=frozenset({Role.ADMIN}), customer_id=None, expires_at=1_000_000_000
    )
    assert call(event(GRANT, body=GOOD, who=late), "grant_credit")[0] == 401


@pytest.mark.parametrize(
    "broken",
    [
        {"subject": "a b"},
        {"subject": ""},
        {"roles": "king"},
        {"customer_id": "me"},
        {"expires_at": "never"},
    ],
    ids=str,
)
def test_a_context_that_is_not_ours_is_not_believed(broken: dict[str, str]) -> None:
    sent = event(GRANT, body=GOOD, who=None)
    context = sent["requestContext"]
    assert isinstance(context, dict)
    context["authorizer"] = {**ADMIN.context(), **broken}
    assert call(sent, "grant_credit")[0] == 401


def test_under_a_name_of_its_own_the_api_has_the_same_routes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """API Gateway then tells the base path, too, in the path and in nothing else."""

    def unknown_customer() -> None:
        raise CustomerNotFoundError

    monkeypatch.setattr(bootstrap, "adjust_credit", unknown_customer)
    sent = event(GRANT, body=GOOD)
    for path in (sent["path"], f"/v1{sent['path']}"):
        status, problem = call({**sent, "path": path}, "grant_credit")
        assert (status, problem["type"]) == (404, "urn:problem-type:till:customer-not-found")
    status, problem = call({**sent, "path": f"/v1x{sent['path']}"}, "grant_credit")
    assert problem["type"] == "urn:problem-type:till:route-not-found"


@pytest.mark.parametrize(
    ("body", "who", "outcome", "error"),
    [
        (GOOD, None, "not-authenticated", "NotAuthenticatedError"),
        (GOOD, caller(Role.CUSTOMER, customer_id=ME), "not-allowed", "NotAllowedError"),
        ("{}", ADMIN, "invalid-request", "RequestValidationError"),
        (GOOD, ADMIN, "customer-not-found", "CustomerNotFoundError"),
    ],
)
def test_the_one_line_of_a_request_says_how_it_ended(
    monkeypatch: pytest.MonkeyPatch, body: str, who: Caller | None, outcome: str, error: str
) -> None:
    def unknown_customer() -> None:
        raise CustomerNotFoundError

    stream = io.StringIO()
    logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]
    monkeypatch.setattr(bootstrap, "adjust_credit", unknown_customer)
    call(event(GRANT, body=body, who=who), "grant_credit")
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["message"], line["outcome"], line["error"]) == ("request", outcome, error)
    assert line["duration_ms"] >= 0


def test_an_unexpected_error_leaks_nothing_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("secret street 5")

    stream = io.StringIO()
    logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]
    monkeypatch.setattr(bootstrap, "adjust_credit", fail)
    status, problem = call(event(GRANT, body=GOOD), "grant_credit")
    assert status == 500
    assert "secret" not in json.dumps(problem)
    logged = stream.getvalue()
    assert "secret" not in logged
    assert '"correlation_id":"request-1"' in logged.replace(" ", "")
    assert "RuntimeError" in logged
    assert json.loads(capsys.readouterr().out)["UnexpectedErrors"] == [1]


def all_errors() -> list[type[TillError]]:
    found, left = [], [TillError]
    while left:
        error = left.pop()
        left += error.__subclasses__()
        found.append(error)
    return found


def test_every_error_that_a_caller_can_cause_has_its_row() -> None:
    """A new error without a row would be a 500."""
    usd = Money(5)
    made: list[TillError] = [
        CustomerNotFoundError(),
        ProductNotFoundError(),
        PurchaseNotFoundError(),
        AttemptNotFoundError(),
        AmountOutOfBoundsError(),
        AmountAboveLimitError(amount=usd, limit=usd),
        InvalidCursorError(),
        NotAllowedError(frozenset({Role.ADMIN})),
        IdentityUnavailableError(),
        UnknownRouteError(),
        InsufficientCreditError(needed=usd, available=usd),
        BalanceLimitError(),
        TotalChangedError(expected=usd, total=usd),
        RefundExceedsPurchaseError(requested=None, refundable=usd),
        RefundAmountChangedError(expected=usd, amount=usd),
        RefundQuantityExceededError(refundable_quantity=1),
        PromoCodeNotFoundError(),
        PromoCodeExistsError(),
        PromoCodeDeactivatedError(),
        StaleVersionError(version=2),
        TimeInFutureError("to"),
        PeriodReversedError(),
        OutsidePeriodError(),
        SigningUnavailableError(),
        InvalidPromoTermsError(field="valid_until", message="must be later"),
        *(PromoCodeRefusedError(code="X", restriction=r) for r in PromoRestriction),
        PreconditionRequiredError(),
        InvalidIfMatchError(),
        AttemptAlreadyResolvedError(state="VOIDED"),
        AttemptStillPendingError(state="UNKNOWN"),
        UnresolvedAttemptError(attempt_id=uuid4()),
        IdempotencyKeyReusedError(),
        RequestInFlightError(retry_after_seconds=2),
        *(
            ShipmentFailedError(
                attempt_id=uuid4(), message="m", parcel_possible=possible, replayed=True
            )
            for possible in (False, True)
        ),
        ShipmentOutcomeUnknownError(attempt_id=uuid4(), replayed=False),
        UpstreamUnavailableError("a", "b"),
        UpstreamContractError("a", "b"),
        BusyError(),
        ShipmentIdTakenError(purchase_id=uuid4()),
        CarrierAnsweredOtherwiseError(outcome="shipped", shipment_id="S1"),
        NoOrphanShipmentError(),
        OrphanAlreadyClosedError(),
        TooManyOpenAttemptsError(limit=50),
        UnconfirmedCommitError(),
        UnansweredCommitError(),
        StoreUnreadableError(),
        InconsistentReadError("what"),
        NotAuthenticatedError(),
    ]
    ours = {"TillError", "NotFoundError", "LedgerCorruptError", "ReadAgainError"}
    # A balance is told without it.
    ours |= {"JournalUnavailableError"}
    # Of the ledger's stream, which has no caller.
    ours |= {"EventsNotPublishedError", "UnreadableRecordError"}
    assert {type(e) for e in made} == {e for e in all_errors() if e.__name__ not in ours}
    slugs = [problem_for(error).slug for error in made]
    assert UNEXPECTED.slug not in slugs
    for error in made:
        problem = problem_for(error)
        assert problem.response("c").status == problem.status
        assert problem.detail.endswith(".")
    assert problem_for(LedgerCorruptError(sequence=1, detail="d")) is UNEXPECTED


@pytest.mark.parametrize("name", ["trace-0001", "a" * 100, "8f14e45f.ceea_167a"])
def test_a_caller_may_name_the_request(name: str) -> None:
    sent = event(GRANT, body="{", headers={"X-Correlation-Id": name})
    answer = handler("grant_credit").tested_handler(sent, Context())
    assert answer["multiValueHeaders"]["X-Correlation-Id"] == [name]
    assert json.loads(answer["body"])["correlation_id"] == name


@pytest.mark.parametrize("name", ["short", "a" * 101, "two words", "line\nbreak", "-leading1", ""])
def test_but_not_by_what_could_be_taken_for_something_else_in_a_log(name: str) -> None:
    assert call(event(GRANT, body="{", headers={"X-Correlation-Id": name}), "grant_credit")
