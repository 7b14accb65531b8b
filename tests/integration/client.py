"""A typed client of Till's API, as a caller would write one from the documentation.

It shares no model with the product: these are the names and types that clients rely on.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID, uuid4

import httpx
import jwt
from pydantic import BaseModel, ConfigDict

from tests import document
from tests.integration.badges import bearer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.integration.badges import Badges

PROBLEM = "application/problem+json"
FUNCTION_ENDED = (
    b'\\"errorType\\": \\"Runtime',
    b'{"message": "Internal server error"}',
    # Killed as it started: the emulator itself misses the code it had unpacked, or the process.
    b"/tmp/ministack-lambda-",
    b"'NoneType' object has no attribute 'stdin'",
)
"""What the gateways of the emulators answer for a function that ended without an answer."""
TYPE_PREFIX = "urn:problem-type:till:"

REASON = "a test asked for it"


class Wire(BaseModel):
    """Something that the API sends."""

    model_config = ConfigDict(frozen=True)


class Balance(Wire):
    customer_id: UUID
    currency: str
    posted: int
    held: int
    available: int
    version: int
    updated_at: datetime | None


class Entry(Wire):
    id: UUID
    customer_id: UUID
    sequence: int
    kind: str
    amount: int
    currency: str
    balance_after: int
    reason: str
    actor: str
    purchase_id: UUID | None
    refund_id: UUID | None
    idempotency_key: str
    previous_hash: str
    hash: str
    created_at: str
    actor_name: str | None = None
    """Not in a statement."""
    """Kept as text: it is hashed as it is written."""


class LedgerPosition(Wire):
    sequence: int
    balance: int
    hash: str


class Statement(Wire):
    customer_id: UUID
    currency: str
    starts_at: datetime | None
    ends_at: datetime | None
    issued_at: datetime
    is_first_page: bool
    is_last_page: bool
    opening: LedgerPosition
    entries: list[Entry]
    closing: LedgerPosition


class SignedStatement(Wire):
    statement: Statement
    signature: str
    next_cursor: str | None


class CreditChange(Wire):
    entry: Entry
    balance: Balance


class SoldProduct(Wire):
    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int


class UsedAddress(Wire):
    line1: str
    line2: str | None
    city: str
    postal_code: str
    state: str
    country: str


class Refund(Wire):
    id: UUID
    purchase_id: UUID
    customer_id: UUID
    amount: int
    currency: str
    reason: str
    created_at: datetime
    created_by: str
    created_by_name: str | None
    refunded: int
    refundable: int
    balance_after: int
    entry_sequence: int


class Purchase(Wire):
    id: UUID
    customer_id: UUID
    product: SoldProduct
    quantity: int
    subtotal: int
    discount: int
    total: int
    refunded: int
    refundable: int
    refundable_quantity: int
    currency: str
    promo_code: str | None
    shipment_id: str
    shipping_address: UsedAddress
    status: str
    created_at: datetime
    created_by: str
    created_by_name: str | None


class PurchaseDetail(Purchase):
    refunds: list[Refund]


class CarrierAnswer(Wire):
    outcome: str
    message: str | None
    shipment_id: str | None
    answered_at: datetime | None


class Resolution(Wire):
    actor: str
    actor_name: str | None
    reason: str


class OrphanClosing(Wire):
    outcome: str
    reason: str
    closed_at: datetime
    closed_by: str
    closed_by_name: str | None


class Orphan(Wire):
    status: str
    since: datetime
    shipment_id: str | None
    closing: OrphanClosing | None
    earlier_closings: list[OrphanClosing]


class Attempt(Wire):
    id: UUID
    customer_id: UUID
    state: str
    product: SoldProduct
    quantity: int
    total: int
    created_at: datetime
    created_by: str
    created_by_name: str | None
    expires_at: datetime
    unknown_since: datetime | None
    deadline_at: datetime | None
    settled_at: datetime | None
    carrier: CarrierAnswer | None
    resolution: Resolution | None
    orphan: Orphan | None
    purchase_id: UUID | None
    shipment_id: str | None


class FieldError(Wire):
    field: str
    message: str


class Problem(Wire):
    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[FieldError] = []
    needed: int | None = None
    available: int | None = None
    refundable: int | None = None
    expected_total: int | None = None
    expected_amount: int | None = None
    amount: int | None = None
    total: int | None = None
    attempt_id: UUID | None = None
    purchase_id: UUID | None = None
    shipment_id: str | None = None
    carrier_outcome: str | None = None
    state: str | None = None

    @property
    def slug(self) -> str:
        """The type without what all types begin with."""
        assert self.type.startswith(TYPE_PREFIX), self.type
        return self.type.removeprefix(TYPE_PREFIX)

    @property
    def fields(self) -> set[str]:
        """The fields that it complains about."""
        return {error.field for error in self.errors}


class Health(Wire):
    status: str


M = TypeVar("M", bound=BaseModel)
M_co = TypeVar("M_co", bound=BaseModel, covariant=True)


class Page(Wire, Generic[M]):
    items: list[M]
    next_cursor: str | None


class Reply(Generic[M_co]):
    """An answer: what was asked for, or a problem."""

    def __init__(self, response: httpx.Response, success: int, model: type[M_co]) -> None:
        self.response = response
        self._success = success
        self._model = model

    def __repr__(self) -> str:
        return f"<{self.status} {self.response.text[:500]}>"

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def ok(self) -> bool:
        return self.status == self._success

    @property
    def replayed(self) -> bool:
        """Whether it says that it is the first answer again."""
        said = self.response.headers.get("Idempotency-Replayed")
        assert said in {None, "true"}
        return said is not None

    def result(self) -> M_co:
        """What was asked for; fails if it was refused."""
        assert self.ok, repr(self)
        assert self.response.headers["Content-Type"] == "application/json"
        return self._model.model_validate_json(self.response.content)

    def problem(self) -> Problem:
        """What went wrong, in the form of RFC 9457; fails if nothing did."""
        assert not self.ok, repr(self)
        assert self.response.headers["Content-Type"] == PROBLEM, repr(self)
        problem = Problem.model_validate_json(self.response.content)
        assert problem.status == self.status
        return problem

    def refused(self, status: int, slug: str) -> Problem:
        """The problem, which must be this one."""
        problem = self.problem()
        assert (self.status, problem.slug) == (status, slug), repr(self)
        return problem


def new_key() -> str:
    """An Idempotency-Key that was never used."""
    return f"key-{uuid4()}"


def new_shipment_id() -> str:
    """A shipment id that no purchase has: each belongs to one purchase of the whole system."""
    return f"shp-{uuid4()}"


class TillClient:
    """One method for each operation, as the tester, an admin. Safe between threads.

    ``actor`` is another admin; ``bearing`` gives a client that bears any token, or none.
    """

    def __init__(self, api_url: str, badges: Badges, *, token: str | None = None) -> None:
        self._api_url = api_url
        self._badges = badges
        token = badges.tester() if token is None else token
        self._http = httpx.Client(
            base_url=api_url,
            headers=bearer(token) if token else {},
            timeout=60.0,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
            event_hooks={"response": [self._check]},
        )

        self._token = token

    @property
    def subject(self) -> str:
        """Who the API takes this client for: the actor of what it does."""
        claims = jwt.decode(self._token, options={"verify_signature": False})
        return str(claims["sub"])

    def close(self) -> None:
        self._http.close()

    def _check(self, response: httpx.Response) -> None:
        """Hold every answer against the OpenAPI document."""
        response.read()
        path = response.request.url.path.removeprefix(httpx.URL(self._api_url).path.rstrip("/"))
        method, status = response.request.method, response.status_code
        if status == httpx.codes.BAD_GATEWAY and any(
            words in response.content for words in FUNCTION_ENDED
        ):
            return
        document.check(method, path, status, response.headers, response.content)

    @contextmanager
    def bearing(self, token: str) -> Iterator[TillClient]:
        """A client that bears another token; an empty one is none."""
        other = TillClient(self._api_url, self._badges, token=token)
        try:
            yield other
        finally:
            other.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | str | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        """Any request at all."""
        return self._http.request(
            method, path, content=content, json=json, headers=headers, params=params
        )

    # Credit

    def credit(self, customer_id: UUID | str, *, at: str | None = None) -> Reply[Balance]:
        query = {} if at is None else {"at": at}
        return Reply(self._http.get(f"/customers/{customer_id}/credit", params=query), 200, Balance)

    def grant(
        self,
        customer_id: UUID | str,
        amount: int,
        *,
        reason: str = REASON,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[CreditChange]:
        path = f"/customers/{customer_id}/credit/grants"
        body = {"amount": amount, "reason": reason}
        return Reply(self._post(path, body, key, actor), 201, CreditChange)

    def deduct(
        self,
        customer_id: UUID | str,
        amount: int,
        *,
        reason: str = REASON,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[CreditChange]:
        path = f"/customers/{customer_id}/credit/deductions"
        body = {"amount": amount, "reason": reason}
        return Reply(self._post(path, body, key, actor), 201, CreditChange)

    def statement(
        self, customer_id: UUID | str, *, cursor: str | None = None, **period: str
    ) -> Reply[SignedStatement]:
        """``period``: ``from_`` and ``to``."""
        query = {name.rstrip("_"): value for name, value in period.items()}
        if cursor is not None:
            query["cursor"] = cursor
        path = f"/customers/{customer_id}/credit/statement"
        return Reply(self._http.get(path, params=query), 200, SignedStatement)

    def entries(
        self, customer_id: UUID | str, *, limit: int | None = None, cursor: str | None = None
    ) -> Reply[Page[Entry]]:
        return self._list(f"/customers/{customer_id}/credit/entries", Page[Entry], limit, cursor)

    # Purchases

    def buy(
        self,
        customer_id: UUID | str,
        product_id: UUID | str,
        quantity: int = 1,
        *,
        expected_total: int | None = None,
        promo_code: str | None = None,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[Purchase]:
        body: dict[str, object] = {"product_id": str(product_id), "quantity": quantity}
        if expected_total is not None:
            body["expected_total"] = expected_total
        if promo_code is not None:
            body["promo_code"] = promo_code
        response = self._post(f"/customers/{customer_id}/purchases", body, key, actor)
        return Reply(response, 201, Purchase)

    def purchase(self, purchase_id: UUID | str) -> Reply[PurchaseDetail]:
        return Reply(self._http.get(f"/purchases/{purchase_id}"), 200, PurchaseDetail)

    def customer_purchase(
        self, customer_id: UUID | str, purchase_id: UUID | str
    ) -> Reply[PurchaseDetail]:
        path = f"/customers/{customer_id}/purchases/{purchase_id}"
        return Reply(self._http.get(path), 200, PurchaseDetail)

    def customer_purchases(
        self,
        customer_id: UUID | str,
        *,
        status: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Reply[Page[Purchase]]:
        path = f"/customers/{customer_id}/purchases"
        return self._list(path, Page[Purchase], limit, cursor, status=status)

    def purchases(
        self,
        *,
        status: str | None = None,
        created_from: str | None = None,
        created_to: str | None = None,
        shipment_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Reply[Page[Purchase]]:
        return self._list(
            "/purchases",
            Page[Purchase],
            limit,
            cursor,
            status=status,
            created_from=created_from,
            created_to=created_to,
            shipment_id=shipment_id,
        )

    # Refunds

    def refund(
        self,
        purchase_id: UUID | str,
        amount: int | None = None,
        *,
        expected_amount: int | None = None,
        reason: str = REASON,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[Refund]:
        body: dict[str, object] = {"reason": reason}
        if amount is not None:
            body["amount"] = amount
        if expected_amount is not None:
            body["expected_amount"] = expected_amount
        response = self._post(f"/purchases/{purchase_id}/refunds", body, key, actor)
        return Reply(response, 201, Refund)

    def refunds(
        self, purchase_id: UUID | str, *, limit: int | None = None, cursor: str | None = None
    ) -> Reply[Page[Refund]]:
        return self._list(f"/purchases/{purchase_id}/refunds", Page[Refund], limit, cursor)

    # Attempts

    def attempt(self, attempt_id: UUID | str) -> Reply[Attempt]:
        return Reply(self._http.get(f"/purchase-attempts/{attempt_id}"), 200, Attempt)

    def attempts(
        self,
        *,
        state: str | None = None,
        orphan: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Reply[Page[Attempt]]:
        path = "/purchase-attempts"
        return self._list(path, Page[Attempt], limit, cursor, state=state, orphan=orphan)

    def confirm(
        self,
        attempt_id: UUID | str,
        shipment_id: str,
        *,
        reason: str = REASON,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[Attempt]:
        """Resolve an attempt as shipped."""
        body = {"outcome": "shipped", "shipment_id": shipment_id, "reason": reason}
        return self._resolve(attempt_id, body, key, actor)

    def call_off(
        self,
        attempt_id: UUID | str,
        *,
        reason: str = REASON,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[Attempt]:
        """Resolve an attempt as not shipped."""
        return self._resolve(attempt_id, {"outcome": "not_shipped", "reason": reason}, key, actor)

    def close_orphan(
        self,
        attempt_id: UUID | str,
        outcome: str,
        *,
        reason: str = REASON,
        key: str | None = None,
        actor: str | None = None,
    ) -> Reply[Attempt]:
        """Take a possible orphan shipment off the work list."""
        path = f"/purchase-attempts/{attempt_id}/orphan-closing"
        response = self._post(path, {"outcome": outcome, "reason": reason}, key, actor)
        return Reply(response, 200, Attempt)

    def health(self) -> Reply[Health]:
        return Reply(self._http.get("/health"), 200, Health)

    def _resolve(
        self, attempt_id: UUID | str, body: object, key: str | None, actor: str | None
    ) -> Reply[Attempt]:
        response = self._post(f"/purchase-attempts/{attempt_id}/resolution", body, key, actor)
        return Reply(response, 200, Attempt)

    def _post(self, path: str, body: object, key: str | None, actor: str | None) -> httpx.Response:
        headers = {"Idempotency-Key": key or new_key()}
        if actor is not None:
            headers |= bearer(self._badges.admin(actor))
        return self._http.post(path, json=body, headers=headers)

    def _list(
        self,
        path: str,
        page: type[Page[M]],
        limit: int | None,
        cursor: str | None,
        **filters: str | None,
    ) -> Reply[Page[M]]:
        given: dict[str, str | int | None] = {"limit": limit, "cursor": cursor, **filters}
        params = {name: value for name, value in given.items() if value is not None}
        return Reply(self._http.get(path, params=params), 200, page)


def all_items(read: Callable[[str | None], Reply[Page[M]]]) -> list[M]:
    """Every item of a list, page by page; ``read`` reads the page of a cursor."""
    items: list[M] = []
    cursor: str | None = None
    while True:
        page = read(cursor).result()
        items += page.items
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor
