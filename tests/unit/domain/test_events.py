from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from tests.unit.fakes import opened
from till.domain.account import Account, AccountChange, ChangeKind
from till.domain.actor import Actor
from till.domain.events import DomainEvent, EventName, event_of
from till.domain.ledger import Cause, LedgerCorruptError
from till.domain.money import Money

ATTEMPT, REFUND, PRODUCT = uuid4(), uuid4(), uuid4()
PRICE = Money(1_000)
CAUSE = Cause(
    actor=Actor("rita"),
    at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    reason="Ms. Miller rang",
    idempotency_key="key-1",
)


def life(customer_id: UUID) -> dict[ChangeKind, AccountChange]:
    """A change of each kind."""
    account = Account.empty(customer_id)
    granted = account.grant(Money(5_000), CAUSE)
    held = granted.account.hold(opened(PRICE, attempt_id=ATTEMPT, product_id=PRODUCT), CAUSE)
    unknown = held.account.mark_unknown(ATTEMPT, CAUSE)
    bought = unknown.account.post_hold(ATTEMPT, CAUSE)
    refunded = bought.account.refund(Money(400), CAUSE, purchase_id=ATTEMPT, refund_id=REFUND)
    changes = (
        granted,
        held,
        unknown,
        held.account.void_hold(ATTEMPT, CAUSE),
        bought,
        refunded,
        refunded.account.deduct(Money(300), CAUSE),
    )
    return {change.kind: change for change in changes}


@pytest.fixture
def changes() -> dict[ChangeKind, AccountChange]:
    return life(uuid4())


def told(change: AccountChange) -> DomainEvent:
    event = event_of(change)
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("kind", "name", "amount", "about"),
    [
        (ChangeKind.GRANT, EventName.CREDIT_GRANTED, 5_000, (None, None)),
        (ChangeKind.DEDUCTION, EventName.CREDIT_DEDUCTED, 300, (None, None)),
        (ChangeKind.PURCHASE, EventName.PURCHASE_COMPLETED, 1_000, (ATTEMPT, None)),
        (ChangeKind.VOID, EventName.PURCHASE_VOIDED, 1_000, (ATTEMPT, None)),
        (ChangeKind.UNKNOWN, EventName.PURCHASE_UNKNOWN, 1_000, (ATTEMPT, None)),
        (ChangeKind.REFUND, EventName.REFUND_ISSUED, 400, (ATTEMPT, REFUND)),
    ],
)
def test_each_kind_of_change_is_one_event(
    changes: dict[ChangeKind, AccountChange],
    kind: ChangeKind,
    name: EventName,
    amount: int,
    about: tuple[UUID | None, UUID | None],
) -> None:
    change = changes[kind]
    event = told(change)
    assert (event.name, event.amount) == (name, Money(amount))
    assert (event.attempt_id, event.refund_id) == about
    assert event.customer_id == change.account.customer_id
    assert (event.account_version, event.entry_sequence) == (
        change.account.version,
        change.account.sequence,
    )
    assert (event.posted, event.held) == (change.account.posted, change.account.held)
    assert event.available == change.account.available
    assert event.occurred_at == CAUSE.at


def test_of_a_purchase_that_begins_nobody_is_told(
    changes: dict[ChangeKind, AccountChange],
) -> None:
    assert event_of(changes[ChangeKind.HOLD]) is None
    assert changes.keys() == set(ChangeKind)


def test_an_event_can_be_made_again_and_is_the_same(
    changes: dict[ChangeKind, AccountChange],
) -> None:
    events = [told(changes[kind]) for kind in ChangeKind if kind is not ChangeKind.HOLD]
    again = [told(changes[kind]) for kind in ChangeKind if kind is not ChangeKind.HOLD]
    assert events == again
    others = life(uuid4())
    ids = {event.id for event in events} | {told(others[ChangeKind.GRANT]).id}
    # The void and the unknown are two ends of one story, both its version 3.
    assert len(ids) == len(events)


def test_nobody_is_told_who_did_it_and_why(changes: dict[ChangeKind, AccountChange]) -> None:
    for change in changes.values():
        text = repr(event_of(change))
        assert CAUSE.reason not in text
        assert CAUSE.actor.subject not in text


def test_a_version_that_the_rules_cannot_have_made_is_no_event(
    changes: dict[ChangeKind, AccountChange],
) -> None:
    refunded, granted = changes[ChangeKind.REFUND], changes[ChangeKind.GRANT]
    assert refunded.entry is not None
    for wrong in (
        replace(granted, entry=None),
        replace(changes[ChangeKind.PURCHASE], attempt_id=None),
        replace(changes[ChangeKind.VOID], attempt_id=None),
        replace(refunded, entry=replace(refunded.entry, refund_id=None)),
        replace(granted, account=replace(granted.account, version=0)),
        replace(granted, account=replace(granted.account, sequence=-1)),
        replace(granted, account=replace(granted.account, open_attempts=(opened(Money(-1)),))),
        replace(granted, account=replace(granted.account, open_attempts=(opened(Money(5_001)),))),
    ):
        with pytest.raises(LedgerCorruptError):
            event_of(wrong)
