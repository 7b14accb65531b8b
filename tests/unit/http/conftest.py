"""What the tests of the HTTP edge share."""

from __future__ import annotations

import pytest

from till import bootstrap


@pytest.fixture(autouse=True)
def _nothing_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that reaches a use case is answered with 500."""

    def unreachable() -> None:
        raise AssertionError("a use case was reached")

    for name in ("adjust_credit", "create_purchase", "refund_purchase", "resolve_attempt"):
        monkeypatch.setattr(bootstrap, name, unreachable)
    for name in ("read_credit", "read_purchases", "create_quote", "promo_codes", "catalogue_view"):
        monkeypatch.setattr(bootstrap, name, unreachable)
    for name in ("list_customers", "create_refund_quote", "shown_customers"):
        monkeypatch.setattr(bootstrap, name, unreachable)
