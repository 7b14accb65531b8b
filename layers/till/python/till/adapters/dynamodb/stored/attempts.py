"""Purchase attempts as they are stored, the purchases that they become, and their refunds."""

from __future__ import annotations

from typing import Final, Literal, Self
from uuid import UUID

from till.adapters.dynamodb.stored.discounts import StoredDiscount, stored_discount
from till.adapters.dynamodb.stored.item import StoredItem, read, written
from till.adapters.dynamodb.stored.keys import (
    INDEX_SHARDS,
    PURCHASE_SORT_KEY,
    SHIPMENT_SORT_KEY,
    purchase_id_of,
    purchase_key,
    refund_key,
    shipment_key,
    short_id,
)
from till.domain.actor import Actor
from till.domain.catalogue import Address, Product
from till.domain.instant import format_instant, parse_instant
from till.domain.money import Money
from till.domain.promo import AppliedPromo
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


def state_shards(listed_as: AttemptState | PurchaseStatus | OrphanStatus) -> tuple[str, ...]:
    """The partitions of the index in which attempts are found by what they are listed as."""
    return tuple(_state_shard(listed_as, number) for number in range(INDEX_SHARDS))


def _state_shard(listed_as: AttemptState | PurchaseStatus | OrphanStatus, number: int) -> str:
    name = f"ORPHAN_{listed_as}" if isinstance(listed_as, OrphanStatus) else listed_as.value
    return f"{name}#{number % INDEX_SHARDS}"


class StoredProduct(StoredItem):
    """A product as it was sold."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int


class StoredAddress(StoredItem):
    """An address as it was used."""

    line1: str
    line2: str | None = None
    city: str
    postal_code: str
    state: str
    country: str


class StoredAppliedPromo(StoredItem):
    """The promo code of an order, and the rule as it was."""

    code: str
    version: int
    discount: StoredDiscount


class StoredOutcome(StoredItem):
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


class StoredResolution(StoredItem):
    """Who or what decided the outcome, and why."""

    actor: str
    actor_name: str | None = None
    reason: str

    @classmethod
    def of(cls, resolution: Resolution) -> Self:
        """A resolution as it is stored."""
        actor = resolution.actor
        return cls(actor=actor.subject, actor_name=actor.name, reason=resolution.reason)

    def resolution(self) -> Resolution:
        """The resolution as the domain knows it."""
        return Resolution(actor=Actor(self.actor, self.actor_name), reason=self.reason)


class StoredOrphanClosing(StoredItem):
    """Who closed a possible orphan shipment, when, why and by which request."""

    outcome: OrphanOutcome
    reason: str
    actor: str
    actor_name: str | None = None
    at: str
    idempotency_key: str
    fingerprint: str

    @classmethod
    def of(cls, closing: OrphanClosing) -> Self:
        """A closing as it is stored."""
        return cls(
            outcome=closing.outcome,
            reason=closing.reason,
            actor=closing.actor.subject,
            actor_name=closing.actor.name,
            at=format_instant(closing.at),
            idempotency_key=closing.idempotency_key,
            fingerprint=closing.fingerprint,
        )

    def closing(self) -> OrphanClosing:
        """The closing as the domain knows it."""
        return OrphanClosing(
            outcome=self.outcome,
            reason=self.reason,
            actor=Actor(self.actor, self.actor_name),
            at=parse_instant(self.at),
            idempotency_key=self.idempotency_key,
            fingerprint=self.fingerprint,
        )


class StoredOrphan(StoredItem):
    """A possible orphan shipment. It is open until it has a ``closing``."""

    since: str
    shipment_id: str | None = None
    closing: StoredOrphanClosing | None = None
    earlier_closings: list[StoredOrphanClosing] | None = None

    @classmethod
    def of(cls, orphan: OrphanShipment) -> Self:
        """A possible orphan shipment as it is stored."""
        return cls(
            since=format_instant(orphan.since),
            shipment_id=orphan.shipment_id,
            closing=StoredOrphanClosing.of(orphan.closing) if orphan.closing else None,
            earlier_closings=[StoredOrphanClosing.of(each) for each in orphan.earlier_closings]
            or None,
        )

    def orphan(self) -> OrphanShipment:
        """The possible orphan shipment as the domain knows it."""
        return OrphanShipment(
            since=parse_instant(self.since),
            shipment_id=self.shipment_id,
            closing=self.closing.closing() if self.closing else None,
            earlier_closings=tuple(each.closing() for each in self.earlier_closings or ()),
        )


class StoredShipmentClaim(StoredItem):
    """Purchases table: a shipment id belongs to this purchase. Never updated."""

    pk: str
    sk: str = SHIPMENT_SORT_KEY
    purchase_id: UUID

    @classmethod
    def of(cls, shipment_id: str, purchase_id: UUID) -> Self:
        """A claim as it is stored."""
        return cls(pk=shipment_key(shipment_id), purchase_id=purchase_id)


class StoredTerms(StoredItem):
    """What was asked for, and on which terms. No update may touch it."""

    pk: str
    sk: str
    short_id: str | None = None
    """The key of the index of short ids. Attempts of before it existed have none."""
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
    actor_name: str | None = None
    idempotency_key: str
    fingerprint: str
    reservation_id: str
    reserved_at: str
    expires_at: str


WRITTEN_ONCE: Final = frozenset(StoredTerms.model_fields)
"""The attributes of an attempt that no update may touch."""


class StoredAttempt(StoredTerms):
    """Purchases table: an attempt and, once it has a ``shipment_id``, the purchase it became."""

    revision: int
    account_version: int | None = None
    """The newest version of the account that was written together with this."""
    state: AttemptState
    state_shard: str
    state_at: str
    carrier: StoredOutcome | None = None
    shipped_again_at: str | None = None
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
        """An attempt as it is stored, without the version that is written with it."""
        order, product, address = (
            attempt.order,
            attempt.order.product,
            attempt.order.shipping_address,
        )
        purchase, resolution = attempt.purchase, attempt.resolution
        return cls(
            pk=purchase_key(attempt.id),
            sk=PURCHASE_SORT_KEY,
            short_id=short_id(attempt.id),
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
            actor=attempt.actor.subject,
            actor_name=attempt.actor.name,
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
            shipped_again_at=written(attempt.shipped_again_at),
            unknown_since=written(attempt.unknown_since),
            deadline_at=written(attempt.deadline_at),
            settled_at=written(attempt.settled_at),
            resolution=StoredResolution.of(resolution) if resolution else None,
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
            actor=Actor(self.actor, self.actor_name),
            idempotency_key=self.idempotency_key,
            fingerprint=self.fingerprint,
            reservation_id=self.reservation_id,
            reserved_at=parse_instant(self.reserved_at),
            expires_at=parse_instant(self.expires_at),
            revision=self.revision,
            state=self.state,
            carrier_outcome=self.carrier.outcome() if self.carrier else None,
            carrier_answered_at=read(self.carrier.at) if self.carrier else None,
            shipped_again_at=read(self.shipped_again_at),
            unknown_since=read(self.unknown_since),
            deadline_at=read(self.deadline_at),
            settled_at=read(self.settled_at),
            resolution=self.resolution.resolution() if self.resolution else None,
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
            created_by=Actor(self.actor, self.actor_name),
            refunded=Money(self.refunded or 0, self.currency),
            refund_count=self.refund_count or 0,
            refunded_quantity=self.refunded_quantity or 0,
        )


class StoredRefund(StoredItem):
    """Purchases table: a refund, next to its purchase. Never updated."""

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
    actor_name: str | None = None
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
            actor=refund.actor.subject,
            actor_name=refund.actor.name,
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
            actor=Actor(self.actor, self.actor_name),
            idempotency_key=self.idempotency_key,
            created_at=parse_instant(self.created_at),
            balance_after=Money(self.balance_after, self.currency),
            entry_sequence=self.entry_sequence,
        )
