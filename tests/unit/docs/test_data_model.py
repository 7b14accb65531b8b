"""The examples in docs/data-model.md are items as the adapter stores them, of the README's walk."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from till.adapters.dynamodb.stored.accounts import StoredChange, StoredRequest
from till.adapters.dynamodb.stored.attempts import StoredAttempt, StoredRefund, StoredShipmentClaim
from till.adapters.dynamodb.stored.customer_index import StoredCustomerWords
from till.adapters.dynamodb.stored.promo_codes import StoredPromo
from till.domain.ledger import entry_hash
from till.domain.purchase import attempt_id_for, refund_id_for

ROOT: Final = Path(__file__).resolve().parents[3]
PAGE: Final = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
REDEMPTIONS: Final = ["pk", "sk", "redemptions"]


def _examples(text: str) -> list[dict[str, Any]]:
    found = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [json.loads(one) for one in found]


def _example(sort_key: str) -> dict[str, Any]:
    (found,) = (
        one
        for one in _examples(PAGE)
        if one["sk"] == sort_key or (sort_key[-1] == "#" and one["sk"].startswith(sort_key))
    )
    return found


@pytest.mark.parametrize(
    ("sort_key", "model"),
    [
        ("VERSION#", StoredChange),
        ("REQUEST#", StoredRequest),
        ("PURCHASE", StoredAttempt),
        ("REFUND#", StoredRefund),
        ("SHIPMENT", StoredShipmentClaim),
        ("PROMO", StoredPromo),
        ("CUSTOMER", StoredCustomerWords),
    ],
)
def test_an_example_is_what_the_adapter_stores(sort_key: str, model: type[StoredChange]) -> None:
    example = _example(sort_key)
    assert model.model_validate(example).values() == example


def test_every_item_of_the_table_has_an_example() -> None:
    keys = re.findall(
        r"^\| (?:ledger|purchases|customer-index) \| [^|]+ \| `([A-Z]+#)[^|]+ \| `([A-Z]+)",
        PAGE,
        re.M,
    )
    shown = {(one["pk"].split("#")[0] + "#", one["sk"].split("#")[0]) for one in _examples(PAGE)}
    # A version of a promo code is described by its difference.
    assert set(keys) - {("PROMO#", "VERSION")} == shown
    assert list(_example("CUSTOMER#")) == REDEMPTIONS


def test_the_examples_are_of_one_purchase() -> None:
    version, purchase, refund = (_example(sk) for sk in ("VERSION#", "PURCHASE", "REFUND#"))
    change = StoredChange.model_validate(version).change()
    attempt = StoredAttempt.model_validate(purchase).attempt()
    assert change.entry is not None
    assert change.entry.hash == entry_hash(change.entry)
    assert attempt.id == attempt_id_for(attempt.customer_id, attempt.idempotency_key)
    assert attempt.id == change.attempt_id == UUID(refund["purchase_id"])
    assert UUID(refund["id"]) == refund_id_for(attempt.customer_id, refund["idempotency_key"])
    assert _example("SHIPMENT")["purchase_id"] == str(attempt.id)
    assert (attempt.expires_at - attempt.reserved_at).total_seconds() == 60
    assert _example("REQUEST#")["version"] == version["version"] + 1


def test_the_readme_shows_the_same_purchase_and_an_entry_that_verifies() -> None:
    version, refund = _example("VERSION#"), _example("REFUND#")
    answers = _examples(README)
    assert [one["id"] for one in answers if "shipment_id" in one] == [version["attempt_id"]]
    assert [one["id"] for one in answers if "refundable" in one and "reason" in one] == [
        refund["id"]
    ]
    (entry,) = next(one["items"] for one in answers if "items" in one)
    assert entry["previous_hash"] == version["entry_hash"]
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    # The page's own lines, as a reader would run them.
    exec(snippet, {"entry": entry, "json": json, "hashlib": hashlib})  # noqa: S102
