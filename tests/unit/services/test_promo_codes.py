"""Promo codes in the purchase protocol, quotes, and refunds of what was really paid."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.unit.fakes import FakeDeadline, Fault
from tests.unit.services.conftest import World
from till.domain.account import InsufficientCreditError, UnresolvedAttemptError
from till.domain.actor import Actor
from till.domain.ledger import EntryKind
from till.domain.money import Money
from till.domain.promo import (
    FixedDiscount,
    PercentageDiscount,
    PromoAction,
    PromoCode,
    PromoCodeDeactivatedError,
    PromoCodeExistsError,
    PromoCodeNotFoundError,
    PromoCodeRefusedError,
    PromoRestriction,
    PromoState,
    PromoTerms,
    StaleVersionError,
)
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OutcomeUnknown,
    RefundExceedsPurchaseError,
    RefundQuantityExceededError,
    Shipped,
    TotalChangedError,
)
from till.services.errors import ShipmentFailedError, ShipmentOutcomeUnknownError
from till.services.promo_codes import PromoCodes
from till.services.refund_purchase import RefundRequest
from till.services.shared.idempotency import IdempotencyKeyReusedError

LOST, REFUSED = Fault(applied=True), Fault(applied=False)
TEN = PromoTerms(discount=PercentageDiscount(percent=10))


def uses(world: World, code: str = "TEN") -> tuple[int, int]:
    """The counter, and the markers."""
    markers = sum(v for (c, _), v in world.store.redemptions.items() if c == code)
    return world.store.promo_items[code].redemptions, markers


def test_a_code_lowers_the_price_and_is_kept_with_the_purchase(world: World) -> None:
    world.offer("ten", TEN)
    purchase = world.buy(promo_code="TEN").purchase
    assert (purchase.order.subtotal, purchase.order.discount, purchase.order.total) == (
        Money(1000),
        Money(100),
        Money(900),
    )
    assert purchase.order.promo is not None
    assert purchase.order.promo.discount == TEN.discount
    assert world.balance() == (9100, 0)
    assert uses(world) == (1, 1)
    PromoCodes(world.store, world.clock).change(
        "TEN",
        lambda terms: replace(terms, discount=PercentageDiscount(percent=50)),
        versions=frozenset({1}),
        actor=Actor("admin"),
        deadline=FakeDeadline(),
    )
    again = world.buy(promo_code="TEN")
    assert (again.purchase, again.replayed) == (purchase, True)
    world.audit()


@pytest.mark.parametrize("faults", list(itertools.product([None, REFUSED, LOST], repeat=3)))
@pytest.mark.parametrize(
    "outcome",
    [Shipped(shipment_id="S"), NotShipped(message="no"), OutcomeUnknown(message="?")],
    ids=["shipped", "not-shipped", "unknown"],
)
def test_a_redemption_counts_once_whatever_befalls_the_commits(
    world: World,
    faults: tuple[Fault | None, ...],
    outcome: Shipped | NotShipped | OutcomeUnknown,
) -> None:
    world.offer("TEN", TEN)
    world.carrier.outcome = outcome
    world.store.faults = list(faults)
    if isinstance(outcome, Shipped):
        world.buy(promo_code="TEN")
    else:
        with pytest.raises((ShipmentFailedError, ShipmentOutcomeUnknownError)):
            world.buy(promo_code="TEN")
    used = 0 if isinstance(outcome, NotShipped) else 1
    assert uses(world) == (used, used)
    world.audit()


def test_a_cap_holds_when_another_buyer_is_faster(world: World) -> None:
    world.offer("TEN", replace(TEN, max_redemptions=1))
    read = world.store.account

    def while_we_read(customer_id: object) -> object:
        world.store.account = read  # type: ignore[method-assign]
        world.buy("faster", promo_code="TEN")
        world.store.account = read  # type: ignore[method-assign]
        return before

    before = read(world.customer_id)
    world.store.account = while_we_read  # type: ignore[method-assign, assignment]
    with pytest.raises(PromoCodeRefusedError) as raised:
        world.buy("slower", promo_code="TEN")
    assert raised.value.restriction is PromoRestriction.MAX_REDEMPTIONS
    assert uses(world) == (1, 1)
    world.audit()


def test_an_unknown_attempt_that_is_voided_gives_its_redemption_back(world: World) -> None:
    world.offer("TEN", TEN)
    world.carrier.outcome = OutcomeUnknown(message="?")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy(promo_code="TEN")
    assert uses(world) == (1, 1)
    world.clock.advance(24 * 3600)
    world.recover()
    assert world.the_attempt().state is AttemptState.VOIDED
    assert uses(world) == (0, 0)
    world.audit()


def test_a_code_that_cannot_be_used_is_no_silent_full_price(world: World) -> None:
    with pytest.raises(PromoCodeRefusedError) as raised:
        world.buy(promo_code="UNKNOWN")
    assert raised.value.restriction is PromoRestriction.UNKNOWN
    world.offer("TEN", replace(TEN, max_redemptions_per_customer=1, first_purchase_only=True))
    world.buy("first", promo_code="TEN")
    with pytest.raises(PromoCodeRefusedError) as raised:
        world.buy("second", promo_code="TEN")
    assert raised.value.restriction is PromoRestriction.FIRST_PURCHASE
    assert len(world.carrier.calls) == 1


def test_two_first_purchases_at_once_are_one_first_purchase(world: World) -> None:
    world.offer("FIRST", replace(TEN, first_purchase_only=True))

    def meanwhile() -> None:
        world.carrier.during = None
        with pytest.raises(PromoCodeRefusedError):
            world.buy("second", promo_code="FIRST")

    world.carrier.during = meanwhile
    world.buy("first", promo_code="FIRST")
    assert uses(world, "FIRST") == (1, 1)


def test_the_clock_at_the_reservation_decides(world: World) -> None:
    world.offer("TEN", replace(TEN, valid_until=world.clock.now() + timedelta(seconds=10)))
    world.carrier.during = lambda: world.clock.advance(60)
    world.buy("in time", promo_code="TEN")
    with pytest.raises(PromoCodeRefusedError) as raised:
        world.buy("too late", promo_code="TEN")
    assert raised.value.restriction is PromoRestriction.EXPIRED


def test_a_gift_is_a_purchase_of_nothing_with_its_entry(world: World) -> None:
    world.offer("FREE", PromoTerms(discount=PercentageDiscount(percent=100)))
    purchase = world.buy(promo_code="FREE").purchase
    assert (purchase.order.total, purchase.shipment_id) == (Money(0), "S1")
    entry = world.store.changes[world.customer_id][-1].entry
    assert entry is not None
    assert (entry.kind, entry.amount) == (EntryKind.PURCHASE, Money(0))
    assert world.balance() == (10_000, 0)
    world.audit()


def test_the_code_is_part_of_the_request(world: World) -> None:
    world.offer("TEN", TEN)
    world.buy("key", promo_code="TEN")
    with pytest.raises(IdempotencyKeyReusedError):
        world.buy("key")


def give_back(world: World, **what: object) -> Money:
    (attempt,) = world.store.attempt_items.values()
    request = RefundRequest(
        purchase_id=attempt.id,
        amount=None,
        quantity=None,
        reason="r",
        limit=None,
        actor=Actor("rep"),
        idempotency_key=uuid4().hex,
    )
    return world.refund(replace(request, **what), FakeDeadline()).refund.amount  # type: ignore[arg-type]


def test_refunds_give_back_what_was_paid_by_unit(world: World) -> None:
    world.offer("ODD", PromoTerms(discount=FixedDiscount(amount=Money(1000))))
    assert world.buy(quantity=3, promo_code="ODD").purchase.order.total == Money(2000)
    assert give_back(world, quantity=1) == Money(667)
    with pytest.raises(RefundQuantityExceededError) as raised:
        give_back(world, quantity=3)
    assert raised.value.refundable_quantity == 2
    assert give_back(world, quantity=2) == Money(1333)
    with pytest.raises(RefundQuantityExceededError):
        give_back(world, quantity=1)
    assert world.balance() == (10_000, 0)
    assert uses(world, "ODD") == (1, 1), "a redemption stays used after a refund"
    world.audit()


def test_units_and_amounts_together_never_exceed_what_was_paid(world: World) -> None:
    world.buy(quantity=2)
    give_back(world, amount=Money(1500))
    with pytest.raises(RefundExceedsPurchaseError):
        give_back(world, quantity=1)
    assert give_back(world) == Money(500)
    world.audit()


def test_a_quote_says_what_a_purchase_then_does(world: World) -> None:
    world.offer("TEN", TEN)
    commits = world.store.commits
    for quantity in range(1, 13):
        intent = world.intent(quantity=quantity, promo_code="TEN")
        quote = world.quote(intent)
        assert quote.order is not None
        assert quote.available == Money(10_000)
        if quote.refusal is not None:
            assert isinstance(quote.refusal, InsufficientCreditError)
            assert quantity == 12
    assert world.store.commits == commits, "a quote writes nothing"
    total = world.quote(world.intent(quantity=3, promo_code="TEN")).order
    assert total is not None
    bought = world.buy(
        quantity=3, promo_code="TEN", expected_minor=total.total.amount_minor
    ).purchase
    assert bought.order == total


def test_a_quote_tells_why_not(world: World) -> None:
    quote = world.quote(world.intent(promo_code="UNKNOWN"))
    assert isinstance(quote.refusal, PromoCodeRefusedError)
    assert quote.order is None
    quote = world.quote(world.intent(expected_minor=999))
    assert isinstance(quote.refusal, TotalChangedError)
    assert quote.order is not None
    world.carrier.outcome = OutcomeUnknown(message="?")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    assert isinstance(world.quote(world.intent()).refusal, UnresolvedAttemptError)


@pytest.fixture
def codes(world: World) -> PromoCodes:
    return PromoCodes(world.store, world.clock)


@pytest.mark.parametrize("faults", [[], [REFUSED], [LOST]])
def test_a_code_is_made_changed_and_ended_once(
    world: World, codes: PromoCodes, faults: list[Fault | None]
) -> None:
    world.store.faults = list(faults)
    made = codes.create("Ten", TEN, actor=Actor("anna"), deadline=FakeDeadline())
    assert (made.code, made.version) == ("TEN", 1)
    with pytest.raises(PromoCodeExistsError):
        codes.create("tEN", TEN, actor=Actor("bob"), deadline=FakeDeadline())
    world.clock.advance(1)
    world.store.faults = list(faults)
    changed = codes.change(
        "TEN",
        lambda terms: replace(terms, max_redemptions=5),
        versions=frozenset({1}),
        actor=Actor("bob"),
        deadline=FakeDeadline(),
    )
    assert (changed.version, changed.terms.max_redemptions) == (2, 5)
    world.store.faults = list(faults)
    ended = codes.deactivate("TEN", actor=Actor("cleo"), deadline=FakeDeadline())
    assert codes.deactivate("TEN", actor=Actor("dan"), deadline=FakeDeadline()) == ended
    _, history = codes.read("TEN")
    assert [(c.action, c.promo.updated_by.subject) for c in history] == [
        (PromoAction.CREATED, "anna"),
        (PromoAction.UPDATED, "bob"),
        (PromoAction.DEACTIVATED, "cleo"),
    ]


def test_a_change_of_what_one_has_not_seen_is_refused(codes: PromoCodes) -> None:
    codes.create("TEN", TEN, actor=Actor("anna"), deadline=FakeDeadline())
    codes.change(
        "TEN", lambda t: t, versions=frozenset({1}), actor=Actor("bob"), deadline=FakeDeadline()
    )
    with pytest.raises(StaleVersionError) as raised:
        codes.change(
            "TEN",
            lambda t: t,
            versions=frozenset({1}),
            actor=Actor("cleo"),
            deadline=FakeDeadline(),
        )
    assert raised.value.version == 2
    codes.deactivate("TEN", actor=Actor("cleo"), deadline=FakeDeadline())
    with pytest.raises(PromoCodeDeactivatedError):
        codes.change(
            "TEN",
            lambda t: t,
            versions=frozenset({3}),
            actor=Actor("cleo"),
            deadline=FakeDeadline(),
        )
    with pytest.raises(PromoCodeNotFoundError):
        codes.read("UNKNOWN")
    with pytest.raises(PromoCodeNotFoundError):
        codes.deactivate("UNKNOWN", actor=Actor("x"), deadline=FakeDeadline())


def test_a_change_is_for_any_of_some_versions_or_for_all(codes: PromoCodes) -> None:
    codes.create("TEN", TEN, actor=Actor("anna"), deadline=FakeDeadline())

    def change(versions: frozenset[int] | None) -> int:
        return codes.change(
            "TEN", lambda t: t, versions=versions, actor=Actor("bob"), deadline=FakeDeadline()
        ).version

    assert change(frozenset({1, 7})) == 2
    assert change(None) == 3
    for other in (frozenset({1, 2}), frozenset[int]()):
        with pytest.raises(StaleVersionError) as raised:
            change(other)
        assert raised.value.version == 3
    with pytest.raises(PromoCodeNotFoundError):
        codes.change(
            "GONE", lambda t: t, versions=None, actor=Actor("bob"), deadline=FakeDeadline()
        )


def test_codes_are_listed_by_state(world: World, codes: PromoCodes) -> None:
    for name in ("AAA", "BBB", "CCC"):
        codes.create(name, TEN, actor=Actor("a"), deadline=FakeDeadline())
        world.clock.advance(1)
    codes.deactivate("BBB", actor=Actor("a"), deadline=FakeDeadline())
    page = codes.list(state=None, before=None, limit=2)
    assert [p.code for p in page.promos] == ["CCC", "BBB"]
    page = codes.list(state=None, before=page.before, limit=2)
    assert ([p.code for p in page.promos], page.before) == (["AAA"], None)
    active = codes.list(state=PromoState.ACTIVE, before=None, limit=9)
    assert [p.code for p in active.promos] == ["CCC", "AAA"]


def test_a_change_is_recognised_after_several_unconfirmed_tries(world: World) -> None:
    world.offer("ten", TEN)
    world.store.faults = [LOST, LOST]
    codes = PromoCodes(world.store, world.clock)

    def change() -> PromoCode:
        return codes.change(
            "TEN",
            lambda _: TEN,
            versions=frozenset({1}),
            actor=Actor("admin"),
            deadline=FakeDeadline(),
        )

    read, readings = world.store.promo, [world.store.promo_items["TEN"]] * 2

    def late(code: str) -> PromoCode | None:
        """The first commit becomes visible only after the second was refused."""
        world.clock.advance(1)
        return readings.pop() if readings else read(code)

    world.store.promo = late  # type: ignore[method-assign]
    assert change().version == 2


@pytest.mark.parametrize("versions", [frozenset({1}), None])
@pytest.mark.parametrize("ended", [False, True])
def test_an_unconfirmed_change_is_recognised_after_another_has_followed_it(
    world: World, codes: PromoCodes, versions: frozenset[int] | None, ended: bool
) -> None:
    world.offer("TEN", TEN)
    world.store.faults = [LOST]
    read, readings = world.store.promo, 0

    def overtaken(code: str) -> PromoCode | None:
        """Before the second reading another administrator changes or ends the code."""
        nonlocal readings
        readings += 1
        if readings == 2:
            world.clock.advance(1)
            if ended:
                codes.deactivate(code, actor=Actor("bob"), deadline=FakeDeadline())
            else:
                other = replace(TEN, max_redemptions=7)
                codes.change(
                    code,
                    lambda _: other,
                    versions=None,
                    actor=Actor("bob"),
                    deadline=FakeDeadline(),
                )
        return read(code)

    world.store.promo = overtaken  # type: ignore[method-assign]
    ours = replace(TEN, max_redemptions=5)
    changed = codes.change(
        "TEN", lambda _: ours, versions=versions, actor=Actor("anna"), deadline=FakeDeadline()
    )
    assert (changed.version, changed.terms) == (2, ours)
    history = world.store.promo_history["TEN"]
    assert [change.promo.updated_by.subject for change in history][1:] == ["anna", "bob"]


def test_a_code_is_recognised_as_made_after_another_has_changed_it(
    world: World, codes: PromoCodes
) -> None:
    world.store.faults = [LOST]
    read, readings = world.store.promo, 0

    def overtaken(code: str) -> PromoCode | None:
        nonlocal readings
        readings += 1
        if readings == 2:
            codes.deactivate(code, actor=Actor("bob"), deadline=FakeDeadline())
        return read(code)

    world.store.promo = overtaken  # type: ignore[method-assign]
    made = codes.create("TEN", TEN, actor=Actor("anna"), deadline=FakeDeadline())
    assert (made.version, made.updated_by.subject) == (1, "anna")
