"""The items of both tables, as they are stored, and their translation to the domain and back.

These models are the schema of the tables. The domain does not know them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from till.domain.account import Account, AccountChange, ChangeKind, OpenAttempt
from till.domain.catalogue import Address, Product
from till.domain.errors import TillError
from till.domain.instant import format_instant, parse_instant
from till.domain.ledger import Cause, EntryKind, LedgerCorruptError, LedgerEntry
from till.domain.money import CURRENCY, Money
from till.domain.promo import (
    AppliedPromo,
    Discount,
    FixedDiscount,
    PercentageDiscount,
    PromoAction,
    PromoChange,
    PromoCode,
    PromoState,
    PromoTerms,
)
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    Order,
    OrphanClosing,
    OrphanOutcome,
    OrphanShipment,
    OrphanStatus,
    OutcomeUnknown,
    Purchase,
    PurchaseAttempt,
    PurchaseStatus,
    Refund,
    Resolution,
    ShipmentOutcome,
    Shipped,
)
from till.services.ports import RememberedRequest

INDEX_SHARDS: Final = 4
"""Over how many partitions of the index each state is spread, so that none runs hot."""

VERSION_PREFIX: Final = "VERSION#"
REFUND_PREFIX: Final = "REFUND#"
PURCHASE_SORT_KEY: Final = "PURCHASE"
SHIPMENT_SORT_KEY: Final = "SHIPMENT"
PROMO_SORT_KEY: Final = "PROMO"


UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TillError,
    TypeError,
    ValueError,
)
"""What reading an item can raise that is not what it should be (pydantic's ``ValidationError`` is a
``ValueError``). Anything else is our own mistake, and must not look like a bad item."""


def account_key(customer_id: UUID) -> str:
    """The partition of a customer's account in the ledger table."""
    return f"ACCOUNT#{customer_id}"


def version_key(version: int) -> str:
    """The sort key of a version of an account. Its width makes text sort like numbers."""
    return f"{VERSION_PREFIX}{version:016d}"


def request_key(operation: str, idempotency_key: str) -> str:
    """The sort key of a remembered request."""
    return f"REQUEST#{operation}#{idempotency_key}"


def purchase_key(attempt_id: UUID) -> str:
    """The partition of an attempt, the purchase it became, and its refunds."""
    return f"PURCHASE#{attempt_id}"


def purchase_id_of(key: str) -> UUID:
    """The id in the key that ``purchase_key`` made."""
    return UUID(key.removeprefix("PURCHASE#"))


def refund_key(number: int) -> str:
    """The sort key of a refund of a purchase."""
    return f"{REFUND_PREFIX}{number:08d}"


def shipment_key(shipment_id: str) -> str:
    """The partition of the claim of a shipment id."""
    return f"SHIPMENT#{shipment_id}"


def promo_key(code: str) -> str:
    """The partition of a promo code, its history and its redemptions."""
    return f"PROMO#{code}"


def redemptions_key(customer_id: UUID) -> str:
    """The sort key of a customer's redemptions of a promo code."""
    return f"CUSTOMER#{customer_id}"


def state_shards(listed_as: AttemptState | PurchaseStatus | OrphanStatus) -> tuple[str, ...]:
    """The partitions of the index in which attempts are found by what they are listed as."""
    return tuple(_state_shard(listed_as, number) for number in range(INDEX_SHARDS))


def _state_shard(listed_as: AttemptState | PurchaseStatus | OrphanStatus, number: int) -> str:
    name = f"ORPHAN_{listed_as}" if isinstance(listed_as, OrphanStatus) else listed_as.value
    return f"{name}#{number % INDEX_SHARDS}"


def promo_shards(state: PromoState) -> tuple[str, ...]:
    """The partitions of the index in which the promo codes of a state are found."""
    return (f"PROMO_{state.value}",)


OPENED_SHARDS: Final = tuple(f"ACCOUNT#{shard}" for shard in range(INDEX_SHARDS))
"""The partitions of the index in which the accounts are found."""


def opened_shard(customer_id: UUID) -> str:
    """The partition of the index in which a customer's account is found."""
    return OPENED_SHARDS[customer_id.int % INDEX_SHARDS]


def _written(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None


def _read(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def values(self) -> dict[str, object]:
        """The attributes to store; what is None is not stored."""
        return self.model_dump(mode="json", exclude_none=True)


class StoredOpenAttempt(_Stored):
    """An open attempt, within a version of an account."""

    attempt_id: UUID
    product_id: UUID
    quantity: int
    amount: int
    blocks_from: str


class StoredChange(_Stored):
    """Ledger table: one version of an account, and the change that made it. Never updated.

    ``entry_id`` is there if and only if the change posted money: then the item is the ledger
    entry, with ``posted`` its balance after and ``entry_hash`` its hash.
    """

    pk: str
    sk: str
    customer_id: UUID
    version: int
    kind: ChangeKind
    amount: int
    currency: str
    posted: int
    held: int
    sequence: int
    purchases: int
    entry_hash: str
    open_attempts: list[StoredOpenAttempt] | None = None
    actor: str
    reason: str
    idempotency_key: str
    at: str
    attempt_id: UUID | None = None
    refund_id: UUID | None = None
    entry_id: UUID | None = None
    previous_hash: str | None = None
    opened_shard: str | None = None
    """With ``opened_at`` on the first version only: the keys of the index of accounts."""
    opened_at: str | None = None

    @classmethod
    def of(cls, change: AccountChange) -> Self:
        """A change as it is stored."""
        account, cause, entry = change.account, change.cause, change.entry
        at = format_instant(cause.at)
        opens = account.version == 1
        open_attempts = [
            StoredOpenAttempt(
                attempt_id=attempt.attempt_id,
                product_id=attempt.product_id,
                quantity=attempt.quantity,
                amount=attempt.amount.amount_minor,
                blocks_from=format_instant(attempt.blocks_from),
            )
            for attempt in account.open_attempts
        ]
        return cls(
            pk=account_key(account.customer_id),
            sk=version_key(account.version),
            customer_id=account.customer_id,
            version=account.version,
            kind=change.kind,
            amount=change.amount.amount_minor,
            currency=account.posted.currency,
            posted=account.posted.amount_minor,
            held=account.held.amount_minor,
            sequence=account.sequence,
            purchases=account.purchases,
            entry_hash=account.entry_hash,
            open_attempts=open_attempts or None,
            actor=cause.actor,
            reason=cause.reason,
            idempotency_key=cause.idempotency_key,
            at=at,
            attempt_id=change.attempt_id,
            refund_id=entry.refund_id if entry else None,
            entry_id=entry.id if entry else None,
            previous_hash=entry.previous_hash if entry else None,
            opened_shard=opened_shard(account.customer_id) if opens else None,
            opened_at=f"{at}#{account.customer_id}" if opens else None,
        )

    def change(self) -> AccountChange:
        """The change as the domain knows it.

        Raises:
            LedgerCorruptError: what is held is not the sum of the open attempts.
        """
        at = parse_instant(self.at)
        account = Account(
            customer_id=self.customer_id,
            version=self.version,
            sequence=self.sequence,
            posted=Money(self.posted, self.currency),
            entry_hash=self.entry_hash,
            open_attempts=tuple(
                OpenAttempt(
                    attempt_id=attempt.attempt_id,
                    product_id=attempt.product_id,
                    quantity=attempt.quantity,
                    amount=Money(attempt.amount, self.currency),
                    blocks_from=parse_instant(attempt.blocks_from),
                )
                for attempt in self.open_attempts or ()
            ),
            purchases=self.purchases,
            updated_at=at,
        )
        if account.held.amount_minor != self.held:
            raise LedgerCorruptError(
                sequence=self.sequence,
                detail=f"version {self.version} holds other than its open attempts",
            )
        return AccountChange(
            account=account,
            kind=self.kind,
            amount=Money(self.amount, self.currency),
            cause=Cause(
                actor=self.actor, at=at, reason=self.reason, idempotency_key=self.idempotency_key
            ),
            attempt_id=self.attempt_id,
            entry=self._entry(account),
        )

    def _entry(self, account: Account) -> LedgerEntry | None:
        if self.entry_id is None or self.previous_hash is None or account.updated_at is None:
            return None
        return LedgerEntry(
            id=self.entry_id,
            customer_id=self.customer_id,
            sequence=self.sequence,
            kind=EntryKind(self.kind.value),
            amount=Money(self.amount, self.currency),
            balance_after=account.posted,
            reason=self.reason,
            actor=self.actor,
            idempotency_key=self.idempotency_key,
            purchase_id=self.attempt_id,
            refund_id=self.refund_id,
            created_at=account.updated_at,
            previous_hash=self.previous_hash,
            hash=self.entry_hash,
        )


class StoredRequest(_Stored):
    """Ledger table: a request that had its effect. Never updated."""

    pk: str
    sk: str
    customer_id: UUID
    operation: str
    idempotency_key: str
    fingerprint: str
    version: int
    at: str
    refund_number: int | None = None

    @classmethod
    def of(cls, request: RememberedRequest) -> Self:
        """A request as it is stored."""
        return cls(
            pk=account_key(request.customer_id),
            sk=request_key(request.operation, request.idempotency_key),
            customer_id=request.customer_id,
            operation=request.operation,
            idempotency_key=request.idempotency_key,
            fingerprint=request.fingerprint,
            version=request.version,
            at=format_instant(request.at),
            refund_number=request.refund_number,
        )

    def request(self) -> RememberedRequest:
        """The request as the use cases know it."""
        return RememberedRequest(
            customer_id=self.customer_id,
            operation=self.operation,
            idempotency_key=self.idempotency_key,
            fingerprint=self.fingerprint,
            version=self.version,
            at=parse_instant(self.at),
            refund_number=self.refund_number,
        )


class StoredProduct(_Stored):
    """A product as it was sold."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int


class StoredAddress(_Stored):
    """An address as it was used."""

    line1: str
    line2: str | None = None
    city: str
    postal_code: str
    state: str
    country: str


class StoredPercentageDiscount(_Stored):
    """A percentage off, at most ``max_amount``."""

    type: Literal["percentage"] = "percentage"
    percent: int
    max_amount: int | None = None

    def discount(self, currency: str) -> Discount:
        """The discount as the domain knows it."""
        most = Money(self.max_amount, currency) if self.max_amount is not None else None
        return PercentageDiscount(percent=self.percent, max_amount=most)


class StoredFixedDiscount(_Stored):
    """A fixed amount off."""

    type: Literal["fixed"] = "fixed"
    amount: int

    def discount(self, currency: str) -> Discount:
        """The discount as the domain knows it."""
        return FixedDiscount(amount=Money(self.amount, currency))


StoredDiscount = Annotated[
    StoredPercentageDiscount | StoredFixedDiscount, Field(discriminator="type")
]


def stored_discount(discount: Discount) -> StoredPercentageDiscount | StoredFixedDiscount:
    """A discount as it is stored."""
    match discount:
        case PercentageDiscount(percent=percent, max_amount=max_amount):
            return StoredPercentageDiscount(
                percent=percent,
                max_amount=max_amount.amount_minor if max_amount is not None else None,
            )
        case FixedDiscount(amount=amount):
            return StoredFixedDiscount(amount=amount.amount_minor)


class StoredAppliedPromo(_Stored):
    """The promo code of an order, and the rule as it was."""

    code: str
    version: int
    discount: StoredDiscount


class StoredOutcome(_Stored):
    """What the carrier answered."""

    kind: Literal["shipped", "not_shipped", "unknown"]
    detail: str
    at: str

    @classmethod
    def of(cls, attempt: PurchaseAttempt) -> Self | None:
        """The answer as it is stored."""
        if attempt.carrier_outcome is None or attempt.carrier_answered_at is None:
            return None
        at = format_instant(attempt.carrier_answered_at)
        match attempt.carrier_outcome:
            case Shipped(shipment_id=detail):
                return cls(kind="shipped", detail=detail, at=at)
            case NotShipped(message=detail):
                return cls(kind="not_shipped", detail=detail, at=at)
            case OutcomeUnknown(message=detail):
                return cls(kind="unknown", detail=detail, at=at)

    def outcome(self) -> ShipmentOutcome:
        """The answer as the domain knows it."""
        match self.kind:
            case "shipped":
                return Shipped(shipment_id=self.detail)
            case "not_shipped":
                return NotShipped(message=self.detail)
            case "unknown":
                return OutcomeUnknown(message=self.detail)


class StoredResolution(_Stored):
    """Who or what decided the outcome, and why."""

    actor: str
    reason: str


class StoredOrphanClosing(_Stored):
    """Who closed a possible orphan shipment, when, why and by which request."""

    outcome: OrphanOutcome
    reason: str
    actor: str
    at: str
    idempotency_key: str
    fingerprint: str


class StoredOrphan(_Stored):
    """A possible orphan shipment. It is open until it has a ``closing``."""

    since: str
    shipment_id: str | None = None
    closing: StoredOrphanClosing | None = None

    @classmethod
    def of(cls, orphan: OrphanShipment) -> Self:
        """A possible orphan shipment as it is stored."""
        closing = orphan.closing
        return cls(
            since=format_instant(orphan.since),
            shipment_id=orphan.shipment_id,
            closing=StoredOrphanClosing(
                outcome=closing.outcome,
                reason=closing.reason,
                actor=closing.actor,
                at=format_instant(closing.at),
                idempotency_key=closing.idempotency_key,
                fingerprint=closing.fingerprint,
            )
            if closing
            else None,
        )

    def orphan(self) -> OrphanShipment:
        """The possible orphan shipment as the domain knows it."""
        closing = self.closing
        return OrphanShipment(
            since=parse_instant(self.since),
            shipment_id=self.shipment_id,
            closing=OrphanClosing(
                outcome=closing.outcome,
                reason=closing.reason,
                actor=closing.actor,
                at=parse_instant(closing.at),
                idempotency_key=closing.idempotency_key,
                fingerprint=closing.fingerprint,
            )
            if closing
            else None,
        )


class StoredShipmentClaim(_Stored):
    """Purchases table: a shipment id belongs to this purchase. Never updated."""

    pk: str
    sk: str = SHIPMENT_SORT_KEY
    purchase_id: UUID

    @classmethod
    def of(cls, shipment_id: str, purchase_id: UUID) -> Self:
        """A claim as it is stored."""
        return cls(pk=shipment_key(shipment_id), purchase_id=purchase_id)


class StoredAttempt(_Stored):
    """Purchases table: an attempt and, once it has a ``shipment_id``, the purchase it became.

    The attributes of ``WRITTEN_ONCE`` are never updated.
    """

    pk: str
    sk: str
    customer_id: UUID
    product: StoredProduct
    quantity: int
    subtotal: int
    discount: int
    total: int
    currency: str
    promo: StoredAppliedPromo | None = None
    address: StoredAddress
    actor: str
    idempotency_key: str
    fingerprint: str
    reservation_id: str
    reserved_at: str
    expires_at: str

    revision: int
    state: AttemptState
    state_shard: str
    state_at: str
    carrier: StoredOutcome | None = None
    unknown_since: str | None = None
    deadline_at: str | None = None
    settled_at: str | None = None
    resolution: StoredResolution | None = None
    orphan: StoredOrphan | None = None
    shipment_id: str | None = None
    refunded: int | None = None
    refund_count: int | None = None
    refunded_quantity: int | None = None

    @property
    def id(self) -> UUID:
        """The attempt's id, and the purchase's."""
        return purchase_id_of(self.pk)

    @classmethod
    def of(cls, attempt: PurchaseAttempt) -> Self:
        """An attempt as it is stored."""
        order, product, address = (
            attempt.order,
            attempt.order.product,
            attempt.order.shipping_address,
        )
        purchase, resolution = attempt.purchase, attempt.resolution
        return cls(
            pk=purchase_key(attempt.id),
            sk=PURCHASE_SORT_KEY,
            customer_id=attempt.customer_id,
            product=StoredProduct(
                id=product.id,
                sku=product.sku,
                name=product.name,
                description=product.description,
                unit_price=product.unit_price.amount_minor,
            ),
            quantity=order.quantity,
            subtotal=order.subtotal.amount_minor,
            discount=order.discount.amount_minor,
            total=order.total.amount_minor,
            currency=order.total.currency,
            promo=StoredAppliedPromo(
                code=order.promo.code,
                version=order.promo.version,
                discount=stored_discount(order.promo.discount),
            )
            if order.promo
            else None,
            address=StoredAddress(
                line1=address.line1,
                line2=address.line2,
                city=address.city,
                postal_code=address.postal_code,
                state=address.state,
                country=address.country,
            ),
            actor=attempt.actor,
            idempotency_key=attempt.idempotency_key,
            fingerprint=attempt.fingerprint,
            reservation_id=attempt.reservation_id,
            reserved_at=format_instant(attempt.reserved_at),
            expires_at=format_instant(attempt.expires_at),
            revision=attempt.revision,
            state=attempt.state,
            state_shard=_state_shard(attempt.listed_as, attempt.id.int),
            state_at=f"{format_instant(attempt.state_since)}#{attempt.id}",
            carrier=StoredOutcome.of(attempt),
            unknown_since=_written(attempt.unknown_since),
            deadline_at=_written(attempt.deadline_at),
            settled_at=_written(attempt.settled_at),
            resolution=StoredResolution(actor=resolution.actor, reason=resolution.reason)
            if resolution
            else None,
            orphan=StoredOrphan.of(attempt.orphan) if attempt.orphan else None,
            shipment_id=purchase.shipment_id if purchase else None,
            refunded=purchase.refunded.amount_minor if purchase else None,
            refund_count=purchase.refund_count if purchase else None,
            refunded_quantity=purchase.refunded_quantity or None if purchase else None,
        )

    def attempt(self) -> PurchaseAttempt:
        """The attempt as the domain knows it."""
        order = self._order()
        return PurchaseAttempt(
            id=self.id,
            customer_id=self.customer_id,
            order=order,
            actor=self.actor,
            idempotency_key=self.idempotency_key,
            fingerprint=self.fingerprint,
            reservation_id=self.reservation_id,
            reserved_at=parse_instant(self.reserved_at),
            expires_at=parse_instant(self.expires_at),
            revision=self.revision,
            state=self.state,
            carrier_outcome=self.carrier.outcome() if self.carrier else None,
            carrier_answered_at=_read(self.carrier.at) if self.carrier else None,
            unknown_since=_read(self.unknown_since),
            deadline_at=_read(self.deadline_at),
            settled_at=_read(self.settled_at),
            resolution=Resolution(actor=self.resolution.actor, reason=self.resolution.reason)
            if self.resolution
            else None,
            orphan=self.orphan.orphan() if self.orphan else None,
            purchase=self._purchase(order),
        )

    def _order(self) -> Order:
        product, address = self.product, self.address
        return Order(
            product=Product(
                id=product.id,
                sku=product.sku,
                name=product.name,
                description=product.description,
                unit_price=Money(product.unit_price, self.currency),
            ),
            quantity=self.quantity,
            subtotal=Money(self.subtotal, self.currency),
            discount=Money(self.discount, self.currency),
            total=Money(self.total, self.currency),
            promo=AppliedPromo(
                code=self.promo.code,
                version=self.promo.version,
                discount=self.promo.discount.discount(self.currency),
            )
            if self.promo
            else None,
            shipping_address=Address(
                line1=address.line1,
                line2=address.line2,
                city=address.city,
                postal_code=address.postal_code,
                state=address.state,
                country=address.country,
            ),
        )

    def _purchase(self, order: Order) -> Purchase | None:
        if self.shipment_id is None or self.settled_at is None:
            return None
        return Purchase(
            id=self.id,
            customer_id=self.customer_id,
            order=order,
            shipment_id=self.shipment_id,
            created_at=parse_instant(self.settled_at),
            created_by=self.actor,
            refunded=Money(self.refunded or 0, self.currency),
            refund_count=self.refund_count or 0,
            refunded_quantity=self.refunded_quantity or 0,
        )


WRITTEN_ONCE: Final = frozenset(
    {
        "pk",
        "sk",
        "customer_id",
        "product",
        "quantity",
        "subtotal",
        "discount",
        "total",
        "currency",
        "promo",
        "address",
        "actor",
        "idempotency_key",
        "fingerprint",
        "reservation_id",
        "reserved_at",
        "expires_at",
    }
)
"""The attributes of an attempt that no update may touch: what was asked for, and the terms."""


class StoredRefund(_Stored):
    """Purchases table: a refund, beside its purchase. Never updated."""

    pk: str
    sk: str
    id: UUID
    purchase_id: UUID
    customer_id: UUID
    number: int
    quantity: int | None = None
    amount: int
    refunded_after: int
    refundable_after: int
    currency: str
    reason: str
    actor: str
    idempotency_key: str
    created_at: str
    balance_after: int
    entry_sequence: int

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """A refund as it is stored."""
        return cls(
            pk=purchase_key(refund.purchase_id),
            sk=refund_key(refund.number),
            id=refund.id,
            purchase_id=refund.purchase_id,
            customer_id=refund.customer_id,
            number=refund.number,
            quantity=refund.quantity,
            amount=refund.amount.amount_minor,
            refunded_after=refund.refunded_after.amount_minor,
            refundable_after=refund.refundable_after.amount_minor,
            currency=refund.amount.currency,
            reason=refund.reason,
            actor=refund.actor,
            idempotency_key=refund.idempotency_key,
            created_at=format_instant(refund.created_at),
            balance_after=refund.balance_after.amount_minor,
            entry_sequence=refund.entry_sequence,
        )

    def refund(self) -> Refund:
        """The refund as the domain knows it."""
        return Refund(
            id=self.id,
            purchase_id=self.purchase_id,
            customer_id=self.customer_id,
            number=self.number,
            quantity=self.quantity,
            amount=Money(self.amount, self.currency),
            refunded_after=Money(self.refunded_after, self.currency),
            refundable_after=Money(self.refundable_after, self.currency),
            reason=self.reason,
            actor=self.actor,
            idempotency_key=self.idempotency_key,
            created_at=parse_instant(self.created_at),
            balance_after=Money(self.balance_after, self.currency),
            entry_sequence=self.entry_sequence,
        )


class StoredPromoTerms(_Stored):
    """What a promo code takes off, and its restrictions."""

    discount: StoredDiscount
    currency: str
    valid_from: str | None = None
    valid_until: str | None = None
    max_redemptions: int | None = None
    max_redemptions_per_customer: int | None = None
    minimum_subtotal: int | None = None
    product_ids: list[UUID] | None = None
    customer_ids: list[UUID] | None = None
    first_purchase_only: bool = False

    @classmethod
    def of(cls, terms: PromoTerms) -> Self:
        """Terms as they are stored."""
        least = terms.minimum_subtotal
        return cls(
            discount=stored_discount(terms.discount),
            currency=CURRENCY,
            valid_from=_written(terms.valid_from),
            valid_until=_written(terms.valid_until),
            max_redemptions=terms.max_redemptions,
            max_redemptions_per_customer=terms.max_redemptions_per_customer,
            minimum_subtotal=least.amount_minor if least is not None else None,
            product_ids=sorted(terms.product_ids) if terms.product_ids is not None else None,
            customer_ids=sorted(terms.customer_ids) if terms.customer_ids is not None else None,
            first_purchase_only=terms.first_purchase_only,
        )

    def terms(self) -> PromoTerms:
        """The terms as the domain knows them."""
        least = self.minimum_subtotal
        return PromoTerms(
            discount=self.discount.discount(self.currency),
            valid_from=_read(self.valid_from),
            valid_until=_read(self.valid_until),
            max_redemptions=self.max_redemptions,
            max_redemptions_per_customer=self.max_redemptions_per_customer,
            minimum_subtotal=Money(least, self.currency) if least is not None else None,
            product_ids=frozenset(self.product_ids) if self.product_ids is not None else None,
            customer_ids=frozenset(self.customer_ids) if self.customer_ids is not None else None,
            first_purchase_only=self.first_purchase_only,
        )


class StoredPromoVersion(_Stored):
    """Purchases table: one version of a promo code's terms. Never updated."""

    pk: str
    sk: str
    code: str
    version: int
    action: PromoAction
    state: PromoState
    terms: StoredPromoTerms
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str

    @classmethod
    def of(cls, change: PromoChange) -> Self:
        """A version as it is stored."""
        promo = change.promo
        return cls(
            pk=promo_key(promo.code),
            sk=version_key(promo.version),
            code=promo.code,
            version=promo.version,
            action=change.action,
            state=promo.state,
            terms=StoredPromoTerms.of(promo.terms),
            created_at=format_instant(promo.created_at),
            created_by=promo.created_by,
            updated_at=format_instant(promo.updated_at),
            updated_by=promo.updated_by,
        )

    def promo(self, *, redemptions: int) -> PromoCode:
        """The promo code at this version."""
        return PromoCode(
            code=self.code,
            version=self.version,
            state=self.state,
            terms=self.terms.terms(),
            redemptions=redemptions,
            created_at=parse_instant(self.created_at),
            created_by=self.created_by,
            updated_at=parse_instant(self.updated_at),
            updated_by=self.updated_by,
        )

    def change(self) -> PromoChange:
        """The version as the domain knows it."""
        return PromoChange(promo=self.promo(redemptions=0), action=self.action)


class StoredPromo(StoredPromoVersion):
    """Purchases table: a promo code as it now is, and how often it is used."""

    redemptions: int
    state_shard: str
    state_at: str

    @classmethod
    def head(cls, change: PromoChange) -> Self:
        """The newest version as it is stored."""
        version = StoredPromoVersion.of(change)
        (shard,) = promo_shards(change.promo.state)
        return cls(
            **dict(version) | {"sk": PROMO_SORT_KEY},
            redemptions=change.promo.redemptions,
            state_shard=shard,
            state_at=f"{version.created_at}#{version.code}",
        )
