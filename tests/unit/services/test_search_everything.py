from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from tests.unit.fakes import FakeCatalogueView, FakeCustomerIndex, details_of
from till.domain.money import Money
from till.domain.promo import FixedDiscount, PromoCode, PromoTerms
from till.domain.purchase import OutcomeUnknown, Shipped
from till.services.errors import ShipmentOutcomeUnknownError
from till.services.ports.upstream import UpstreamUnavailableError
from till.services.search_everything import (
    CUSTOMERS_AT_MOST,
    FoundAttempt,
    FoundCustomer,
    MatchKind,
    SearchEverything,
    SearchResult,
)
from till.services.shared.shown_customers import ShownCustomers

if TYPE_CHECKING:
    from tests.unit.services.conftest import World


@dataclass
class Desk:
    """A search over the fakes, and the customers of the Customer API."""

    world: World
    names: dict[UUID, str] = field(default_factory=dict)
    index: FakeCustomerIndex = field(default_factory=FakeCustomerIndex)
    silent: bool = False

    def seen(self, name: str) -> UUID:
        customer_id = uuid4()
        self.names[customer_id] = name
        self.index.saw([details_of(customer_id, name)])
        return customer_id

    def search(self, text: str) -> list[tuple[MatchKind, str]]:
        return [_told(match) for match in self.result(text).matches]

    def result(self, text: str) -> SearchResult:
        view = FakeCatalogueView(self.names, silent=self.silent)
        look_up = ShownCustomers(view, self.index)
        return SearchEverything(self.world.store, self.index, look_up)(text)


def _told(match: object) -> tuple[MatchKind, str]:
    match match:
        case FoundAttempt(kind=kind, attempt=attempt):
            return kind, str(attempt.id)
        case FoundCustomer(customer_id=customer_id):
            return MatchKind.CUSTOMER, str(customer_id)
        case PromoCode(code=code):
            return MatchKind.PROMO_CODE, code
    raise AssertionError(match)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_purchase_by_its_id_its_beginning_and_its_shipment(desk: Desk, world: World) -> None:
    world.carrier.outcome = Shipped(shipment_id="shp_Abc123")
    purchase = world.buy().purchase
    found = (MatchKind.PURCHASE, str(purchase.id))
    assert desk.search(str(purchase.id)) == [found]
    assert desk.search(str(purchase.id).upper()) == [found]
    assert desk.search(str(purchase.id)[:8]) == [found]
    assert desk.search(str(purchase.id)[:20]) == [found]
    assert desk.search(str(purchase.id)[:7]) == []
    other_end = "0" if str(purchase.id)[9] != "0" else "1"
    assert desk.search(f"{str(purchase.id)[:9]}{other_end}") == []
    assert desk.search(purchase.shipment_id) == [(MatchKind.SHIPMENT, str(purchase.id))]


def test_an_attempt_that_is_no_purchase(desk: Desk, world: World) -> None:
    world.carrier.outcome = OutcomeUnknown(message="no answer")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    attempt = world.the_attempt()
    assert desk.search(str(attempt.id)) == [(MatchKind.ATTEMPT, str(attempt.id))]
    assert desk.search(str(attempt.id)[:8]) == [(MatchKind.ATTEMPT, str(attempt.id))]


def test_a_promo_code_in_any_case_before_the_customers_of_that_name(
    desk: Desk, world: World
) -> None:
    world.offer("ADA", PromoTerms(discount=FixedDiscount(amount=Money(100))))
    ada = desk.seen("Ada")
    assert desk.search("ada") == [
        (MatchKind.PROMO_CODE, "ADA"),
        (MatchKind.CUSTOMER, str(ada)),
    ]


def test_full_words_come_before_the_beginning_of_one(desk: Desk) -> None:
    desk.seen("Annabel Young")
    desk.seen("Ann Young")
    desk.seen("Anna Abel")
    names = [desk.names[UUID(found)] for _, found in desk.search("ann")]
    assert names == ["Ann Young", "Anna Abel", "Annabel Young"]


def test_a_customer_by_id_and_its_beginning(desk: Desk, world: World) -> None:
    ada = desk.seen("Ada")
    assert desk.search(str(ada)) == [(MatchKind.CUSTOMER, str(ada))]
    assert desk.search(str(ada)[:8]) == [(MatchKind.CUSTOMER, str(ada))]
    assert desk.search(str(uuid4())) == []
    world.grant(1)
    (match,) = desk.result(str(world.customer_id)).matches
    assert match == FoundCustomer(world.customer_id, None), "an account, and no such customer"


def test_the_customer_api_decides_what_is_shown(desk: Desk) -> None:
    renamed, gone = desk.seen("Ada One"), desk.seen("Ada Two")
    desk.names[renamed] = "Zoe One"
    del desk.names[gone]
    assert desk.search("ada") == []
    assert list(desk.index.customers) == [renamed], "and the index has learned it"
    assert desk.search("zoe") == [(MatchKind.CUSTOMER, str(renamed))]


def test_without_an_answer_of_the_customer_api_other_matches_are_shown(
    desk: Desk, world: World
) -> None:
    world.offer("ADA", PromoTerms(discount=FixedDiscount(amount=Money(100))))
    desk.seen("Ada")
    desk.silent = True
    result = desk.result("ada")
    assert [_told(match) for match in result.matches] == [(MatchKind.PROMO_CODE, "ADA")]
    assert result.customers_unavailable
    desk.seen("Bruno")
    with pytest.raises(UpstreamUnavailableError):
        desk.search("bruno")


def test_more_customers_than_are_shown(desk: Desk) -> None:
    for number in range(CUSTOMERS_AT_MOST):
        desk.seen(f"Ada {number}")
    assert not desk.result("ada").more_customers
    desk.seen("Ada")
    result = desk.result("ada")
    assert result.more_customers
    assert len(result.matches) == CUSTOMERS_AT_MOST


def test_what_can_name_nothing_finds_nothing(desk: Desk) -> None:
    assert desk.search("--- ???") == []
