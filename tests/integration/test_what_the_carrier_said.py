"""The carrier has answered, and the attempt cannot be settled: the answer is not lost."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import new_key
from tests.integration.fault_proxy import (
    changes,
    conflict,
    note_of_an_answer,
    reads_of,
    refuse,
)
from tests.integration.measured import Measured
from tests.integration.race import all_at_once, warm_up
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from local.upstream.client import StandInControl
    from tests.integration.client import Attempt, Purchase, Reply, TillClient
    from tests.integration.fault_proxy import FaultProxy, Seen
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

SHIPPED = Behaviour()
NOT_SHIPPED = Behaviour(answer=Refuse(status=422), times=1)
UNKNOWN = Behaviour(answer=Refuse(status=504), times=1)

CREDIT = 5_000
PRICE = 1_000
DENIED = refuse("AccessDeniedException")
THROTTLED = refuse("ProvisionedThroughputExceededException")


@dataclass(frozen=True)
class Trouble:
    """What can go wrong while a customer's attempt is settled."""

    proxy: FaultProxy
    tables: Tables

    @contextmanager
    def busy(self, customer: UUID) -> Iterator[None]:
        """Other changes of the account always win."""
        with self.proxy.fault(conflict(2), _settles(customer)) as plan:
            yield
        assert plan.hits > 1

    @contextmanager
    def busy_and_unreadable(self, customer: UUID) -> Iterator[None]:
        """And at first the account cannot be read again, either."""
        reads = reads_of(customer)
        with (
            self.proxy.fault(conflict(2), _settles(customer)) as refused,
            self.proxy.fault(THROTTLED, lambda s: refused.hits > 0 and reads(s), times=3) as plan,
        ):
            yield
        assert plan.hits == 3

    @contextmanager
    def denied(self, customer: UUID) -> Iterator[None]:
        """The function has lost its rights."""
        with self.proxy.fault(DENIED, _settles(customer)) as plan:
            yield
        assert plan.hits == 1

    @contextmanager
    def not_valid(self, customer: UUID) -> Iterator[None]:
        """DynamoDB will never take this transaction."""
        with self.proxy.fault(refuse("ValidationException"), _settles(customer)) as plan:
            yield
        assert plan.hits == 1

    @contextmanager
    def ledger_corrupt(self, customer: UUID) -> Iterator[None]:
        """The account has to be read again, and contradicts itself."""
        settles = _settles(customer)
        with ExitStack() as put_right:

            def corrupts(seen: Seen) -> bool:
                if not settles(seen):
                    return False
                newest = (f"ACCOUNT#{customer}", f"VERSION#{2:016d}")
                put_right.enter_context(self.tables.changed(*newest, held={"N": "1"}))
                return True

            with self.proxy.fault(conflict(2), corrupts, times=1) as plan:
                yield
        assert plan.hits == 1


def _settles(customer: UUID) -> Callable[[Seen], bool]:
    kinds = [changes(kind, customer) for kind in ("PURCHASE", "VOID", "UNKNOWN")]
    return lambda seen: any(matches(seen) for matches in kinds)


@dataclass(frozen=True)
class Case:
    """What goes wrong, what the carrier answers, and what the attempt becomes in the end."""

    trouble: Callable[[Trouble, UUID], AbstractContextManager[None]]
    answer: Behaviour = SHIPPED
    noted: str = "shipped"
    state: str = "COMPLETED"


CASES = {
    "busy": Case(Trouble.busy),
    "busy, and unreadable": Case(Trouble.busy_and_unreadable),
    "denied": Case(Trouble.denied),
    "not valid": Case(Trouble.not_valid),
    "ledger corrupt": Case(Trouble.ledger_corrupt),
    "not shipped, denied": Case(Trouble.denied, NOT_SHIPPED, "not_shipped", "VOIDED"),
    "unknown, denied": Case(Trouble.denied, UNKNOWN, "unknown", "UNKNOWN"),
}


@dataclass(frozen=True)
class Told:
    """A customer whose purchase could not be settled, and what there was right after it."""

    customer: UUID
    product: UUID
    key: str
    first: Reply[Purchase]
    attempt: Attempt
    repeated: Reply[Purchase]
    same_order: Reply[Purchase]
    """The same order under another key."""


@pytest.fixture(scope="module")
def told(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    dynamodb_proxy: FaultProxy,
    tables: Tables,
) -> Mapping[str, Told]:
    """Each case, all at once: each has a customer of its own."""
    trouble = Trouble(dynamodb_proxy, tables)
    customers = [shop.customer(credit=CREDIT) for _ in CASES]

    def run(case: Case, customer: UUID) -> Told:
        product, key = shop.product("10.00"), new_key()
        upstream.plan_shipments(product.sku, case.answer)
        with case.trouble(trouble, customer):
            first = till.buy(customer, product.id, key=key)
        attempt_id = first.refused(504, "shipment-outcome-unknown").attempt_id
        assert attempt_id is not None
        return Told(
            customer,
            product.id,
            key,
            first,
            till.attempt(attempt_id).result(),
            till.buy(customer, product.id, key=key),
            till.buy(customer, product.id),
        )

    # As it is deployed: no attempt counts as dead while its function may still run.
    with functions.configured("create_purchase", TILL_PENDING_EXPIRY_SECONDS="16"):
        # Starting so many workers takes both cores for longer than an upstream may take to answer.
        warm_up([partial(till.buy, customer, uuid4()) for customer in customers])
        each = all_at_once(
            [partial(run, *each) for each in zip(CASES.values(), customers, strict=True)]
        )
    return dict(zip(CASES, each, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_noted_on_the_attempt(told: Mapping[str, Told], name: str) -> None:
    case, seen = CASES[name], told[name]

    assert seen.attempt.state == "PENDING"
    assert seen.attempt.carrier is not None
    assert seen.attempt.carrier.outcome == case.noted
    seen.repeated.refused(409, "request-in-flight")
    if case.noted == "not_shipped":
        assert seen.same_order.ok
    else:
        # There may be a parcel: at once, although the attempt is still PENDING.
        problem = seen.same_order.refused(409, "unresolved-attempt")
        assert problem.attempt_id == seen.attempt.id


@pytest.mark.parametrize("name", CASES)
def test_the_recovery_settles_by_what_the_carrier_said(
    *,
    told: Mapping[str, Told],
    till: TillClient,
    functions: Functions,
    audit: Auditor,
    name: str,
) -> None:
    case, seen = CASES[name], told[name]

    def settled() -> bool:
        functions.recover()
        return till.attempt(seen.attempt.id).result().state == case.state

    until(settled, f"the recovery makes it {case.state}")

    picture = audit(seen.customer)
    others = 1 if case.noted == "not_shipped" else 0
    bought = others + (case.state == "COMPLETED")
    held = PRICE if case.state == "UNKNOWN" else 0
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - bought * PRICE, held)
    assert len(picture.carrier_calls) == 1 + others
    settlement = [v for v in picture.versions if v.attempt_id == seen.attempt.id][-1]
    assert settlement.actor == "system:recovery"
    again = till.buy(seen.customer, seen.product, key=seen.key)
    assert again.replayed
    assert again.ok == (case.state == "COMPLETED")


def test_an_answer_that_cannot_be_noted_is_in_the_log(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    dynamodb_proxy: FaultProxy,
    audit: Auditor,
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    buying = Measured(functions, "create_purchase")

    with (
        dynamodb_proxy.fault(DENIED, _settles(customer)) as settling,
        dynamodb_proxy.fault(DENIED, note_of_an_answer) as noting,
    ):
        problem = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown")

    assert (settling.hits, noting.hits) == (1, 1)
    (parcel,) = upstream.shipments(product.sku).shipment_ids
    wanted = {"attempt_id": str(problem.attempt_id), "outcome": "shipped", "shipment_id": parcel}
    (line,) = until(lambda: buying.errors(**wanted), "the line that says what was not recorded")
    assert line["message"] == "the carrier's answer could not be recorded"
    assert buying.total("AnswersNotRecorded") == 1
    assert [attempt.state for attempt in audit(customer).attempts] == ["PENDING"]
