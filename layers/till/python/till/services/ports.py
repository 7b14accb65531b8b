"""What the use cases need from outside, and the promises they rely on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from till.domain.errors import NotFoundError, TillError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from till.domain.account import Account, AccountChange
    from till.domain.catalogue import Customer, CustomerDetails, Product, Shown
    from till.domain.events import DomainEvent
    from till.domain.ledger import EntryKind
    from till.domain.promo import PromoChange, PromoCode, PromoState
    from till.domain.purchase import (
        AttemptState,
        Order,
        OrphanStatus,
        PurchaseAttempt,
        PurchaseStatus,
        Refund,
        ShipmentOutcome,
    )


class CustomerNotFoundError(NotFoundError):
    """The Customer API does not know this customer."""


class ProductNotFoundError(NotFoundError):
    """The Product API does not know this product."""


class UpstreamUnavailableError(TillError):
    """An external API could not be reached, or answered with a failure."""

    def __init__(self, api: str, detail: str) -> None:
        super().__init__(f"{api}: {detail}")
        self.api = api


class UpstreamContractError(TillError):
    """An external API answered with something that breaks its contract."""

    def __init__(self, api: str, detail: str) -> None:
        super().__init__(f"{api}: {detail}")
        self.api = api


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


class Deadline(Protocol):
    """How long this run may still work."""

    def remaining_seconds(self) -> float:
        """Seconds until this run is ended from outside."""
        ...


# The external APIs


class Customers(Protocol):
    """The Customer API."""

    def get(self, customer_id: UUID) -> Customer:
        """The customer as the API has it at this moment.

        Raises:
            CustomerNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure.
            UpstreamContractError: an answer that breaks the contract.
        """
        ...


class Products(Protocol):
    """The Product API."""

    def get(self, product_id: UUID) -> Product:
        """The product as the API has it at this moment.

        Raises:
            ProductNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure.
            UpstreamContractError: an answer that breaks the contract.
        """
        ...


class CatalogueView(Protocol):
    """Customers as they are shown to people: seconds old, or minutes in an outage."""

    def customer(self, customer_id: UUID) -> Shown[CustomerDetails]:
        """A customer.

        Raises:
            CustomerNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure, and no copy.
            UpstreamContractError: an answer that breaks the contract.
        """
        ...


class Carrier(Protocol):
    """The Shipment API: no idempotency, no look-up, no cancellation."""

    def create_shipment(
        self, order: Order, *, attempt_id: UUID, timeout_seconds: float
    ) -> ShipmentOutcome:
        """Call CreateShipment once, with no retry of any kind.

        The outcome says what the answer, or the lack of one, means. It raises no exception.
        """
        ...


class Incidents(Protocol):
    """What people must hear of immediately: each is a log line and a metric with an alarm."""

    def answer_not_recorded(self, attempt_id: UUID, outcome: ShipmentOutcome) -> None:
        """The carrier's answer could not be written down anywhere else."""
        ...

    def shipment_id_taken(self, attempt_id: UUID, shipment_id: str, purchase_id: UUID) -> None:
        """The carrier answered with the shipment id of another purchase."""
        ...


# Telling others what happened


class UnreadableRecordError(TillError):
    """What the ledger's stream brought is no version of an account as we know them.

    The message names what is wrong with it, and holds nothing of what was in it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlace:
    """Where a record came from: enough to find it, and nothing of what is in it."""

    partition_key: str
    sort_key: str
    sequence_number: str


class LedgerRecord(Protocol):
    """One new item of the ledger, as its stream brings it."""

    @property
    def place(self) -> RecordPlace:
        """Where it came from."""
        ...

    def change(self) -> AccountChange:
        """The version of an account that it is.

        Raises:
            UnreadableRecordError: it is none.
        """
        ...


class Ledger(Protocol):
    """The versions of accounts."""

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """One version.

        Raises:
            InconsistentReadError: there is none.
        """
        ...


class EventBus(Protocol):
    """Where others hear of domain events."""

    @property
    def most_at_once(self) -> int:
        """How many events one call takes."""
        ...

    def publish(self, events: Sequence[DomainEvent]) -> frozenset[UUID]:
        """Put events on the bus; gives back the ids of those that are now there.

        The others may be there as well. Send them again.
        """
        ...


class DeadLetters(Protocol):
    """Where unreadable records wait until a person has looked at them."""

    def park(self, place: RecordPlace, error: TillError) -> None:
        """Keep the record's place and what is wrong with it. Whatever fails here is raised."""
        ...


# The books


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedRequest:
    """A request that had its effect, kept permanently. A key belongs to a customer and operation.

    ``version`` is the version of the account that the request made, ``refund_number`` the number of
    the refund that it made, if it made one.
    """

    customer_id: UUID
    operation: str
    idempotency_key: str
    fingerprint: str
    version: int
    at: datetime
    refund_number: int | None = None


@dataclass(frozen=True, slots=True)
class AppendChange:
    """Write the next version of an account. Refused if that version exists."""

    change: AccountChange


@dataclass(frozen=True, slots=True)
class RememberRequest:
    """Write a request down. Refused if its key is taken."""

    request: RememberedRequest


@dataclass(frozen=True, slots=True)
class CreateAttempt:
    """Write a new purchase attempt. Refused if its id is taken."""

    attempt: PurchaseAttempt


@dataclass(frozen=True, slots=True)
class UpdateAttempt:
    """Write the changed parts of an attempt. Refused if its stored revision is another."""

    before: PurchaseAttempt
    after: PurchaseAttempt


@dataclass(frozen=True, slots=True)
class AddRefund:
    """Write a refund. Refused if the purchase has one of that number."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class ClaimShipment:
    """Make a shipment id belong to a purchase. Refused if it belongs to one already."""

    shipment_id: str
    purchase_id: UUID


@dataclass(frozen=True, slots=True)
class Redeem:
    """Count a promo code as used by a customer.

    Refused if the code has another version by now, or if it, or this customer, has used up its
    redemptions: the counts are checked as they are when this is written.
    """

    promo: PromoCode
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class GiveRedemptionBack:
    """Undo one ``Redeem`` of a customer.

    It happens once because the attempt is voided once, in the same transaction.
    """

    code: str
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class ChangePromo:
    """Write the next version of a promo code, or its first. Refused if that version exists."""

    change: PromoChange


Write = (
    AppendChange
    | RememberRequest
    | CreateAttempt
    | UpdateAttempt
    | AddRefund
    | ClaimShipment
    | Redeem
    | GiveRedemptionBack
    | ChangePromo
)


class ReadAgainError(TillError):
    """What was read cannot be built on: read again, and decide by what is there then."""


class UnconfirmedCommitError(ReadAgainError):
    """A commit was refused because what it builds on has changed, or its effect is unknown.

    Both call for the same: read again.
    """


class StoreUnreadableError(ReadAgainError):
    """The tables could not be read at this moment."""


class InconsistentReadError(ReadAgainError):
    """What was read contradicts itself.

    The items of one transaction may become visible one after the other, and two reads may have seen
    different times. Only if it stays like this is something corrupt.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Versions of an account, newest first; ``before`` is where to go on, None at the end."""

    changes: tuple[AccountChange, ...]
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAccount:
    """A customer who has an account, since when, and its place in the list of all."""

    customer_id: UUID
    opened_at: datetime
    place: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Accounts, newest first; ``before`` is where to go on, None at the end."""

    accounts: tuple[OpenedAccount, ...]
    before: str | None


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """Attempts, newest first; ``before`` is where to go on, None at the end."""

    attempts: tuple[PurchaseAttempt, ...]
    before: str | None


@dataclass(frozen=True, slots=True)
class WorkPage:
    """Attempts, oldest first; ``after`` is where to go on, None at the end.

    ``count`` is how many the page lists, ``oldest`` since when the first of them is listed; both
    include attempts that cannot be read.
    """

    attempts: tuple[PurchaseAttempt, ...]
    count: int
    oldest: datetime | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RefundPage:
    """Refunds, newest first; ``before`` is the number of the last one if there are more."""

    refunds: tuple[Refund, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class PromoPage:
    """Promo codes, newest first; ``before`` is where to go on, None at the end."""

    promos: tuple[PromoCode, ...]
    before: str | None


class Store(Protocol):
    """The ledger and the purchases. Reads of single things see every commit before them.

    Every read may raise StoreUnreadableError. In lists, an item that cannot be read is left out,
    counted and logged: one broken item never hides the others.
    """

    def within(self, deadline: Deadline) -> Store:
        """The same tables, with calls that take no longer than the deadline leaves."""
        ...

    def isolated(self) -> Store:
        """The same tables, with reads of single things that see whole transactions only.

        Other reads may see one item of a transaction and not yet another. These cost twice as much.
        """
        ...

    def commit(self, *writes: Write) -> None:
        """All the writes, or none of them.

        Raises:
            UnconfirmedCommitError: refused, or of unknown effect: read again.
        """
        ...

    def account(self, customer_id: UUID) -> Account:
        """The newest version of an account; version 0 for a customer who has none."""
        ...

    def accounts(self, *, before: str | None, limit: int) -> AccountPage:
        """The accounts there are, newest first. May lag the commits by a moment."""
        ...

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """A version of an account that is known to exist.

        Raises:
            InconsistentReadError: it is not there, or not visible yet.
        """
        ...

    def entries(
        self, customer_id: UUID, *, kind: EntryKind | None, before: int | None, limit: int
    ) -> ChangePage:
        """The versions that carry a ledger entry (of a kind), newest first."""
        ...

    def remembered(
        self, customer_id: UUID, operation: str, idempotency_key: str
    ) -> RememberedRequest | None:
        """What is kept under a key."""
        ...

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt | None:
        """An attempt, and the purchase it became."""
        ...

    def attempts(self, attempt_ids: tuple[UUID, ...]) -> tuple[PurchaseAttempt, ...]:
        """Those of the attempts that exist, in the order asked for."""
        ...

    def list_attempts(
        self,
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
        *,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        """Attempts by what they are listed as, newest first, entered in [since, until).

        This read may lag the commits by a moment.
        """
        ...

    def oldest_attempts(
        self,
        listed_as: AttemptState | OrphanStatus,
        *,
        after: str | None,
        limit: int,
    ) -> WorkPage:
        """Attempts by what they are listed as, oldest first: a work list.

        This read may lag the commits by a moment.
        """
        ...

    def purchase_of_shipment(self, shipment_id: str) -> UUID | None:
        """The purchase that a shipment id belongs to."""
        ...

    def promo(self, code: str) -> PromoCode | None:
        """A promo code as it now is."""
        ...

    def promo_changes(self, code: str) -> tuple[PromoChange, ...]:
        """Every version of a promo code, oldest first."""
        ...

    def promos(
        self, states: tuple[PromoState, ...], *, before: str | None, limit: int
    ) -> PromoPage:
        """Promo codes in any of the states, the newest first."""
        ...

    def redemptions_of(self, code: str, customer_id: UUID) -> int:
        """How many purchases of a customer use a promo code, the open ones included."""
        ...

    def refund(self, purchase_id: UUID, number: int) -> Refund:
        """A refund that is known to exist.

        Raises:
            InconsistentReadError: it is not there, or not visible yet.
        """
        ...

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        """The refunds of a purchase with a number below ``before``, newest first."""
        ...
