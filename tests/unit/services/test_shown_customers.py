from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import UUID, uuid4

from tests.unit.fakes import ADDRESS
from till.domain.catalogue import CustomerDetails, Shown
from till.domain.errors import CustomerNotFoundError, UpstreamUnavailableError
from till.services.customer_names import CustomerNames

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeShowcase:
    def __init__(self, names: dict[UUID, str], *, silent: bool = False) -> None:
        self._names = names
        self._silent = silent
        self._lock = threading.Lock()
        self.asked: list[UUID] = []

    def customer(self, customer_id: UUID) -> Shown[CustomerDetails]:
        with self._lock:
            self.asked.append(customer_id)
        if self._silent:
            raise UpstreamUnavailableError("the Customer API", "silent")
        if customer_id not in self._names:
            raise CustomerNotFoundError
        details = CustomerDetails(
            id=customer_id,
            name=self._names[customer_id],
            email="",
            billing_address=ADDRESS,
            shipping_address=ADDRESS,
            created_at=NOON,
            last_modified_at=NOON,
        )
        return Shown(details, age_seconds=0, stale=False)


def test_each_customer_is_asked_for_once() -> None:
    known = {uuid4(): f"Name {n}" for n in range(20)}
    showcase = FakeShowcase(known)
    stranger = uuid4()
    assert CustomerNames(showcase)([*known, stranger, *known]) == known
    assert sorted(showcase.asked, key=str) == sorted([*known, stranger], key=str)


def test_a_silent_api_costs_one_time_out_and_no_list() -> None:
    showcase = FakeShowcase({}, silent=True)
    assert CustomerNames(showcase)(uuid4() for _ in range(100)) == {}
    assert len(showcase.asked) <= 16, "those that were under way when the first one failed"
