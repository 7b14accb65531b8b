from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.unit.fakes import FakeClock, FakeCustomers, FakeDeadline, FakeShowcase
from tests.unit.fakes import FakeStore as Store
from till.domain.money import Money
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.list_customers import EXAMINED_AT_MOST, ListCustomers
from till.services.ports.upstream import UpstreamUnavailableError
from till.services.shared.shown_customers import ShownCustomers

if TYPE_CHECKING:
    from till.services.list_customers import CustomerPage


class Known:
    """Customers with accounts, opened one second after the other."""

    def __init__(self, names: list[str]) -> None:
        self.store, self.names = Store(), dict[UUID, str]()
        clock, customers = FakeClock(), FakeCustomers()
        for name in names:
            customer_id = customers.add()
            self.names[customer_id] = name
            clock.advance(1)
            AdjustCredit(self.store, customers, clock).grant(
                CreditAdjustment(
                    customer_id=customer_id,
                    amount=Money(1),
                    limit=None,
                    reason="test",
                    actor="rep",
                    idempotency_key="k",
                ),
                FakeDeadline(),
            )
        self.catalogue_view = FakeShowcase(self.names)

    @property
    def find(self) -> ListCustomers:
        return ListCustomers(self.store, ShownCustomers(self.catalogue_view))

    def name(self, customer_id: UUID) -> str:
        return self.names[customer_id]


def names(page: CustomerPage) -> list[str | None]:
    return [known.details.name if known.details else None for known in page.customers]


def test_all_of_them_the_newest_first_page_by_page() -> None:
    known = Known(["Ada", "Bruno", "Chiara"])
    first = known.find.all(before=None, limit=2)
    assert names(first) == ["Chiara", "Bruno"]
    rest = known.find.all(before=first.before, limit=2)
    assert (names(rest), rest.before) == (["Ada"], None)
    assert rest.customers[0].opened_at < first.customers[1].opened_at


@pytest.mark.parametrize("text", ["okafor", "ADA OK", "OKAFOR"])
def test_a_part_of_a_name_in_any_case(text: str) -> None:
    known = Known(["Ada Okafor", "Bruno", "Chiara"])
    page = known.find.matching(text, before=None, limit=10)
    assert (names(page), page.before) == (["Ada Okafor"], None)


def test_a_part_of_an_e_mail() -> None:
    known = Known(["Ada", "Bruno"])
    customer_id = next(iter(known.names))
    page = known.find.matching(f"{customer_id.int % 10**8:08}@EXAMPLE", before=None, limit=10)
    assert [found.customer_id for found in page.customers] == [customer_id]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_every_match_is_found_once_whatever_the_page_size(limit: int) -> None:
    wanted = [f"Ada {n}" for n in range(7)]
    known = Known([name for n in range(7) for name in (f"Ada {n}", "Bruno", "Chiara")])
    found: list[str | None] = []
    before: str | None = None
    for _ in range(30):
        page = known.find.matching("ada", before=before, limit=limit)
        assert len(page.customers) <= limit
        found += names(page)
        before = page.before
        if before is None:
            break
    assert before is None
    assert found == wanted[::-1]


def test_a_page_of_a_search_looks_at_so_many_accounts_and_says_where_to_go_on() -> None:
    known = Known(["Ada", *(["Bruno"] * (EXAMINED_AT_MOST + 10))])
    page = known.find.matching("ada", before=None, limit=10)
    assert names(page) == []
    assert page.before is not None
    assert len(known.catalogue_view.asked) == EXAMINED_AT_MOST
    assert names(known.find.matching("ada", before=page.before, limit=10)) == ["Ada"]


def test_in_an_outage_the_list_has_no_names_and_a_search_says_so() -> None:
    known = Known(["Ada"])
    known.catalogue_view = FakeShowcase({}, silent=True)
    assert names(known.find.all(before=None, limit=10)) == [None]
    with pytest.raises(UpstreamUnavailableError):
        known.find.matching("ada", before=None, limit=10)


def test_whom_the_customer_api_does_not_know_any_more_matches_nothing() -> None:
    known = Known(["Ada", "Bruno"])
    known.catalogue_view = FakeShowcase(
        {customer_id: name for customer_id, name in known.names.items() if name != "Ada"}
    )
    assert names(known.find.matching("ada", before=None, limit=10)) == []
    assert names(known.find.all(before=None, limit=10)) == ["Bruno", None]


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("Søren Østergård", "soren ostergard"),
        ("Zoë", "zoe"),
        ("Zoe\u0308", "Zoë"),
        ("JOSÉ", "jose"),
        ("Jose", "josé"),
        ("Straße", "STRASSE"),
        ("\u0130brahim", "ibrahim"),
        ("Ibrahim", "\u0130BRAHIM"),
        ("Łukasz", "lukasz"),
        ("Nguyễn", "nguyen"),
        ("\uff21\uff4e\uff4e\uff41", "anna"),
        ("ﬁnn", "finn"),
        ("Ælfred", "aelfred"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
    ],
)
def test_case_accents_and_unicode_forms_make_no_difference(name: str, search: str) -> None:
    page = Known(["Bruno", name]).find.matching(search, before=None, limit=10)
    assert names(page) == [name]


@pytest.mark.parametrize(("name", "search"), [("Anna", "hanna"), ("中文", "中國"), ("Оля", "Ola")])
def test_other_names_are_not_found(name: str, search: str) -> None:
    assert names(Known([name]).find.matching(search, before=None, limit=10)) == []
