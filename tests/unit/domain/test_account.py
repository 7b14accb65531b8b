"""The account's rules, under any sequence of operations that a machine can think of."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.fakes import opened
from till.domain.account import (
    MAX_OPEN_ATTEMPTS,
    Account,
    AccountChange,
    BalanceLimitError,
    ChangeKind,
    InsufficientCreditError,
    OpenAttempt,
    TooManyOpenAttemptsError,
    UnresolvedAttemptError,
)
from till.domain.actor import Actor
from till.domain.ledger import GENESIS_HASH, Cause, LedgerCorruptError, LedgerEntry, verify_chain
from till.domain.money import MAX_BALANCE_MINOR, ZERO, Money

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
amounts = st.integers(1, 500).map(Money)


def cause(at: datetime = NOON) -> Cause:
    return Cause(actor=Actor("rep"), at=at, reason="test", idempotency_key="key")


class AccountMachine(RuleBasedStateMachine):
    """Grants, deductions, holds, posts, voids, unknowns and refunds in any order."""

    def __init__(self) -> None:
        super().__init__()
        # Ids by number: Hypothesis must see the same run again when it repeats one.
        self.ids = itertools.count(1)
        self.account = Account.empty(self.new_id())
        self.changes: list[AccountChange] = []
        self.open: dict[UUID, Money] = {}
        self.quantities: dict[UUID, int] = {}
        self.unknown: dict[UUID, int] = {}
        self.paid: list[Money] = []
        self.product = self.new_id()

    def new_id(self) -> UUID:
        return UUID(int=next(self.ids))

    def take(self, change: AccountChange) -> None:
        self.changes.append(change)
        self.account = change.account

    @rule(amount=amounts)
    def grant(self, amount: Money) -> None:
        self.take(self.account.grant(amount, cause()))

    @rule(amount=amounts)
    def deduct(self, amount: Money) -> None:
        if amount > self.account.available:
            with pytest.raises(InsufficientCreditError) as raised:
                self.account.deduct(amount, cause())
            assert raised.value.available == self.account.available
        else:
            self.take(self.account.deduct(amount, cause()))

    @rule(amount=amounts, quantity=st.integers(1, 3))
    def hold(self, amount: Money, quantity: int) -> None:
        attempt = opened(
            amount, attempt_id=self.new_id(), product_id=self.product, quantity=quantity
        )

        def hold() -> AccountChange:
            return self.account.hold(attempt, cause())

        if quantity in self.unknown.values():
            with pytest.raises(UnresolvedAttemptError):
                hold()
        elif len(self.open) == MAX_OPEN_ATTEMPTS:
            with pytest.raises(TooManyOpenAttemptsError):
                hold()
        elif amount > self.account.available:
            with pytest.raises(InsufficientCreditError):
                hold()
        else:
            self.take(hold())
            self.open[attempt.attempt_id] = amount
            self.quantities[attempt.attempt_id] = quantity

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def post(self, data: st.DataObject) -> None:
        attempt_id = data.draw(st.sampled_from(sorted(self.open)))
        amount = self.open.pop(attempt_id)
        self.unknown.pop(attempt_id, None)
        self.take(self.account.post_hold(attempt_id, cause()))
        self.paid.append(amount)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        attempt_id = data.draw(st.sampled_from(sorted(self.open)))
        amount = self.open.pop(attempt_id)
        self.unknown.pop(attempt_id, None)
        assert self.account.void_hold(attempt_id, cause()).amount == -amount
        self.take(self.account.void_hold(attempt_id, cause()))

    @precondition(lambda self: self.open.keys() - self.unknown.keys())
    @rule(data=st.data())
    def lose_sight_of(self, data: st.DataObject) -> None:
        attempt_id = data.draw(st.sampled_from(sorted(self.open.keys() - self.unknown.keys())))
        self.take(self.account.mark_unknown(attempt_id, cause()))
        self.unknown[attempt_id] = self.quantities[attempt_id]

    @precondition(lambda self: self.paid)
    @rule()
    def refund(self) -> None:
        amount = self.paid.pop()
        self.take(
            self.account.refund(amount, cause(), purchase_id=self.new_id(), refund_id=self.new_id())
        )

    @invariant()
    def the_books_are_right(self) -> None:
        entries = [c.entry for c in self.changes if c.entry is not None]
        verify_chain(entries)
        account = self.account
        assert account.posted == sum((e.amount for e in entries), ZERO)
        assert account.held == sum(self.open.values(), ZERO)
        assert account.available == account.posted - account.held >= ZERO
        assert account.version == len(self.changes)
        assert account.sequence == len(entries)
        assert [c.account.version for c in self.changes] == list(range(1, len(self.changes) + 1))
        assert {a.attempt_id: a.amount for a in account.open_attempts} == self.open
        blocking = {a.attempt_id for a in account.open_attempts if a.blocks_from <= NOON}
        assert blocking == set(self.unknown)


TestAccount = AccountMachine.TestCase
TestAccount.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def some_entries() -> list[LedgerEntry]:
    account, entries = Account.empty(uuid4()), []
    for amount in (500, 300, 200):
        change = account.grant(Money(amount), cause())
        account = change.account
        assert change.entry is not None
        entries.append(change.entry)
    return entries


@given(
    index=st.integers(0, 2),
    change=st.sampled_from(
        [
            {"amount": Money(999)},
            {"balance_after": Money(1)},
            {"reason": "something else"},
            {"actor": Actor("another actor")},
            {"idempotency_key": "another"},
            {"created_at": NOON + timedelta(seconds=1)},
            {"sequence": 7},
            {"previous_hash": GENESIS_HASH[:-1] + "1"},
            {"hash": GENESIS_HASH},
            {"purchase_id": uuid4()},
            {"refund_id": uuid4()},
            {"customer_id": uuid4()},
            {"id": uuid4()},
        ]
    ),
)
def test_any_changed_entry_breaks_the_chain(index: int, change: dict[str, object]) -> None:
    entries = some_entries()
    verify_chain(entries)
    entries[index] = replace(entries[index], **change)  # type: ignore[arg-type]
    with pytest.raises(LedgerCorruptError):
        verify_chain(entries)


@pytest.mark.parametrize("index", [0, 1])
def test_a_removed_entry_breaks_the_chain(index: int) -> None:
    entries = some_entries()
    del entries[index]
    with pytest.raises(LedgerCorruptError) as raised:
        verify_chain(entries)
    assert raised.value.sequence == index + 1


def test_an_inserted_entry_breaks_the_chain() -> None:
    entries = some_entries()
    with pytest.raises(LedgerCorruptError):
        verify_chain([*entries[:2], entries[1], *entries[2:]])


def test_the_history_never_runs_backwards() -> None:
    first = Account.empty(uuid4()).grant(Money(5), cause(NOON)).account
    second = first.grant(Money(5), cause(NOON - timedelta(hours=1)))
    assert second.cause.at == second.account.updated_at == NOON
    assert second.entry is not None
    assert second.entry.created_at == NOON


def test_a_balance_cannot_outgrow_its_bound() -> None:
    account = replace(Account.empty(uuid4()), posted=Money(MAX_BALANCE_MINOR - 1))
    assert account.grant(Money(1), cause()).account.posted == Money(MAX_BALANCE_MINOR)
    with pytest.raises(BalanceLimitError):
        account.grant(Money(2), cause())


def test_a_hold_moves_no_posted_money() -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    change = account.hold(opened(Money(200)), cause())
    assert (change.kind, change.entry) == (ChangeKind.HOLD, None)
    assert (change.account.posted, change.account.held) == (Money(500), Money(200))
    assert change.account.sequence == account.sequence


def test_what_is_not_held_can_be_neither_posted_nor_voided() -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    account = account.hold(opened(Money(100)), cause()).account
    for settle in (account.post_hold, account.void_hold, account.mark_unknown):
        with pytest.raises(LedgerCorruptError):
            settle(uuid4(), cause())


@pytest.mark.parametrize("amount", [Money(0), Money(-5), Money(5, "EUR")])
def test_only_a_positive_amount_of_the_currency_moves(amount: Money) -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    with pytest.raises(ValueError, match=r"positive|combined"):
        account.grant(amount, cause())
    with pytest.raises(ValueError, match=r"positive|combined"):
        account.deduct(amount, cause())
    with pytest.raises(ValueError, match=r"positive|combined"):
        account.refund(amount, cause(), purchase_id=uuid4(), refund_id=uuid4())


@pytest.mark.parametrize("amount", [Money(-5), Money(5, "EUR")])
def test_a_hold_is_not_negative_and_in_the_currency(amount: Money) -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    with pytest.raises(ValueError, match=r"negative|combined"):
        account.hold(opened(amount), cause())


def test_an_attempt_is_held_once() -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    attempt = opened(Money(10))
    account = account.hold(attempt, cause()).account
    with pytest.raises(ValueError, match="open already"):
        account.hold(attempt, cause())


def test_an_open_attempt_blocks_the_same_order_once_its_run_has_ended() -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    product = uuid4()
    run_ends_at = NOON + timedelta(seconds=25)
    first = opened(Money(10), product_id=product, blocks_from=run_ends_at)
    account = account.hold(first, cause()).account

    def same() -> OpenAttempt:
        return opened(Money(10), product_id=product, blocks_from=run_ends_at)

    account.hold(same(), cause(run_ends_at - timedelta(microseconds=1)))
    with pytest.raises(UnresolvedAttemptError) as raised:
        account.hold(same(), cause(run_ends_at))
    assert raised.value.attempt_id == first.attempt_id
    for other in (replace(same(), quantity=2), replace(same(), product_id=uuid4())):
        account.hold(other, cause(run_ends_at))
    settled = account.void_hold(first.attempt_id, cause()).account
    settled.hold(same(), cause(run_ends_at))


def test_a_clock_that_is_behind_makes_no_dead_run_look_alive() -> None:
    """The account has seen the end of the first run; this clock has not."""
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    product = uuid4()
    run_ends_at = NOON + timedelta(seconds=25)
    first = opened(Money(10), product_id=product, blocks_from=run_ends_at)
    account = account.hold(first, cause()).account
    account = account.grant(Money(1), cause(run_ends_at + timedelta(minutes=1))).account
    again = opened(Money(10), product_id=product)
    with pytest.raises(UnresolvedAttemptError):
        account.hold(again, cause(NOON))


def test_the_open_attempts_of_a_customer_are_bounded() -> None:
    account = Account.empty(uuid4()).grant(Money(500), cause()).account
    for _ in range(MAX_OPEN_ATTEMPTS):
        account = account.hold(opened(Money(1)), cause()).account
    with pytest.raises(TooManyOpenAttemptsError):
        account.hold(opened(Money(1)), cause())
    first = account.open_attempts[0].attempt_id
    account.void_hold(first, cause()).account.hold(opened(Money(1)), cause())
