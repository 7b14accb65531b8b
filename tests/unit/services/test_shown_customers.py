from __future__ import annotations

import itertools
from uuid import uuid4

from tests.unit.fakes import FakeCatalogueView, FakeCustomerIndex, details_of
from till.services.shared.shown_customers import ShownCustomers


def test_each_customer_is_asked_for_once() -> None:
    known = {uuid4(): f"Name {n}" for n in range(20)}
    catalogue_view = FakeCatalogueView(known)
    stranger = uuid4()
    looked = ShownCustomers(catalogue_view, FakeCustomerIndex())([*known, stranger, *known])
    assert looked.names == known
    assert looked.unavailable is None
    assert sorted(catalogue_view.asked, key=str) == sorted([*known, stranger], key=str)


def test_a_silent_api_costs_one_time_out_and_no_list() -> None:
    catalogue_view = FakeCatalogueView({}, silent=True)
    index = FakeCustomerIndex()
    looked = ShownCustomers(catalogue_view, index)(uuid4() for _ in range(100))
    assert looked.customers == {}
    assert looked.unavailable is not None
    assert len(catalogue_view.asked) <= 16, "those that were under way when the first one failed"
    assert index.told == []


def test_a_slow_api_costs_its_time_and_no_list() -> None:
    names = {uuid4(): f"Name {n}" for n in range(100)}
    seconds = itertools.count()
    catalogue_view = FakeCatalogueView(names)
    looked = ShownCustomers(
        catalogue_view, FakeCustomerIndex(), monotonic=lambda: float(next(seconds))
    )(names)
    assert 0 < len(looked.customers) < 100
    assert looked.unavailable is not None
    assert len(catalogue_view.asked) == len(looked.customers)


def test_the_index_is_told_who_was_seen_and_who_is_gone() -> None:
    index, seen, gone = FakeCustomerIndex(), uuid4(), uuid4()
    index.saw([details_of(gone, "Bruno")])
    ShownCustomers(FakeCatalogueView({seen: "Ada"}), index)([seen, gone])
    assert [(each, words.words[0]) for each, words in index.customers.items()] == [(seen, "ada")]
