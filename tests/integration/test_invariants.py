"""The audit of a customer's books finds what is wrong with them: it would fail if they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import pytest

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import new_shipment_id
from tests.integration.invariants import Auditor, Picture, hash_of, violations
from tests.integration.tables import StoredOrphan

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from pydantic import BaseModel

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.shop import Shop

M = TypeVar("M", bound="BaseModel")


@pytest.fixture(scope="module")
def picture(till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor) -> Picture:
    """A customer who has seen everything: versions 1 to 12, entries 1 to 6."""
    customer = shop.customer(credit=10_000)
    sold, failing, unknown = shop.product(), shop.product(), shop.product()
    upstream.plan_shipments(failing.sku, Behaviour(answer=Refuse(status=503)))
    upstream.plan_shipments(unknown.sku, Behaviour(answer=Refuse(status=504)))
    purchase = till.buy(customer, sold.id, 2).result()
    till.refund(purchase.id, 500).result()
    till.deduct(customer, 100).result()
    till.buy(customer, failing.id).refused(502, "shipment-failed")
    till.buy(customer, unknown.id).refused(504, "shipment-outcome-unknown")
    till.refund(purchase.id).result()
    resolved = till.buy(customer, unknown.id, 2).refused(504, "shipment-outcome-unknown")
    assert resolved.attempt_id is not None
    till.confirm(resolved.attempt_id, new_shipment_id()).result()
    return audit(customer)


def test_the_books_are_right(picture: Picture) -> None:
    assert violations(picture) == []
    assert [entry.kind for entry in picture.entries] == [
        "GRANT",
        "PURCHASE",
        "REFUND",
        "DEDUCTION",
        "REFUND",
        "PURCHASE",
    ]
    assert sorted(a.state for a in picture.attempts) == [
        "COMPLETED",
        "COMPLETED",
        "UNKNOWN",
        "VOIDED",
    ]


def _changed(items: list[M], index: int, **fields: object) -> list[M]:
    changed = items[index].model_copy(update=fields)
    return [changed if item is items[index] else item for item in items]


def _without(items: list[M], index: int) -> list[M]:
    return items[:index] + items[index + 1 :]


def _rehashed_entry(p: Picture) -> Picture:
    """An entry was changed, and its hash too: the next entry shows it."""
    forged = p.entries[1].model_copy(update={"reason": "something else"})
    forged = forged.model_copy(update={"hash": hash_of(forged)})
    return replace(p, entries=[p.entries[0], forged, *p.entries[2:]])


def _index(p: Picture, state: str) -> int:
    return [attempt.state for attempt in p.attempts].index(state)


def _sold_by_itself(p: Picture) -> int:
    """The purchase that no person had to resolve."""
    (sold,) = (
        number
        for number, attempt in enumerate(p.attempts)
        if attempt.state == "COMPLETED" and attempt.id not in p.resolved_by_hand
    )
    return sold


def _with_many_open_attempts(p: Picture) -> Picture:
    many = p.versions[1].open_attempts * 51
    return replace(p, versions=_changed(p.versions, 1, open_attempts=many))


def _with_the_claim_of_a_voided_attempt(p: Picture) -> Picture:
    voided = p.attempts[_index(p, "VOIDED")].id
    claim = p.claims[0].model_copy(update={"pk": "SHIPMENT#stray", "purchase_id": voided})
    return replace(p, claims=[*p.claims, claim])


def _refunded_twice(p: Picture) -> Picture:
    purchase = p.purchases[0]
    refund = purchase.refunds[0].model_copy(update={"id": uuid4()})
    entry = p.entries[2].model_copy(update={"refund_id": refund.id})
    stored = p.refunds[0].model_copy(update={"id": refund.id})
    refunds = [*purchase.refunds, refund]
    return replace(
        p,
        purchases=[purchase.model_copy(update={"refunds": refunds}), *p.purchases[1:]],
        entries=[*p.entries, entry],
        refunds=[*p.refunds, stored],
    )


def _called_again(p: Picture) -> Picture:
    return replace(p, carrier_calls=[*p.carrier_calls, p.carrier_calls[0]])


def _called_for_nothing(p: Picture) -> Picture:
    stray = p.carrier_calls[0].model_copy(update={"headers": {"idempotency-key": str(uuid4())}})
    return replace(p, carrier_calls=[*p.carrier_calls, stray])


def _another_attempt(p: Picture) -> UUID:
    """One that the first of the claimed shipment ids does not belong to."""
    owner = p.claims[0].purchase_id
    return next(attempt.id for attempt in p.attempts if attempt.id != owner)


CORRUPTIONS: dict[str, tuple[Callable[[Picture], Picture], str]] = {
    "an entry's amount": (
        lambda p: replace(p, entries=_changed(p.entries, 1, amount=-1)),
        "entry 2: the balance after it",
    ),
    "an entry's reason": (
        lambda p: replace(p, entries=_changed(p.entries, 3, reason="something else")),
        "entry 4: its hash is not",
    ),
    "an unused promo code": (
        lambda p: replace(p, redemptions={"SUMMER": 1}),
        "promo codes are used {}",
    ),
    "an entry's reason and hash": (_rehashed_entry, "entry 3: its previous hash"),
    "an entry's balance": (
        lambda p: replace(p, entries=_changed(p.entries, 0, balance_after=9_999)),
        "entry 1: the balance after it",
    ),
    "an entry is gone": (
        lambda p: replace(p, entries=_without(p.entries, 2)),
        "entry 4 stands in the place of entry 3",
    ),
    "the last entry is gone": (
        lambda p: replace(p, entries=p.entries[:-1]),
        "not the sum of the entries",
    ),
    "an entry twice": (
        lambda p: replace(p, entries=[p.entries[0], *p.entries]),
        "entry 1 stands in the place of entry 2",
    ),
    "an entry without an actor": (
        lambda p: replace(p, entries=_changed(p.entries, 0, actor="")),
        "does not say who",
    ),
    "an entry in the past": (
        lambda p: replace(p, entries=_changed(p.entries, 4, created_at="2000")),
        "entry 5 is older",
    ),
    "a refund that takes": (
        lambda p: replace(p, entries=_changed(p.entries, 2, amount=-500)),
        "a REFUND of -500",
    ),
    "a version is gone": (
        lambda p: replace(p, versions=_without(p.versions, 4)),
        "version 6 stands in the place of version 5",
    ),
    "a version's hold": (
        lambda p: replace(p, versions=_changed(p.versions, 1, held=1_999)),
        "version 2: HOLD of 2000",
    ),
    "more held than posted": (
        lambda p: replace(p, versions=_changed(p.versions, 0, held=99_999)),
        "held are 99999",
    ),
    "a version's open attempts": (
        lambda p: replace(p, versions=_changed(p.versions, 1, open_attempts=[])),
        "version 2 holds 2000, its open attempts are worth 0",
    ),
    "more open attempts than there may be": (
        _with_many_open_attempts,
        "version 2 has 51 open attempts",
    ),
    "an open attempt that the account forgot": (
        lambda p: replace(p, versions=_changed(p.versions, -1, open_attempts=[])),
        "the account lists the open attempts []",
    ),
    "a version's hash": (
        lambda p: replace(p, versions=_changed(p.versions, 1, entry_hash="0" * 64)),
        "posts nothing and has a new hash",
    ),
    "the posted balance": (
        lambda p: replace(p, balance=p.balance.model_copy(update={"posted": 1})),
        "posted is 1",
    ),
    "the held balance": (
        lambda p: replace(p, balance=p.balance.model_copy(update={"held": 0})),
        "held is 0",
    ),
    "the available balance": (
        lambda p: replace(p, balance=p.balance.model_copy(update={"available": -1})),
        "available is -1",
    ),
    "the version of the balance": (
        lambda p: replace(p, balance=p.balance.model_copy(update={"version": 3})),
        "the balance tells (3",
    ),
    "a hold of no attempt": (
        lambda p: replace(p, attempts=_without(p.attempts, _index(p, "UNKNOWN"))),
        "which does not exist",
    ),
    "a hold that was not released": (
        lambda p: replace(p, attempts=_changed(p.attempts, _index(p, "UNKNOWN"), state="VOIDED")),
        "the account saw ['HOLD', 'UNKNOWN']",
    ),
    "an attempt resolved twice": (
        lambda p: replace(p, attempts=_changed(p.attempts, _index(p, "VOIDED"), state="COMPLETED")),
        "the account saw ['HOLD', 'VOID']",
    ),
    "a shipment without a purchase": (
        lambda p: replace(p, attempts=_changed(p.attempts, _index(p, "VOIDED"), shipment_id="x")),
        "with the shipment x",
    ),
    "a purchase is gone": (
        lambda p: replace(p, purchases=p.purchases[1:]),
        "the completed attempts are",
    ),
    "a purchase twice": (
        lambda p: replace(p, purchases=[*p.purchases, p.purchases[0]]),
        "the posted debits",
    ),
    "a purchase without a shipment": (
        lambda p: replace(p, purchases=_changed(p.purchases, 0, shipment_id="")),
        "the shipment id is",
    ),
    "a shipment id without a purchase": (
        lambda p: replace(p, claims=p.claims[1:]),
        "the shipment ids are claimed by",
    ),
    "a shipment id that belongs to another purchase": (
        lambda p: replace(p, claims=_changed(p.claims, 0, purchase_id=_another_attempt(p))),
        "the shipment ids are claimed by",
    ),
    "a shipment id of an attempt that bought nothing": (
        _with_the_claim_of_a_voided_attempt,
        "the shipment ids are claimed by",
    ),
    "an orphan shipment that is not listed": (
        lambda p: replace(p, attempts=_changed(p.attempts, _sold_by_itself(p), state="VOIDED")),
        "is on no list",
    ),
    "an orphan shipment that was bought": (
        lambda p: replace(
            p, attempts=_changed(p.attempts, _sold_by_itself(p), orphan=StoredOrphan(since="now"))
        ),
        "has an orphan shipment",
    ),
    "a total that was not paid": (
        lambda p: replace(p, purchases=_changed(p.purchases, 0, total=1)),
        "the debit is -2000",
    ),
    "a status": (
        lambda p: replace(p, purchases=_changed(p.purchases, 0, status="PARTIALLY_REFUNDED")),
        "is PARTIALLY_REFUNDED after 2 refunds",
    ),
    "more refunded than paid": (_refunded_twice, "2500 of 2000 were refunded"),
    "a refund is gone": (
        lambda p: replace(p, refunds=p.refunds[1:]),
        "the refunds of the API, of the ledger and of the table",
    ),
    "a request is forgotten": (
        lambda p: replace(p, requests=p.requests[1:]),
        "remembered are",
    ),
    "a request that had no effect": (
        lambda p: replace(p, requests=_changed(p.requests, 0, version=77)),
        "is not what made version 77",
    ),
    "two carrier calls": (_called_again, "the carrier was called 2 times"),
    "a parcel for nothing": (_called_for_nothing, "which is no attempt"),
    "a purchase without a parcel": (
        lambda p: replace(p, carrier_calls=[]),
        "there are 0 parcels",
    ),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_account_is_found(picture: Picture, name: str) -> None:
    corrupt, sentence = CORRUPTIONS[name]
    found = violations(corrupt(picture))
    assert any(sentence in each for each in found), found


def test_an_orphan_is_found(picture: Picture) -> None:
    assert picture.orphans == set()
    completed = [a.id for a in picture.attempts if a.state == "COMPLETED"]
    attempts = [a.model_copy(update={"state": "VOIDED"}) for a in picture.attempts]
    assert replace(picture, attempts=attempts).orphans <= set(completed)
    assert replace(picture, attempts=attempts).orphans
