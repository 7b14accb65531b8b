"""The invariants of the ledger and purchases tables, checked on any ``Store``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.ledger import EntryKind, verify_chain
from till.domain.money import ZERO
from till.domain.purchase import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from till.domain.account import AccountChange
    from till.domain.purchase import PurchaseAttempt
    from till.services.ports.store import Store


def audit(store: Store, customer_id: UUID, attempts: Iterable[PurchaseAttempt]) -> None:
    """Assert the invariants of the money protocol for one customer."""
    account = store.account(customer_id)
    changes = [store.change(customer_id, v) for v in range(1, account.version + 1)]
    entries = [c.entry for c in changes if c.entry is not None]
    attempts = [a for a in attempts if a.customer_id == customer_id]

    verify_chain(entries)
    assert account.posted.amount_minor == sum(e.amount.amount_minor for e in entries)
    assert account.sequence == len(entries)
    assert account.entry_hash == (entries[-1].hash if entries else account.entry_hash)
    held = sum(a.order.total.amount_minor for a in attempts if a.state in OPEN_STATES)
    assert account.held.amount_minor == held
    for change in changes:
        _audit_version(change)
    _audit_purchases(store, attempts, changes)


def _audit_version(change: AccountChange) -> None:
    assert change.account.available >= ZERO
    assert change.account.held >= ZERO
    assert change.account.posted >= ZERO


def _audit_purchases(
    store: Store, attempts: list[PurchaseAttempt], changes: list[AccountChange]
) -> None:
    debits = [c.attempt_id for c in changes if c.entry and c.entry.kind is EntryKind.PURCHASE]
    purchases = [a.purchase for a in attempts if a.purchase is not None]
    assert sorted(map(str, debits)) == sorted(str(p.id) for p in purchases)
    for purchase in purchases:
        assert purchase.shipment_id
        refunds = store.refunds(purchase.id, before=None, limit=1000).refunds[::-1]
        refunded = sum(r.amount.amount_minor for r in refunds)
        assert refunded == purchase.refunded.amount_minor <= purchase.order.total.amount_minor
        assert [r.number for r in refunds] == list(range(1, len(refunds) + 1))
