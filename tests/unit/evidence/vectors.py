"""One account as the adapter writes it.

``python -m tests.unit.evidence.vectors`` makes docs/vectors/chain.json.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from evidence.items import Item, plain
from till.adapters.dynamodb.stored.attempts import StoredAttempt
from till.adapters.dynamodb.writes import Transaction
from till.domain.account import Account, OpenAttempt
from till.domain.actor import Actor
from till.domain.catalogue import Address, Product
from till.domain.ledger import Cause
from till.domain.money import Money
from till.domain.purchase import (
    PurchaseAttempt,
    Refund,
    Shipped,
    attempt_id_for,
    make_order,
    refund_id_for,
)
from till.services.ports.accounts import AppendChange, RememberedRequest, RememberRequest
from till.services.ports.attempts import ClaimShipment, CreateAttempt, UpdateAttempt
from till.services.ports.refunds import AddRefund

if TYPE_CHECKING:
    from collections.abc import Iterator

    from till.domain.account import AccountChange
    from till.services.ports.store import Write

NOON: Final = datetime(2026, 11, 27, 12, tzinfo=UTC)
AMIR: Final = Actor("amir", "Amir Haddad")
RITA: Final = Actor("rita", "Rita Sorensen")
CHIARA: Final = Actor("chiara")
CUSTOMER: Final = UUID("c0000000-0000-4000-8000-000000000003")
PRODUCT: Final = Product(
    id=UUID("d0000000-0000-4000-8000-000000000003"),
    sku="NTB-A5-DOT",
    name="Notebook, A5 · dotted",
    description="192 dotted pages",
    unit_price=Money(12_50),
)
HOME: Final = Address(
    line1="905 Mesa Verde Drive",
    line2=None,
    city="Santa Fe",
    postal_code="87501",
    state="NM",
    country="US",
)


def account() -> Iterator[dict[str, object]]:
    """Each version, with what was written in its transaction."""
    granted = Account.empty(CUSTOMER).grant(Money(50_00), _by(AMIR, "Welcome", "first-grant", 0))
    stored, written = _commit(AppendChange(granted), _request(granted, "grant_credit"))
    yield written

    attempt = _attempt()
    opened = OpenAttempt(
        attempt_id=attempt.id,
        product_id=PRODUCT.id,
        quantity=2,
        amount=attempt.order.total,
        blocks_from=NOON + timedelta(seconds=25),
    )
    hold = stored.hold(opened, _by(CHIARA, "Purchase of 2 x NTB-A5-DOT", "first-purchase", 1))
    stored, written = _commit(AppendChange(hold), CreateAttempt(attempt))
    yield written

    post = stored.post_hold(attempt.id, _by(CHIARA, hold.cause.reason, "first-purchase", 2))
    bought = attempt.completed(Shipped(shipment_id="shp_1"), post.cause.at)
    stored, written = _commit(
        AppendChange(post), UpdateAttempt(attempt, bought), ClaimShipment("shp_1", attempt.id)
    )
    yield written

    refund = _refund(bought)
    cause = _by(RITA, refund.reason, refund.idempotency_key, 3)
    given = stored.refund(refund.amount, cause, purchase_id=attempt.id, refund_id=refund.id)
    stored, written = _commit(
        AppendChange(given),
        _request(given, "refund_purchase", refund_number=1),
        UpdateAttempt(bought, bought.with_refund(refund)),
        AddRefund(refund),
    )
    yield written


def _commit(*writes: Write) -> tuple[Account, dict[str, object]]:
    transaction = Transaction(writes, ledger_table="ledger", purchases_table="purchases")
    puts: list[Item] = [plain(each["Put"]["Item"]) for each in transaction.items if "Put" in each]
    attempts = [
        write.attempt if isinstance(write, CreateAttempt) else write.after
        for write in writes
        if isinstance(write, CreateAttempt | UpdateAttempt)
    ]
    assert transaction.account is not None
    return transaction.account, {
        "version": next(item for item in puts if str(item["sk"]).startswith("VERSION#")),
        "attempt": _stored(attempts[0], transaction.account) if attempts else None,
        "items": [i for i in puts if not str(i["sk"]).startswith(("VERSION#", "PURCHASE"))],
    }


def _stored(attempt: PurchaseAttempt, account: Account) -> dict[str, object]:
    return {**StoredAttempt.of(attempt).values(), "account_version": account.version}


def _by(actor: Actor, reason: str, key: str, seconds: int) -> Cause:
    at = NOON + timedelta(seconds=seconds)
    return Cause(actor=actor, at=at, reason=reason, idempotency_key=key)


def _request(
    change: AccountChange, operation: str, *, refund_number: int | None = None
) -> RememberRequest:
    request = RememberedRequest(
        customer_id=CUSTOMER,
        operation=operation,
        idempotency_key=change.cause.idempotency_key,
        fingerprint="40e99e59d06eac31df57f728f68d57a9",
        version=change.account.version,
        at=change.cause.at,
        refund_number=refund_number,
    )
    return RememberRequest(request)


def _attempt() -> PurchaseAttempt:
    return PurchaseAttempt(
        id=attempt_id_for(CUSTOMER, "first-purchase"),
        customer_id=CUSTOMER,
        order=make_order(PRODUCT, 2, HOME, promo=None, expected_total=None),
        actor=CHIARA,
        idempotency_key="first-purchase",
        fingerprint="03792ab5f039c9499bc383f8ed3e7831",
        reservation_id="a9635d601e509aa8",
        reserved_at=NOON + timedelta(seconds=1),
        expires_at=NOON + timedelta(seconds=61),
    )


def _refund(bought: PurchaseAttempt) -> Refund:
    return Refund(
        id=refund_id_for(CUSTOMER, "first-refund"),
        purchase_id=bought.id,
        customer_id=CUSTOMER,
        number=1,
        amount=Money(10_00),
        quantity=None,
        refunded_after=Money(10_00),
        refundable_after=Money(15_00),
        reason="Scratched",
        actor=RITA,
        idempotency_key="first-refund",
        created_at=NOON + timedelta(seconds=3),
        balance_after=Money(35_00),
        entry_sequence=3,
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list(account()), indent=2, ensure_ascii=False) + "\n")
