from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.unit.fakes import (
    FakeCatalogueView,
    FakeClock,
    FakeCustomerIndex,
    FakeCustomers,
    FakeDeadline,
)
from tests.unit.fakes import FakeStore as Store
from till.domain.actor import Actor
from till.domain.money import Money
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.list_customers import ListCustomers
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
            AdjustCredit(self.store, customers, FakeCustomerIndex(), clock).grant(
                CreditAdjustment(
                    customer_id=customer_id,
                    amount=Money(1),
                    limit=None,
                    reason="test",
                    actor=Actor("rep"),
                    idempotency_key="k",
                ),
                FakeDeadline(),
            )
        self.catalogue_view = FakeCatalogueView(self.names)

    def list(self, *, before: str | None = None, limit: int = 10) -> CustomerPage:
        look_up = ShownCustomers(self.catalogue_view, FakeCustomerIndex())
        return ListCustomers(self.store, look_up)(before=before, limit=limit)


def names(page: CustomerPage) -> list[str | None]:
    return [known.details.name if known.details else None for known in page.customers]


def test_all_of_them_the_newest_first_page_by_page() -> None:
    known = Known(["Ada", "Bruno", "Chiara"])
    first = known.list(limit=2)
    assert names(first) == ["Chiara", "Bruno"]
    rest = known.list(before=first.before, limit=2)
    assert (names(rest), rest.before) == (["Ada"], None)
    assert rest.customers[0].opened_at < first.customers[1].opened_at


def test_in_an_outage_the_list_has_no_names() -> None:
    known = Known(["Ada"])
    known.catalogue_view = FakeCatalogueView({}, silent=True)
    assert names(known.list()) == [None]


def test_whom_the_customer_api_does_not_know_any_more_has_no_name() -> None:
    known = Known(["Ada", "Bruno"])
    known.catalogue_view = FakeCatalogueView(
        {customer_id: name for customer_id, name in known.names.items() if name != "Ada"}
    )
    assert names(known.list()) == ["Bruno", None]
