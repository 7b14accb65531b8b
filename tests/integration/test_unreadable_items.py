"""One item that cannot be read hides no other one, and one attempt never stops the recovery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from local.upstream.behaviour import Behaviour, Drop
from tests.integration.client import Page, Reply, all_items
from tests.integration.fault_proxy import changes, conflict, refuse
from tests.integration.functions import RECOVERY
from tests.integration.measured import Measured
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.fault_proxy import Fault, FaultProxy
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

CREDIT = 9_000


class Row(BaseModel):
    """What names an item of a list."""

    id: str | None = None
    code: str | None = None

    @property
    def name(self) -> str:
        return self.id or self.code or ""


@dataclass(frozen=True)
class Listed:
    """Items of a list, newest first, and the attribute of the second that is spoilt."""

    path: str
    operation: str
    names: list[str]
    pk: str
    sk: str
    spoilt: dict[str, AttributeValueTypeDef]
    filters: dict[str, str]


@dataclass(frozen=True)
class Make:
    """What the lists are made from."""

    till: TillClient
    upstream: StandInControl
    shop: Shop

    def purchases(self) -> tuple[UUID, list[UUID]]:
        """A customer and their three purchases, newest first."""
        customer, product = self.shop.customer(credit=CREDIT), self.shop.product("10.00")
        return customer, [self.till.buy(customer, product.id).result().id for _ in range(3)][::-1]

    def lost(self, customer: UUID) -> UUID:
        """A customer's attempt of unknown outcome."""
        product = self.shop.product("10.00")
        self.upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), record=False))
        reply = self.till.buy(customer, product.id)
        attempt = reply.refused(504, "shipment-outcome-unknown").attempt_id
        assert attempt is not None
        return attempt


def _of_purchases(ids: list[UUID], path: str, operation: str, **filters: str) -> Listed:
    names = [str(each) for each in ids]
    spoilt: dict[str, AttributeValueTypeDef] = {"quantity": {"S": "a few"}}
    return Listed(path, operation, names, f"PURCHASE#{ids[1]}", "PURCHASE", spoilt, filters)


def _attempts(make: Make) -> Listed:
    customer = make.shop.customer(credit=CREDIT)
    ids = [make.lost(customer) for _ in range(3)][::-1]
    return _of_purchases(ids, "/purchase-attempts", "list_attempts", state="UNKNOWN")


def _all_purchases(make: Make) -> Listed:
    since = datetime.now(UTC).isoformat()
    _, ids = make.purchases()
    return _of_purchases(ids, "/purchases", "list_purchases", created_from=since)


def _customer_purchases(make: Make) -> Listed:
    customer, ids = make.purchases()
    path = f"/customers/{customer}/purchases"
    return _of_purchases(ids, path, "list_customer_purchases")


def _entries(make: Make) -> Listed:
    customer = make.shop.customer()
    ids = [make.till.grant(customer, 1).result().entry.id for _ in range(3)][::-1]
    path = f"/customers/{customer}/credit/entries"
    key = (f"ACCOUNT#{customer}", f"VERSION#{2:016d}")
    return Listed(path, "list_entries", [str(i) for i in ids], *key, {"held": {"N": "7"}}, {})


def _refunds(make: Make) -> Listed:
    _, (purchase, *_) = make.purchases()
    ids = [make.till.refund(purchase, 1).result().id for _ in range(3)][::-1]
    path, key = f"/purchases/{purchase}/refunds", (f"PURCHASE#{purchase}", f"REFUND#{2:08d}")
    return Listed(path, "list_refunds", [str(i) for i in ids], *key, {"amount": {"N": "-1"}}, {})


def _promo_codes(make: Make) -> Listed:
    names = [f"T-{uuid4().hex[:12].upper()}" for _ in range(3)]
    for code in names:
        body = {"code": code, "discount": {"type": "percentage", "percent": 10}}
        assert make.till.send("POST", "/promo-codes", json=body).status_code == 201
    spoilt: dict[str, AttributeValueTypeDef] = {"terms": {"S": "generous"}}
    names.reverse()
    return Listed(
        "/promo-codes", "list_promo_codes", names, f"PROMO#{names[1]}", "PROMO", spoilt, {}
    )


LISTS: dict[str, Callable[[Make], Listed]] = {
    "attempts": _attempts,
    "all purchases": _all_purchases,
    "a customer's purchases": _customer_purchases,
    "entries": _entries,
    "refunds": _refunds,
    "promo codes": _promo_codes,
}


@pytest.fixture(scope="module")
def make(till: TillClient, upstream: StandInControl, shop: Shop) -> Make:
    return Make(till, upstream, shop)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_answers_without_it(
    *, make: Make, till: TillClient, functions: Functions, tables: Tables, name: str
) -> None:
    listed = LISTS[name](make)
    log = Measured(functions, listed.operation)

    def names(limit: int) -> list[str]:
        def read(cursor: str | None) -> Reply[Page[Row]]:
            params: dict[str, str | int] = {"limit": limit, **listed.filters}
            if cursor is not None:
                params["cursor"] = cursor
            return Reply(till.send("GET", listed.path, params=params), 200, Page[Row])

        return [row.name for row in all_items(read) if row.name in listed.names]

    with tables.changed(listed.pk, listed.sk, **listed.spoilt):
        for limit in (2, 100):
            assert names(limit) == [listed.names[0], listed.names[2]]
        # The emulator picks up a late line with the next request.
        until(
            lambda: names(100) and log.errors(message="unreadable item", pk=listed.pk),
            "the line about the item",
        )
        assert log.total("UnreadableItems") >= 1
    assert names(100) == listed.names


def test_the_recovery_settles_the_others(
    *, make: Make, till: TillClient, functions: Functions, tables: Tables, audit: Auditor
) -> None:
    customer = make.shop.customer(credit=CREDIT)
    spoilt = make.lost(customer)
    recovery = Measured(functions, RECOVERY)
    with (
        tables.changed(f"PURCHASE#{spoilt}", "PURCHASE", deadline_at={"S": "soon"}),
        functions.configured("create_purchase", TILL_UNKNOWN_DEADLINE_SECONDS="0.1"),
    ):
        other = make.lost(customer)
        until(lambda: _is_voided(till, functions, other), "the deadline voids the other one")

        def told() -> bool:
            functions.recover()
            return bool(recovery.errors(message="unreadable item", pk=f"PURCHASE#{spoilt}"))

        until(told, "the line about the item")
        assert recovery.total("UnreadableItems") >= 1
    assert till.attempt(spoilt).result().state == "UNKNOWN"
    audit(customer)


def _is_voided(till: TillClient, functions: Functions, attempt: UUID) -> bool:
    functions.recover()
    return till.attempt(attempt).result().state == "VOIDED"


REFUSALS: dict[str, Fault] = {
    "never valid": refuse("ValidationException"),
    "no rights": refuse("AccessDeniedException"),
    "always busy": conflict(2),
}


@pytest.mark.usefixtures("no_time_to_look")
@pytest.mark.parametrize("name", REFUSALS)
def test_an_attempt_that_cannot_be_settled_is_told_and_passed_over(
    *,
    make: Make,
    till: TillClient,
    functions: Functions,
    dynamodb_proxy: FaultProxy,
    audit: Auditor,
    name: str,
) -> None:
    customer, others_customer = (make.shop.customer(credit=CREDIT) for _ in range(2))
    recovery = Measured(functions, RECOVERY)
    with dynamodb_proxy.fault(REFUSALS[name], changes("VOID", customer)):
        stuck = make.lost(customer)
        others = [make.lost(others_customer) for _ in range(2)]

        def passed_over() -> bool:
            failure = functions.failure_of_recovery()
            assert failure is not None
            assert "attempts could not be recovered" in failure
            return all(till.attempt(each).result().state == "VOIDED" for each in others)

        until(passed_over, "those after it are settled")

        def told() -> bool:
            functions.failure_of_recovery()
            return bool(recovery.errors(attempt_id=str(stuck)))

        until(told, "the line that names it")
        assert recovery.total("RecoveriesFailed") >= 1
        assert till.attempt(stuck).result().state == "UNKNOWN"
    until(lambda: _is_voided(till, functions, stuck), "the next run settles it")
    audit(customer)
    audit(others_customer)
