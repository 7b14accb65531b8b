"""How many attempts of one customer may be open: honest orders at once, but no end of open ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.race import all_at_once, outcomes

if TYPE_CHECKING:
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

MOST = 50
AT_ONCE = 5
EQUAL = 10


def test_ten_equal_orders_at_once_are_ten_purchases(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=EQUAL * 1_000), shop.product("10.00")
    # All of them are open at the same time.
    upstream.plan_shipments(product.sku, Behaviour(delay_seconds=1))

    replies = all_at_once([partial(till.buy, customer, product.id) for _ in range(EQUAL)])

    assert outcomes(replies) == {"201": EQUAL}
    picture = audit(customer)
    assert picture.parcel_count == len(picture.purchases) == EQUAL
    assert (picture.balance.posted, picture.balance.held) == (0, 0)


def test_a_customer_has_at_most_fifty_open_attempts(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=10_000), shop.product("0.01")
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    for first in range(1, MOST + 1, AT_ONCE):
        # Each quantity is another order.
        orders = [partial(till.buy, customer, product.id, first + n) for n in range(AT_ONCE)]
        assert outcomes(all_at_once(orders)) == {"shipment-outcome-unknown": AT_ONCE}

    more = [partial(till.buy, customer, product.id, MOST + 1 + n) for n in range(AT_ONCE)]
    assert outcomes(all_at_once(more)) == {"too-many-open-attempts": AT_ONCE}

    assert till.buy(customer, product.id, MOST + 1).status == 409
    picture = audit(customer)
    assert len(picture.versions[-1].open_attempts) == MOST
    assert len(picture.carrier_calls) == MOST
    # Credit can be moved all the same, and one attempt that is settled makes room for another.
    till.grant(customer, 1).result()
    till.call_off(picture.attempts[0].id).result()
    till.buy(customer, product.id, MOST + 1).refused(504, "shipment-outcome-unknown")
    till.buy(customer, product.id, MOST + 2).refused(409, "too-many-open-attempts")
    audit(customer)
