"""A function with other settings than it should have: nothing is told, nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.integration.waiting import until

if TYPE_CHECKING:
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

NO_TABLE = "till-nowhere-ledger"


def test_an_unexpected_failure_tells_nothing_but_its_name_in_the_log(
    till: TillClient, functions: Functions
) -> None:
    with functions.configured("get_credit", TILL_LEDGER_TABLE=NO_TABLE):
        reply = till.credit(uuid4())
        problem = reply.refused(500, "internal-error")
        for secret in (NO_TABLE, "ResourceNotFound", "Traceback", ".py", "dynamodb", "boto"):
            assert secret.lower() not in reply.response.text.lower()

        def logged() -> list[str]:
            till.credit(uuid4())
            lines = functions.log("get_credit")
            return [li for li in lines if problem.correlation_id in li and '"ERROR"' in li]

        # The emulator may pick up a late line with the next request only.
        assert len(until(logged, "the log of the failure")) == 1


def test_settings_that_make_no_sense_serve_nobody(
    till: TillClient, functions: Functions, shop: Shop, audit: Auditor
) -> None:
    """An attempt that is called dead while its function may still be at work."""
    customer = shop.customer(credit=5_000)
    product = shop.product("10.00")
    with functions.configured("create_purchase", TILL_PENDING_EXPIRY_SECONDS="5"):
        assert till.buy(customer, product.id).status >= 500
    picture = audit(customer)
    assert (picture.attempts, picture.carrier_calls) == ([], [])
