"""DynamoDB refuses, or does what it was asked and does not say so: each effect is there once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import new_key, new_shipment_id
from tests.integration.fault_proxy import (
    Answer,
    LoseReply,
    changes,
    conflict,
    reads_of,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from pydantic import BaseModel

    from local.upstream.client import StandInControl
    from local.upstream.contract import Product
    from tests.integration.client import Reply, TillClient
    from tests.integration.fault_proxy import Fault, FaultProxy
    from tests.integration.invariants import Auditor, Picture
    from tests.integration.shop import Shop

CREDIT = 5_000
PRICE = 1_000

THROTTLED = refuse("ProvisionedThroughputExceededException")
READ_TRIES = 3
"""How often a read is tried before it fails."""

FAULTS: dict[str, tuple[Fault, int]] = {
    "conflict": (conflict(2), 3),
    "applied, reply lost": (LoseReply(), 1),
    "throttled": (THROTTLED, 4),
    "out of order": (refuse("InternalServerError", 500), 4),
    "in progress": (refuse("TransactionInProgressException"), 4),
}

HTML = "text/html"
IN_DOUBT: dict[str, Callable[[bool], Fault]] = {
    "500 without JSON": lambda applied: Answer(b"<h1>no</h1>", 500, HTML, applied),
    "503 without a body": lambda applied: Answer(b"", 503, HTML, applied),
    "InternalFailure": lambda applied: refuse("InternalFailure", 500, applied=applied),
    "unavailable": lambda applied: refuse("ServiceUnavailableException", 503, applied=applied),
    "throttling": lambda applied: refuse("ThrottlingException", applied=applied),
    "expired token": lambda applied: refuse("ExpiredTokenException", applied=applied),
    "200 with HTML": lambda applied: Answer(b"<h1>yes</h1>", 200, HTML, applied),
    "200 with an empty object": lambda applied: Answer(b"{}", applied=applied),
    "200 with a list": lambda applied: Answer(b"[]", applied=applied),
    "200 with nothing": lambda applied: Answer(b"", applied=applied),
    "closed": lambda applied: LoseReply(applied=applied),
    "reset": lambda applied: LoseReply(applied=applied, reset=True),
}
"""Answers that do not prove what happened; each comes before or after the request was applied."""


@dataclass(frozen=True)
class Case:
    """A request, and the change of the account that is disturbed."""

    disturbed: str
    customer: UUID
    call: Callable[[], Reply[BaseModel]]
    status: int
    kinds: list[str]
    """What the account has seen in the end."""
    carrier_calls: int = 0


@dataclass(frozen=True)
class Stage:
    """What a case is made from."""

    till: TillClient
    upstream: StandInControl
    shop: Shop

    def order(self, behaviour: Behaviour | None = None) -> tuple[UUID, Product, str]:
        customer, product = self.shop.customer(credit=CREDIT), self.shop.product("10.00")
        if behaviour is not None:
            self.upstream.plan_shipments(product.sku, behaviour)
        return customer, product, new_key()


def _grant(stage: Stage) -> Case:
    customer, key = stage.shop.customer(), new_key()
    call = partial(stage.till.grant, customer, 700, key=key)
    return Case("GRANT", customer, call, 201, ["GRANT"])


def _deduct(stage: Stage) -> Case:
    customer, key = stage.shop.customer(credit=CREDIT), new_key()
    call = partial(stage.till.deduct, customer, 700, key=key)
    return Case("DEDUCTION", customer, call, 201, ["GRANT", "DEDUCTION"])


def _reserve(stage: Stage) -> Case:
    customer, product, key = stage.order()
    call = partial(stage.till.buy, customer, product.id, key=key)
    return Case("HOLD", customer, call, 201, ["GRANT", "HOLD", "PURCHASE"], 1)


def _post(stage: Stage) -> Case:
    customer, product, key = stage.order()
    call = partial(stage.till.buy, customer, product.id, key=key)
    return Case("PURCHASE", customer, call, 201, ["GRANT", "HOLD", "PURCHASE"], 1)


def _void(stage: Stage) -> Case:
    customer, product, key = stage.order(Behaviour(answer=Refuse(status=503)))
    call = partial(stage.till.buy, customer, product.id, key=key)
    return Case("VOID", customer, call, 502, ["GRANT", "HOLD", "VOID"], 1)


def _keep_unknown(stage: Stage) -> Case:
    customer, product, key = stage.order(Behaviour(answer=Refuse(status=504)))
    call = partial(stage.till.buy, customer, product.id, key=key)
    return Case("UNKNOWN", customer, call, 504, ["GRANT", "HOLD", "UNKNOWN"], 1)


def _refund(stage: Stage) -> Case:
    customer, product, key = stage.order()
    purchase = stage.till.buy(customer, product.id).result()
    call = partial(stage.till.refund, purchase.id, 300, key=key)
    kinds = ["GRANT", "HOLD", "PURCHASE", "REFUND"]
    return Case("REFUND", customer, call, 201, kinds, 1)


def _resolve(stage: Stage) -> Case:
    customer, product, key = stage.order(Behaviour(answer=Refuse(status=504)))
    attempt = stage.till.buy(customer, product.id).problem().attempt_id
    assert attempt is not None
    call = partial(stage.till.confirm, attempt, new_shipment_id(), key=key)
    kinds = ["GRANT", "HOLD", "UNKNOWN", "PURCHASE"]
    return Case("PURCHASE", customer, call, 200, kinds, 1)


CASES: dict[str, Callable[[Stage], Case]] = {
    "grant": _grant,
    "deduct": _deduct,
    "reserve": _reserve,
    "post": _post,
    "void": _void,
    "keep unknown": _keep_unknown,
    "refund": _refund,
    "resolve": _resolve,
}


@pytest.fixture
def stage(till: TillClient, upstream: StandInControl, shop: Shop) -> Stage:
    return Stage(till, upstream, shop)


@pytest.mark.parametrize(("case_name", "fault_name"), [*itertools.product(CASES, FAULTS)])
def test_a_disturbed_transaction_takes_effect_once(
    stage: Stage, dynamodb_proxy: FaultProxy, audit: Auditor, case_name: str, fault_name: str
) -> None:
    case = CASES[case_name](stage)
    fault, times = FAULTS[fault_name]

    with dynamodb_proxy.fault(fault, changes(case.disturbed, case.customer), times=times) as plan:
        reply = case.call()

    assert plan.hits == times
    assert reply.status == case.status, repr(reply)
    _took_effect(case, audit(case.customer))
    replay = case.call()
    assert replay.status == case.status
    assert replay.replayed
    _took_effect(case, audit(case.customer))


def _took_effect(case: Case, picture: Picture) -> None:
    assert [version.kind for version in picture.versions] == case.kinds
    assert len(picture.carrier_calls) == case.carrier_calls


def test_no_reservation_no_shipment(
    stage: Stage, till: TillClient, dynamodb_proxy: FaultProxy, audit: Auditor
) -> None:
    customer, product, key = stage.order()

    with dynamodb_proxy.fault(conflict(2), changes("HOLD", customer)):
        reply = till.buy(customer, product.id, key=key)

    reply.refused(503, "busy")
    assert int(reply.response.headers["Retry-After"]) > 0
    picture = audit(customer)
    assert picture.attempts == []
    assert picture.carrier_calls == []
    # It left nothing behind: the same key may try again.
    again = till.buy(customer, product.id, key=key)
    assert again.ok
    assert not again.replayed
    audit(customer)


def test_no_account_no_shipment(
    stage: Stage, till: TillClient, dynamodb_proxy: FaultProxy, audit: Auditor
) -> None:
    customer, product, key = stage.order()

    with dynamodb_proxy.fault(THROTTLED, reads_of(customer)):
        reply = till.buy(customer, product.id, key=key)

    assert reply.problem().status in {500, 503}
    assert audit(customer).carrier_calls == []
    assert till.buy(customer, product.id, key=key).ok
    audit(customer)


def test_reads_are_tried_again(
    stage: Stage, till: TillClient, dynamodb_proxy: FaultProxy, audit: Auditor
) -> None:
    customer, product, key = stage.order()
    times = READ_TRIES - 1

    with dynamodb_proxy.fault(THROTTLED, reads_of(customer), times=times) as plan:
        till.buy(customer, product.id, key=key).result()

    assert plan.hits == times
    assert len(audit(customer).carrier_calls) == 1


@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied"])
@pytest.mark.parametrize("fault_name", IN_DOUBT)
def test_an_answer_in_doubt_to_a_commit_is_looked_into(
    *,
    stage: Stage,
    dynamodb_proxy: FaultProxy,
    audit: Auditor,
    fault_name: str,
    applied: bool,
) -> None:
    fault = IN_DOUBT[fault_name](applied)
    for case_name in ("deduct", "reserve", "post"):
        case = CASES[case_name](stage)

        matches = changes(case.disturbed, case.customer)
        with dynamodb_proxy.fault(fault, matches, times=1) as plan:
            reply = case.call()

        assert plan.hits == 1
        _took_effect_once_or_was_busy(case, reply, audit)


@pytest.mark.parametrize("fault_name", IN_DOUBT)
def test_an_answer_in_doubt_to_a_read_is_asked_for_again(
    stage: Stage, dynamodb_proxy: FaultProxy, audit: Auditor, fault_name: str
) -> None:
    fault = IN_DOUBT[fault_name](False)
    for case_name, times in (("deduct", 1), ("deduct", READ_TRIES), ("post", READ_TRIES + 1)):
        case = CASES[case_name](stage)

        with dynamodb_proxy.fault(fault, reads_of(case.customer), times=times) as plan:
            reply = case.call()

        assert plan.hits == times
        _took_effect_once_or_was_busy(case, reply, audit)


def _took_effect_once_or_was_busy(case: Case, reply: Reply[BaseModel], audit: Auditor) -> None:
    if not reply.ok:
        reply.refused(503, "busy")
        assert int(reply.response.headers["Retry-After"]) > 0
    repeated = case.call()
    assert repeated.status == case.status, repr(repeated)
    assert repeated.replayed or not reply.ok
    _took_effect(case, audit(case.customer))
