"""The models of every request and response. Their names are unique over the whole API."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from till.domain.account import MAX_REASON_CHARACTERS, Account, AccountChange
from till.domain.catalogue import Address, CustomerDetails, Product, ProductDetails, Shown
from till.domain.instant import format_instant
from till.domain.ledger import EntryKind, LedgerEntry
from till.domain.money import MAX_AMOUNT_MINOR, Money
from till.domain.promo import (
    CODE_PATTERN,
    Discount,
    FixedDiscount,
    PercentageDiscount,
    canonical_code,
)
from till.domain.purchase import (
    MAX_QUANTITY,
    AttemptState,
    NotShipped,
    OutcomeUnknown,
    Purchase,
    PurchaseAttempt,
    PurchaseStatus,
    Refund,
    Shipped,
)
from till.services.adjust_credit import CreditAdjustment
from till.services.find_customers import KnownCustomer
from till.services.pricing import Wish
from till.services.purchase import PurchaseRequest
from till.services.quote import Quote
from till.services.quote_refund import RefundQuote, RefundWish
from till.services.refund import RefundRequest
from till.services.resolve_attempt import ResolutionRequest

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _canonical_uuid(value: object) -> object:
    # UUID() also takes braces, URNs and 32 bare digits: one spelling is enough.
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise ValueError("must be a UUID such as 123e4567-e89b-12d3-a456-426614174000")
    return value


def _plain_text(value: str) -> str:
    if any(unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} for c in value):
        raise ValueError("must not contain control characters")
    text = value.strip()
    if not any(c.isprintable() and not c.isspace() for c in text):
        raise ValueError("must not be blank")
    return text


Id = Annotated[UUID, BeforeValidator(_canonical_uuid), Field(strict=False)]
"""A UUID in its usual spelling. Upper and lower case are the same id."""

Instant = Annotated[datetime, PlainSerializer(format_instant, return_type=str, when_used="json")]
"""An instant, written as RFC 3339 in UTC."""

_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _instant_text(value: object) -> object:
    # Pydantic would also take seconds since the epoch, days without a time, and more.
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 time, such as 2026-12-24T18:00:00Z")
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the calendar") from error


InstantText = Annotated[
    AwareDatetime,
    BeforeValidator(_instant_text),
    AfterValidator(_in_utc),
    Field(strict=False, description="RFC 3339"),
]
"""An instant in a request, with its offset from UTC."""

Amount = Annotated[int, Field(gt=0, le=MAX_AMOUNT_MINOR, description="Minor units (cents)")]
"""A positive amount of minor units."""

Reason = Annotated[
    str, Field(min_length=1, max_length=MAX_REASON_CHARACTERS), AfterValidator(_plain_text)
]
"""Why: shown to people, kept in the books."""

SearchText = Annotated[str, Field(min_length=2, max_length=100), AfterValidator(_plain_text)]
"""What a person types to find something."""

IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
"""1 to 255 visible ASCII characters."""


PromoCodeText = Annotated[
    str,
    Field(pattern=CODE_PATTERN, description="Case-insensitive"),
    AfterValidator(canonical_code),
]
"""A promo code; upper and lower case are the same code."""


class WireRequest(BaseModel):
    """What every request body is: strict, and without fields that are not known."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class WireResponse(BaseModel):
    """What every response body is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# Credit


class _CreditRequest(WireRequest):
    amount: Amount
    reason: Reason

    def adjustment(
        self, *, customer_id: UUID, actor: str, limit: Money | None, idempotency_key: str
    ) -> CreditAdjustment:
        """The request as its use case knows it."""
        return CreditAdjustment(
            customer_id=customer_id,
            amount=Money(self.amount),
            limit=limit,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )


class GrantCreditRequest(_CreditRequest):
    """Credit to give."""


class DeductCreditRequest(_CreditRequest):
    """Credit to take away."""


class BalanceResponse(WireResponse):
    """A customer's credit: available is what is posted less what is held for open purchases."""

    customer_id: UUID
    currency: str
    posted: int
    held: int
    available: int
    version: int = Field(description="Counts every change of the account; 0: none yet")
    updated_at: Instant | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """The balance of an account."""
        return cls(
            customer_id=account.customer_id,
            currency=account.posted.currency,
            posted=account.posted.amount_minor,
            held=account.held.amount_minor,
            available=account.available.amount_minor,
            version=account.version,
            updated_at=account.updated_at,
        )


class EntryResponse(WireResponse):
    """One movement of posted credit. Entries are never changed or deleted."""

    id: UUID
    customer_id: UUID
    sequence: int = Field(description="1, 2, 3 ... without a gap within an account")
    kind: EntryKind
    amount: int = Field(description="Signed, in minor units")
    currency: str
    balance_after: int = Field(description="The posted balance once this entry counts")
    reason: str
    actor: str
    purchase_id: UUID | None
    refund_id: UUID | None
    idempotency_key: str
    previous_hash: str
    hash: str = Field(description="SHA-256 over all other fields; see the data model")
    created_at: Instant

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        """A ledger entry."""
        return cls(
            id=entry.id,
            customer_id=entry.customer_id,
            sequence=entry.sequence,
            kind=entry.kind,
            amount=entry.amount.amount_minor,
            currency=entry.amount.currency,
            balance_after=entry.balance_after.amount_minor,
            reason=entry.reason,
            actor=entry.actor,
            purchase_id=entry.purchase_id,
            refund_id=entry.refund_id,
            idempotency_key=entry.idempotency_key,
            previous_hash=entry.previous_hash,
            hash=entry.hash,
            created_at=entry.created_at,
        )


class CreditChangeResponse(WireResponse):
    """The ledger entry that was made, and the balance right after it."""

    entry: EntryResponse
    balance: BalanceResponse

    @classmethod
    def of(cls, change: AccountChange) -> Self:
        """A change that posted money."""
        if change.entry is None:
            raise ValueError("this change posted nothing")
        return cls(entry=EntryResponse.of(change.entry), balance=BalanceResponse.of(change.account))


class EntryListResponse(WireResponse):
    """Ledger entries, newest first."""

    items: list[EntryResponse]
    next_cursor: str | None


# What a promo code takes off, in requests and responses alike


class PercentageDiscountModel(WireRequest):
    """A percentage off, rounded half up to a cent, at most ``max_amount``."""

    type: Literal["percentage"]
    percent: Annotated[int, Field(ge=1, le=100)]
    max_amount: Amount | None = None


class FixedDiscountModel(WireRequest):
    """A fixed amount off, never more than the subtotal."""

    type: Literal["fixed"]
    amount: Amount


DiscountModel = Annotated[PercentageDiscountModel | FixedDiscountModel, Field(discriminator="type")]


def discount_model(discount: Discount) -> PercentageDiscountModel | FixedDiscountModel:
    """A discount as it is sent."""
    match discount:
        case PercentageDiscount(percent=percent, max_amount=most):
            return PercentageDiscountModel(
                type="percentage",
                percent=percent,
                max_amount=most.amount_minor if most is not None else None,
            )
        case FixedDiscount(amount=amount):
            return FixedDiscountModel(type="fixed", amount=amount.amount_minor)


def discount_of(model: PercentageDiscountModel | FixedDiscountModel) -> Discount:
    """A discount as the domain knows it."""
    match model:
        case PercentageDiscountModel(percent=percent, max_amount=most):
            return PercentageDiscount(
                percent=percent, max_amount=Money(most) if most is not None else None
            )
        case FixedDiscountModel(amount=amount):
            return FixedDiscount(amount=Money(amount))


# Purchases


class CreatePurchaseRequest(WireRequest):
    """What to buy. With ``expected_total`` a higher total is refused, a lower one charged."""

    product_id: Id
    quantity: Annotated[int, Field(gt=0, le=MAX_QUANTITY)]
    expected_total: Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR)] | None = None
    promo_code: PromoCodeText | None = None

    def wish(self, *, customer_id: UUID) -> Wish:
        """The request as its use cases know it."""
        expected = self.expected_total
        return Wish(
            customer_id=customer_id,
            product_id=self.product_id,
            quantity=self.quantity,
            promo_code=self.promo_code,
            expected_total=Money(expected) if expected is not None else None,
        )

    def purchase_request(
        self, *, customer_id: UUID, actor: str, idempotency_key: str
    ) -> PurchaseRequest:
        """The request as its use case knows it."""
        return PurchaseRequest(
            wish=self.wish(customer_id=customer_id), actor=actor, idempotency_key=idempotency_key
        )


class ProductSnapshotResponse(WireResponse):
    """A product as it was when it was sold."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int

    @classmethod
    def of(cls, product: Product) -> Self:
        """A product."""
        return cls(
            id=product.id,
            sku=product.sku,
            name=product.name,
            description=product.description,
            unit_price=product.unit_price.amount_minor,
        )


class AddressResponse(WireResponse):
    """A postal address; that of a purchase as it was then."""

    line1: str
    line2: str | None
    city: str
    postal_code: str
    state: str
    country: str

    @classmethod
    def of(cls, address: Address) -> Self:
        """An address."""
        return cls(
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            postal_code=address.postal_code,
            state=address.state,
            country=address.country,
        )


STALE: Final = "True: the external API does not answer, and this is older than it should be"


class CustomerResponse(WireResponse):
    """A customer, as the Customer API had it some seconds ago (header Age)."""

    id: UUID
    name: str
    email: str
    billing_address: AddressResponse
    shipping_address: AddressResponse
    created_at: Instant
    last_modified_at: Instant
    stale: Annotated[bool, Field(description=STALE)]

    @classmethod
    def of(cls, shown: Shown[CustomerDetails]) -> Self:
        """A customer."""
        customer = shown.value
        return cls(
            id=customer.id,
            name=customer.name,
            email=customer.email,
            billing_address=AddressResponse.of(customer.billing_address),
            shipping_address=AddressResponse.of(customer.shipping_address),
            created_at=customer.created_at,
            last_modified_at=customer.last_modified_at,
            stale=shown.stale,
        )


class KnownCustomerResponse(WireResponse):
    """A customer who has an account with us."""

    id: UUID
    name: str | None = Field(description="Null if the Customer API could not be asked")
    email: str | None = Field(description="Null if the Customer API could not be asked")
    opened_at: Instant = Field(description="When the account had its first change")

    @classmethod
    def of(cls, known: KnownCustomer) -> Self:
        """A customer."""
        details = known.details
        return cls(
            id=known.customer_id,
            name=details.name if details else None,
            email=details.email if details else None,
            opened_at=known.opened_at,
        )


class CustomerListResponse(WireResponse):
    """Customers, the newest account first."""

    items: list[KnownCustomerResponse]
    next_cursor: str | None


class ProductResponse(WireResponse):
    """A product, as the Product API had it some seconds ago (header Age)."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int
    currency: str
    created_at: Instant
    last_modified_at: Instant
    stale: Annotated[bool, Field(description=STALE)]

    @classmethod
    def of(cls, shown: Shown[ProductDetails]) -> Self:
        """A product."""
        product = shown.value.product
        return cls(
            id=product.id,
            sku=product.sku,
            name=product.name,
            description=product.description,
            unit_price=product.unit_price.amount_minor,
            currency=product.unit_price.currency,
            created_at=shown.value.created_at,
            last_modified_at=shown.value.last_modified_at,
            stale=shown.stale,
        )


class RefundResponse(WireResponse):
    """Credit given back for a purchase."""

    id: UUID
    purchase_id: UUID
    customer_id: UUID
    amount: int
    quantity: int | None = Field(description="How many units it was for, if it was for units")
    currency: str
    reason: str
    created_at: Instant
    created_by: str
    refunded: int = Field(description="Of the purchase, after this refund")
    refundable: int = Field(description="Of the purchase, after this refund")
    balance_after: int = Field(description="The customer's posted balance after this refund")
    entry_sequence: int = Field(description="The ledger entry of this refund")

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """A refund."""
        return cls(
            id=refund.id,
            purchase_id=refund.purchase_id,
            customer_id=refund.customer_id,
            amount=refund.amount.amount_minor,
            quantity=refund.quantity,
            currency=refund.amount.currency,
            reason=refund.reason,
            created_at=refund.created_at,
            created_by=refund.actor,
            refunded=refund.refunded_after.amount_minor,
            refundable=refund.refundable_after.amount_minor,
            balance_after=refund.balance_after.amount_minor,
            entry_sequence=refund.entry_sequence,
        )


class PurchaseResponse(WireResponse):
    """A purchase, with product and address as they were then."""

    id: UUID
    customer_id: UUID
    product: ProductSnapshotResponse
    quantity: int
    subtotal: int
    discount: int
    total: int
    refunded: int
    refundable: int
    currency: str
    promo_code: str | None
    promo_discount: DiscountModel | None = Field(description="The code's rule as it was then")
    refunded_quantity: int = Field(description="How many units were refunded as units")
    shipment_id: str
    shipping_address: AddressResponse
    status: PurchaseStatus
    created_at: Instant
    created_by: str

    @classmethod
    def of(cls, purchase: Purchase) -> Self:
        """A purchase."""
        order = purchase.order
        return cls(
            id=purchase.id,
            customer_id=purchase.customer_id,
            product=ProductSnapshotResponse.of(order.product),
            quantity=order.quantity,
            subtotal=order.subtotal.amount_minor,
            discount=order.discount.amount_minor,
            total=order.total.amount_minor,
            refunded=purchase.refunded.amount_minor,
            refundable=purchase.refundable.amount_minor,
            currency=order.total.currency,
            promo_code=order.promo_code,
            promo_discount=discount_model(order.promo.discount) if order.promo else None,
            refunded_quantity=purchase.refunded_quantity,
            shipment_id=purchase.shipment_id,
            shipping_address=AddressResponse.of(order.shipping_address),
            status=purchase.status,
            created_at=purchase.created_at,
            created_by=purchase.created_by,
        )


class PurchaseDetailResponse(PurchaseResponse):
    """A purchase with its refunds, oldest first."""

    refunds: list[RefundResponse]

    @classmethod
    def with_refunds(cls, purchase: Purchase, refunds: tuple[Refund, ...]) -> Self:
        """A purchase and its refunds."""
        fields = dict(PurchaseResponse.of(purchase))
        return cls(**fields, refunds=[RefundResponse.of(refund) for refund in refunds])


class PurchaseListResponse(WireResponse):
    """Purchases, newest first."""

    items: list[PurchaseResponse]
    next_cursor: str | None


class NamedPurchaseResponse(PurchaseResponse):
    """A purchase on a list of many customers'."""

    customer_name: str | None = Field(description="Null if unknown, or not asked for")

    @classmethod
    def named(cls, purchase: Purchase, names: Mapping[UUID, str]) -> Self:
        """A purchase, with its customer's name if that is among the names."""
        fields = dict(PurchaseResponse.of(purchase))
        return cls(**fields, customer_name=names.get(purchase.customer_id))


class NamedPurchaseListResponse(WireResponse):
    """Purchases of all customers, newest first."""

    items: list[NamedPurchaseResponse]
    next_cursor: str | None


class _RefundExtent(WireRequest):
    amount: Amount | None = None
    quantity: Annotated[int, Field(gt=0, le=MAX_QUANTITY)] | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.amount is not None and self.quantity is not None:
            raise ValueError("an amount or a quantity, not both")
        return self

    def money(self) -> Money | None:
        """The amount, if it is one that is asked for."""
        return Money(self.amount) if self.amount is not None else None


class CreateRefundRequest(_RefundExtent):
    """What to give back: an amount, or so many units; without either, all that is left."""

    reason: Reason

    def refund_request(
        self, *, purchase_id: UUID, actor: str, limit: Money | None, idempotency_key: str
    ) -> RefundRequest:
        """The request as its use case knows it."""
        return RefundRequest(
            purchase_id=purchase_id,
            amount=self.money(),
            quantity=self.quantity,
            limit=limit,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )


class CreateRefundQuoteRequest(_RefundExtent):
    """What one would give back: an amount, or so many units; without either, all that is left."""

    def refund_wish(self, *, purchase_id: UUID, limit: Money | None) -> RefundWish:
        """The request as its use case knows it."""
        return RefundWish(
            purchase_id=purchase_id, amount=self.money(), quantity=self.quantity, limit=limit
        )


class RefundListResponse(WireResponse):
    """The refunds of a purchase, newest first."""

    items: list[RefundResponse]
    next_cursor: str | None


# Purchase attempts


class CarrierAnswerResponse(WireResponse):
    """What the carrier answered, or what became of the call."""

    outcome: Literal["shipped", "not_shipped", "unknown"]
    message: str | None
    shipment_id: str | None
    answered_at: Instant | None

    @classmethod
    def of(cls, attempt: PurchaseAttempt) -> Self | None:
        """The answer that an attempt got, if any."""
        at = attempt.carrier_answered_at
        outcome = attempt.carrier_outcome
        if outcome is None and attempt.purchase is not None and attempt.resolution is None:
            outcome, at = Shipped(shipment_id=attempt.purchase.shipment_id), attempt.settled_at
        match outcome:
            case None:
                return None
            case Shipped(shipment_id=shipment_id):
                return cls(outcome="shipped", message=None, shipment_id=shipment_id, answered_at=at)
            case NotShipped(message=message):
                return cls(outcome="not_shipped", message=message, shipment_id=None, answered_at=at)
            case OutcomeUnknown(message=message):
                return cls(outcome="unknown", message=message, shipment_id=None, answered_at=at)


class AttemptResolutionResponse(WireResponse):
    """Who or what decided the outcome that the carrier had not told, and why."""

    actor: str
    reason: str


class AttemptResponse(WireResponse):
    """A purchase attempt. Its funds are held while it is PENDING or UNKNOWN."""

    id: UUID
    customer_id: UUID
    state: AttemptState
    product: ProductSnapshotResponse
    quantity: int
    subtotal: int
    discount: int
    total: int
    currency: str
    promo_code: str | None
    shipping_address: AddressResponse
    created_at: Instant
    created_by: str
    expires_at: Instant = Field(description="A PENDING attempt becomes UNKNOWN after this")
    unknown_since: Instant | None
    deadline_at: Instant | None = Field(
        description="An UNKNOWN attempt is voided in the customer's favour after this"
    )
    settled_at: Instant | None = Field(description="When it got its final outcome")
    carrier: CarrierAnswerResponse | None
    resolution: AttemptResolutionResponse | None
    possible_orphan: bool = Field(description="Voided, and yet a parcel may have been sent")
    purchase_id: UUID | None
    shipment_id: str | None

    @classmethod
    def of(cls, attempt: PurchaseAttempt) -> Self:
        """An attempt."""
        order, purchase, resolution = attempt.order, attempt.purchase, attempt.resolution
        return cls(
            id=attempt.id,
            customer_id=attempt.customer_id,
            state=attempt.state,
            product=ProductSnapshotResponse.of(order.product),
            quantity=order.quantity,
            subtotal=order.subtotal.amount_minor,
            discount=order.discount.amount_minor,
            total=order.total.amount_minor,
            currency=order.total.currency,
            promo_code=order.promo_code,
            shipping_address=AddressResponse.of(order.shipping_address),
            created_at=attempt.reserved_at,
            created_by=attempt.actor,
            expires_at=attempt.expires_at,
            unknown_since=attempt.unknown_since,
            deadline_at=attempt.deadline_at,
            settled_at=attempt.settled_at,
            carrier=CarrierAnswerResponse.of(attempt),
            resolution=AttemptResolutionResponse(actor=resolution.actor, reason=resolution.reason)
            if resolution
            else None,
            possible_orphan=attempt.possible_orphan,
            purchase_id=purchase.id if purchase else None,
            shipment_id=purchase.shipment_id if purchase else None,
        )


class NamedAttemptResponse(AttemptResponse):
    """A purchase attempt on a list of many customers'."""

    customer_name: str | None = Field(description="Null if unknown, or not asked for")

    @classmethod
    def named(cls, attempt: PurchaseAttempt, names: Mapping[UUID, str]) -> Self:
        """An attempt, with its customer's name if that is among the names."""
        fields = dict(AttemptResponse.of(attempt))
        return cls(**fields, customer_name=names.get(attempt.customer_id))


class AttemptListResponse(WireResponse):
    """Purchase attempts, newest first."""

    items: list[NamedAttemptResponse]
    next_cursor: str | None


class ResolveAttemptRequest(WireRequest):
    """What was found out about an attempt of unknown outcome."""

    outcome: Literal["shipped", "not_shipped"]
    shipment_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="The carrier's id; with outcome shipped, and only then",
        ),
    ] = None
    reason: Reason

    @model_validator(mode="after")
    def _shipment_id_goes_with_shipped(self) -> Self:
        if (self.outcome == "shipped") != (self.shipment_id is not None):
            raise ValueError("shipment_id goes with the outcome shipped, and only with it")
        return self

    def resolution_request(
        self, *, attempt_id: UUID, actor: str, idempotency_key: str
    ) -> ResolutionRequest:
        """The request as its use case knows it."""
        return ResolutionRequest(
            attempt_id=attempt_id,
            outcome=Shipped(shipment_id=self.shipment_id)
            if self.shipment_id is not None
            else NotShipped(message=self.reason),
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )


# Problems


class FieldErrorResponse(WireResponse):
    """One field of a request, and what is wrong with it."""

    field: str
    message: str


class ProblemResponse(BaseModel):
    """A problem (RFC 9457): what was wrong and what to do about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(description="Stable; made for programs")
    title: str
    status: int
    detail: str
    correlation_id: str = Field(description="Names this request in the log")
    errors: list[FieldErrorResponse] | None = None
    needed: int | None = None
    available: int | None = None
    refundable: int | None = None
    expected_total: int | None = None
    total: int | None = None
    currency: str | None = None
    attempt_id: UUID | None = None
    state: str | None = None
    promo_code: str | None = None
    restriction: str | None = None
    refundable_quantity: int | None = None
    version: int | None = None
    amount: int | None = None
    limit: int | None = None


# Quotes


class QuoteResponse(WireResponse):
    """What a purchase would cost now, and whether it would go through.

    ``total`` is what to send as ``expected_total``. Without a price (the promo code cannot be
    used) it is null, and so is ``discount``.
    """

    customer_id: UUID
    product: ProductSnapshotResponse
    quantity: int
    subtotal: int
    discount: int | None
    total: int | None
    currency: str
    promo_code: str | None
    available: int
    would_succeed: bool
    problem: ProblemResponse | None = Field(description="What a purchase would be refused with")

    @classmethod
    def of(cls, quote: Quote, problem: ProblemResponse | None) -> Self:
        """A quote."""
        order = quote.order
        return cls(
            customer_id=quote.wish.customer_id,
            product=ProductSnapshotResponse.of(quote.product),
            quantity=quote.wish.quantity,
            subtotal=quote.subtotal.amount_minor,
            discount=order.discount.amount_minor if order else None,
            total=order.total.amount_minor if order else None,
            currency=quote.subtotal.currency,
            promo_code=quote.wish.promo_code,
            available=quote.available.amount_minor,
            would_succeed=problem is None,
            problem=problem,
        )


class RefundQuoteResponse(WireResponse):
    """What a refund would come to now, and whether it would go through. Nothing is changed.

    What follows from the amount is null where the refund would be refused.
    """

    purchase_id: UUID
    customer_id: UUID
    amount: int | None
    quantity: int | None
    currency: str
    refunded_after: int | None = Field(description="Of the purchase, after the refund")
    refundable_after: int | None = Field(description="Of the purchase, after the refund")
    balance_before: int = Field(description="The customer's posted balance as it is")
    balance_after: int | None = Field(description="The customer's posted balance after the refund")
    would_succeed: bool
    problem: ProblemResponse | None = Field(description="What the refund would be refused with")

    @classmethod
    def of(cls, quote: RefundQuote, problem: ProblemResponse | None) -> Self:
        """A quote."""
        purchase, amount, after = quote.purchase, quote.amount, quote.account_after
        granted = amount if problem is None else None
        return cls(
            purchase_id=purchase.id,
            customer_id=purchase.customer_id,
            amount=amount.amount_minor if amount is not None else None,
            quantity=quote.wish.quantity,
            currency=purchase.order.total.currency,
            refunded_after=(purchase.refunded + granted).amount_minor
            if granted is not None
            else None,
            refundable_after=(purchase.refundable - granted).amount_minor
            if granted is not None
            else None,
            balance_before=quote.account.posted.amount_minor,
            balance_after=after.posted.amount_minor if after is not None else None,
            would_succeed=problem is None,
            problem=problem,
        )


# The rest


class HealthResponse(WireResponse):
    """The API is up."""

    status: Literal["ok"]
