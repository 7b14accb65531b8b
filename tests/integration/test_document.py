"""Whatever one sends, the API answers as its OpenAPI document says (Schemathesis).

Here for less than two minutes; ``make fuzz`` does it for an hour. What is excluded, and why, is in
``schemathesis.toml`` and ``schemathesis_hooks.py``, next to this file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import pytest

from local.upstream.behaviour import Behaviour, Refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.upstream.client import StandInControl
    from tests.integration.badges import Badges
    from tests.integration.client import TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.under_test import UnderTest

HERE: Final = Path(__file__).parent
DOCUMENT: Final = HERE.parents[1] / "docs" / "openapi.json"
"""That the API serves the same is shown in test_about."""
FUZZ_SECONDS: Final = int(float(os.environ.get("TILL_FUZZ_MINUTES", "0")) * 60)
SECONDS: Final = int(FUZZ_SECONDS * 0.6) or 100
"""The rest of an hour of ``make fuzz`` is for the answers of the external APIs."""
PHASES: Final = {"examples,coverage": 0.4, "fuzzing": 0.3, "stateful": 0.3}
"""Each has its share of the time: on a busy machine the first would take all of it."""


@pytest.fixture(scope="module")
def known(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> Mapping[str, UUID | str]:
    """Ids of what exists, so that not every answer is that there is nothing."""
    customer, product, lost = shop.customer(credit=10**9), shop.product("10.00"), shop.product()
    upstream.plan_shipments(lost.sku, Behaviour(answer=Refuse(status=504)))
    purchase = till.buy(customer, product.id, 100).result()
    attempt = till.buy(customer, lost.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None
    code = f"FUZZ-{uuid4().hex[:8].upper()}"
    discount = {"type": "percentage", "percent": 10}
    till.send("POST", "/promo-codes", json={"code": code, "discount": discount}).raise_for_status()
    return {
        "customer_id": customer,
        "purchase_id": purchase.id,
        "attempt_id": attempt,
        "product_id": product.id,
        "code": code,
    }


def configuration(known: Mapping[str, UUID | str]) -> str:
    """The committed settings, and a known id for most parameters and fields."""
    dictionaries = "".join(
        f'[dictionaries.{name}]\nvalues = ["{value}"]\n' for name, value in known.items()
    )
    binding = '= {{ dictionary = "{}", probability = 0.8 }}\n'
    parameters = "".join(
        f'"{place}" {binding.format(name)}'
        for name in known
        for place in (f"path.{name}", f"body.{name}")
        if place not in {"body.customer_id", "body.purchase_id", "body.attempt_id", "body.code"}
    )
    committed = (HERE / "schemathesis.toml").read_text(encoding="utf-8")
    hooks = f'hooks = "{HERE / "schemathesis_hooks.py"}"\n'
    if FUZZ_SECONDS:
        committed = committed.replace("deterministic = true", "deterministic = false")
    return f"{hooks}{committed}\n{dictionaries}\n[parameters]\n{parameters}"


@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("phases", PHASES)
def test_every_answer_is_as_the_document_says(
    known: Mapping[str, UUID | str],
    under_test: UnderTest,
    badges: Badges,
    tmp_path: Path,
    phases: str,
) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(configuration(known), encoding="utf-8")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", settings, "--no-color"),
            *("run", DOCUMENT, "--url", under_test.api_url, "--phases", phases),
            # One thread: Python 3.11 fails when two threads parse source code at once.
            *("--max-time", str(int(SECONDS * PHASES[phases])), "--workers", "1"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "TILL_TOKEN": badges.tester(),
            "TILL_GATEWAY_READS_FORMS": "yes" if under_test.is_localstack else "",
            "NO_PROXY": "*",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_it_moved_money_and_the_books_are_right(
    known: Mapping[str, UUID | str], audit: Auditor
) -> None:
    customer = known["customer_id"]
    assert isinstance(customer, UUID)
    kinds = {version.kind for version in audit(customer).versions[5:]}
    assert kinds
