"""``Till``: a method for each operation of the API."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, ParamSpec, Self, TypeVar

import httpx

from till_client import models
from till_client.generated.api.about import get_health, get_openapi, get_signing_keys
from till_client.generated.api.catalogue import get_customer, get_product, list_customers
from till_client.generated.api.credit import (
    deduct_credit,
    get_credit,
    get_statement,
    grant_credit,
    list_entries,
)
from till_client.generated.api.promo_codes import (
    create_promo_code,
    deactivate_promo_code,
    get_promo_code,
    list_promo_codes,
    update_promo_code,
)
from till_client.generated.api.purchase_attempts import (
    close_orphan_shipment,
    get_attempt,
    list_attempts,
    resolve_attempt,
)
from till_client.generated.api.purchases import (
    create_purchase,
    create_quote,
    get_customer_purchase,
    get_purchase,
    list_customer_purchases,
    list_purchases,
)
from till_client.generated.api.refunds import (
    create_refund_quote,
    list_refunds,
    refund_purchase,
)
from till_client.generated.api.search import search_everything
from till_client.generated.client import AuthenticatedClient
from till_client.generated.types import UNSET, Response, Unset
from till_client.intents import Intents
from till_client.pages import all_items
from till_client.problems import NoAnswer, raise_problem
from till_client.retries import RetryTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime
    from uuid import UUID

P = ParamSpec("P")
T = TypeVar("T")

_answered: Final = ContextVar("answered", default=False)
"""Whether the request that is under way has got an answer."""


class Till:
    """Till's API. Safe between threads.

    Money is an integer of minor units (cents). Every method raises ``Problem`` when the API
    refuses, and ``NoAnswer`` when it does not answer. A method that moves money takes an
    ``intent``: the caller's own name for what is to happen once; its Idempotency-Key is made once
    and kept in ``intents``.

    Args:
        url: The address of the API, its stage included: ``https://till.example.com/v1``.
        token: Gives the access token of each request.
        intents: Where idempotency keys are kept; in memory, if not given.
        timeout_seconds: How long one request may take. The API answers within 29 seconds.
        patience_seconds: How long a request is repeated, as far as that is safe.
        transport: What sends the requests; for tests.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        *,
        intents: Intents | None = None,
        timeout_seconds: float = 35,
        patience_seconds: float = 60,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.intents: Final = intents or Intents()
        self._client: Final = AuthenticatedClient(
            base_url=url.rstrip("/"),
            token="",
            timeout=httpx.Timeout(timeout_seconds),
            httpx_args={
                "auth": _Bearer(token),
                "transport": RetryTransport(
                    transport or httpx.HTTPTransport(), patience_seconds=patience_seconds
                ),
                "event_hooks": {"response": [lambda _: _answered.set(True), raise_problem]},
            },
        )

    def close(self) -> None:
        """Close the connections and the store of intents."""
        self._client.get_httpx_client().close()
        self.intents.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Credit

    def get_credit(
        self, customer_id: UUID, *, at: datetime | None = None, verification: bool = False
    ) -> models.CreditResponse:
        """Get a balance: the present one, or the one that an earlier time had."""
        return _ok(
            get_credit.sync_detailed,
            customer_id,
            client=self._client,
            at=_given(at),
            verification=_given(verification or None),
        )

    def get_statement(
        self,
        customer_id: UUID,
        *,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> Iterator[models.SignedStatementResponse]:
        """The pages of a statement, each signed, from a time on until before a time."""
        cursor: str | None = None
        while True:
            page = _ok(
                get_statement.sync_detailed,
                customer_id,
                client=self._client,
                from_=_given(starts_at),
                to=_given(ends_at),
                cursor=_given(cursor),
            )
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_signing_keys(self) -> models.JsonWebKeySetResponse:
        """Get the keys that sign statements."""
        return _ok(get_signing_keys.sync_detailed, client=self._client)

    def grant_credit(
        self, customer_id: UUID, amount: int, reason: str, *, intent: str
    ) -> models.CreditChangeResponse:
        """Grant credit."""
        return _ok(
            grant_credit.sync_detailed,
            customer_id,
            client=self._client,
            body=models.GrantCreditRequest(amount=amount, reason=reason),
            idempotency_key=self.intents.key(intent),
        )

    def deduct_credit(
        self, customer_id: UUID, amount: int, reason: str, *, intent: str
    ) -> models.CreditChangeResponse:
        """Deduct credit, at most what is available."""
        return _ok(
            deduct_credit.sync_detailed,
            customer_id,
            client=self._client,
            body=models.DeductCreditRequest(amount=amount, reason=reason),
            idempotency_key=self.intents.key(intent),
        )

    def list_entries(self, customer_id: UUID) -> Iterator[models.NamedEntryResponse]:
        """The ledger entries of a customer, newest first."""
        return all_items(
            lambda cursor: _ok(
                list_entries.sync_detailed, customer_id, client=self._client, cursor=cursor
            )
        )

    # Purchases

    def create_quote(
        self,
        customer_id: UUID,
        product_id: UUID,
        quantity: int = 1,
        *,
        expected_total: int | None = None,
        promo_code: str | None = None,
    ) -> models.QuoteResponse:
        """Quote a purchase. Nothing is reserved or created."""
        body = _purchase(product_id, quantity, expected_total, promo_code)
        return _ok(create_quote.sync_detailed, customer_id, client=self._client, body=body)

    def create_purchase(
        self,
        customer_id: UUID,
        product_id: UUID,
        quantity: int = 1,
        *,
        intent: str,
        expected_total: int | None = None,
        promo_code: str | None = None,
    ) -> models.PurchaseResponse:
        """Buy a product. With ``expected_total``, a higher total is refused (``TotalChanged``)."""
        return _ok(
            create_purchase.sync_detailed,
            customer_id,
            client=self._client,
            body=_purchase(product_id, quantity, expected_total, promo_code),
            idempotency_key=self.intents.key(intent),
        )

    def get_purchase(self, purchase_id: UUID) -> models.PurchaseDetailResponse:
        """Get a purchase with its refunds."""
        return _ok(get_purchase.sync_detailed, purchase_id, client=self._client)

    def get_customer_purchase(
        self, customer_id: UUID, purchase_id: UUID
    ) -> models.PurchaseDetailResponse:
        """Get a purchase of a customer with its refunds."""
        return _ok(
            get_customer_purchase.sync_detailed, customer_id, purchase_id, client=self._client
        )

    def list_customer_purchases(
        self, customer_id: UUID, *, status: models.PurchaseStatus | None = None
    ) -> Iterator[models.PurchaseResponse]:
        """The purchases of a customer, newest first."""
        return all_items(
            lambda cursor: _ok(
                list_customer_purchases.sync_detailed,
                customer_id,
                client=self._client,
                status=_given(status),
                cursor=cursor,
            )
        )

    def list_purchases(
        self,
        *,
        status: models.PurchaseStatus | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        shipment_id: str | None = None,
        with_customer_names: bool = False,
    ) -> Iterator[models.NamedPurchaseResponse]:
        """The purchases of all customers, newest first; or the one of a shipment."""
        return all_items(
            lambda cursor: _ok(
                list_purchases.sync_detailed,
                client=self._client,
                status=_given(status),
                created_from=_given(created_from),
                created_to=_given(created_to),
                shipment_id=_given(shipment_id),
                include="customer_names" if with_customer_names else UNSET,
                cursor=cursor,
            )
        )

    # Refunds

    def create_refund_quote(
        self, purchase_id: UUID, *, amount: int | None = None, quantity: int | None = None
    ) -> models.RefundQuoteResponse:
        """Quote a refund. Nothing is changed."""
        body = models.CreateRefundQuoteRequest(amount=_given(amount), quantity=_given(quantity))
        return _ok(create_refund_quote.sync_detailed, purchase_id, client=self._client, body=body)

    def refund_purchase(
        self,
        purchase_id: UUID,
        reason: str,
        *,
        intent: str,
        amount: int | None = None,
        quantity: int | None = None,
        expected_amount: int | None = None,
    ) -> models.RefundResponse:
        """Refund an amount, a number of units, or, without either, everything that is left.

        With ``expected_amount``, any other amount is refused (``RefundAmountChanged``).
        """
        body = models.CreateRefundRequest(
            reason=reason,
            amount=_given(amount),
            quantity=_given(quantity),
            expected_amount=_given(expected_amount),
        )
        return _ok(
            refund_purchase.sync_detailed,
            purchase_id,
            client=self._client,
            body=body,
            idempotency_key=self.intents.key(intent),
        )

    def list_refunds(self, purchase_id: UUID) -> Iterator[models.RefundResponse]:
        """The refunds of a purchase, newest first."""
        return all_items(
            lambda cursor: _ok(
                list_refunds.sync_detailed, purchase_id, client=self._client, cursor=cursor
            )
        )

    # Purchase attempts

    def get_attempt(self, attempt_id: UUID) -> models.AttemptResponse:
        """Get a purchase attempt."""
        return _ok(get_attempt.sync_detailed, attempt_id, client=self._client)

    def list_attempts(
        self,
        *,
        state: models.AttemptState | None = None,
        with_open_orphan: bool = False,
        with_customer_names: bool = False,
    ) -> Iterator[models.NamedAttemptResponse]:
        """The purchase attempts in a state, or, without one, those that are open.

        ``with_open_orphan``: the voided ones whose parcel may exist and that no person has closed.
        """
        return all_items(
            lambda cursor: _ok(
                list_attempts.sync_detailed,
                client=self._client,
                state=_given(state),
                orphan="OPEN" if with_open_orphan else UNSET,
                include="customer_names" if with_customer_names else UNSET,
                cursor=cursor,
            )
        )

    def resolve_attempt(
        self, attempt_id: UUID, reason: str, *, intent: str, shipment_id: str | None
    ) -> models.AttemptResponse:
        """Resolve an attempt of unknown outcome: shipped with this id, or (None) not shipped."""
        outcome = models.ResolveAttemptRequestOutcome(
            "not_shipped" if shipment_id is None else "shipped"
        )
        return _ok(
            resolve_attempt.sync_detailed,
            attempt_id,
            client=self._client,
            body=models.ResolveAttemptRequest(
                outcome=outcome, shipment_id=_given(shipment_id), reason=reason
            ),
            idempotency_key=self.intents.key(intent),
        )

    def close_orphan_shipment(
        self, attempt_id: UUID, outcome: models.OrphanOutcome, reason: str, *, intent: str
    ) -> models.AttemptResponse:
        """Say what became of a parcel that may exist although its attempt was voided."""
        return _ok(
            close_orphan_shipment.sync_detailed,
            attempt_id,
            client=self._client,
            body=models.CloseOrphanShipmentRequest(outcome=outcome, reason=reason),
            idempotency_key=self.intents.key(intent),
        )

    # Promo codes

    def create_promo_code(
        self, promo_code: models.CreatePromoCodeRequest
    ) -> models.PromoCodeResponse:
        """Create a promo code. It has no Idempotency-Key, so it is not repeated by itself."""
        return _ok(create_promo_code.sync_detailed, client=self._client, body=promo_code)

    def get_promo_code(self, code: str) -> models.PromoCodeDetailResponse:
        """Get a promo code with its versions."""
        return _ok(get_promo_code.sync_detailed, code, client=self._client)

    def list_promo_codes(
        self, *, state: models.PromoState | None = None
    ) -> Iterator[models.PromoCodeResponse]:
        """Promo codes, newest first."""
        return all_items(
            lambda cursor: _ok(
                list_promo_codes.sync_detailed,
                client=self._client,
                state=_given(state),
                cursor=cursor,
            )
        )

    def update_promo_code(
        self, code: str, change: models.UpdatePromoCodeRequest, *, version: int
    ) -> models.PromoCodeResponse:
        """Change this version of a promo code; ``StaleVersion`` if it has another by now."""
        return _ok(
            update_promo_code.sync_detailed,
            code,
            client=self._client,
            body=change,
            if_match=f'"{version}"',
        )

    def deactivate_promo_code(self, code: str) -> models.PromoCodeResponse:
        """Deactivate a promo code, permanently."""
        return _ok(deactivate_promo_code.sync_detailed, code, client=self._client)

    # Customers and products

    def get_customer(self, customer_id: UUID) -> models.CustomerResponse:
        """Get a customer, for display."""
        return _ok(get_customer.sync_detailed, customer_id, client=self._client)

    def list_customers(self) -> Iterator[models.KnownCustomerResponse]:
        """Customers with an account, newest first."""
        return all_items(
            lambda cursor: _ok(list_customers.sync_detailed, client=self._client, cursor=cursor)
        )

    def search_everything(self, query: str) -> models.SearchResponse:
        """Find anything by an id or its beginning, a promo code, a name or an e-mail address."""
        return _ok(search_everything.sync_detailed, client=self._client, query=query)

    def get_product(self, product_id: UUID) -> models.ProductResponse:
        """Get a product, for display."""
        return _ok(get_product.sync_detailed, product_id, client=self._client)

    # The API itself

    def get_health(self) -> models.HealthResponse:
        """Check that the API is up."""
        return _ok(get_health.sync_detailed, client=self._client)

    def get_openapi(self) -> bytes:
        """Get the OpenAPI document, as JSON."""
        return get_openapi.sync_detailed(client=self._client).content


class _Bearer(httpx.Auth):
    """Asks for the token at each request: it may have been renewed."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        yield request


def _purchase(
    product_id: UUID, quantity: int, expected_total: int | None, promo_code: str | None
) -> models.CreatePurchaseRequest:
    return models.CreatePurchaseRequest(
        product_id=product_id,
        quantity=quantity,
        expected_total=_given(expected_total),
        promo_code=_given(promo_code),
    )


def _given(value: T | None) -> T | Unset:
    """A field that is left out when there is no value. Till refuses null."""
    return UNSET if value is None else value


def _ok(
    call: Callable[P, Response[T | models.ProblemResponse]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call, and return the model of a successful answer. A hook has raised any problem.

    Raises:
        NoAnswer: the answer is not one that the operation documents.
    """
    _answered.set(False)
    try:
        response = call(*args, **kwargs)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if not _answered.get():
            # An argument is wrong: nothing was sent.
            raise
        # The generated code takes every answer for the one that the operation documents.
        raise NoAnswer("An answer that is not of this API") from error
    answer = response.parsed
    if answer is None or isinstance(answer, models.ProblemResponse):
        raise NoAnswer(f"HTTP status {response.status_code} with an answer that is not of this API")
    return answer
