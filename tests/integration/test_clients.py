"""Clients made from the OpenAPI document walk through what the README shows, unpatched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import pytest

from local.node import npm_environment
from local.paths import BACKOFFICE, CLIENT
from till_client import InsufficientCredit, NotFound, StaleVersion, Till, models
from till_client.generated.api.credit import get_credit, list_entries
from till_client.generated.api.promo_codes import create_promo_code, update_promo_code
from till_client.generated.api.purchases import create_purchase
from till_client.generated.api.refunds import refund_purchase
from till_client.generated.client import AuthenticatedClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.upstream.client import StandInControl
    from tests.integration.badges import Badges
    from tests.integration.client import TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.under_test import UnderTest

EXAMPLE: Final = re.compile(r"```python\n(.*?)```.*?```text\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class World:
    """A customer without credit, and a product at 12.50."""

    customer: UUID
    product: UUID
    customer_token: str
    rep_token: str


@pytest.fixture
def world(shop: Shop, upstream: StandInControl, badges: Badges, audit: Auditor) -> Iterator[World]:
    customer = shop.customer()
    product = shop.product("12.50").model_copy(update={"sku": "NTB-A5-DOT"})
    upstream.put_product(product)
    yield World(
        customer=customer,
        product=product.id,
        customer_token=badges.of("chiara", "customer", customer_id=customer),
        rep_token=badges.of("rita", "support"),
    )
    audit(customer)


def test_the_example_of_the_python_client_s_readme(
    world: World, under_test: UnderTest, badges: Badges, tmp_path: Path
) -> None:
    readme = (CLIENT / "README.md").read_text(encoding="utf-8")
    found = EXAMPLE.search(readme)
    assert found is not None
    program, promised = found.groups()
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(CLIENT),
            "TILL_URL": under_test.api_url,
            "TILL_TOKEN": badges.tester(),
            "CUSTOMER": str(world.customer),
            "PRODUCT": str(world.product),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == promised


def test_the_readme_s_walk_by_the_generated_python_client(
    world: World, till: TillClient, under_test: UnderTest
) -> None:
    """The code that openapi-python-client makes, and nothing around it."""
    till.grant(world.customer, 4000).result()
    with (
        AuthenticatedClient(base_url=under_test.api_url, token=world.customer_token) as chiara,
        AuthenticatedClient(base_url=under_test.api_url, token=world.rep_token) as rita,
    ):
        balance = get_credit.sync(world.customer, client=chiara)
        assert isinstance(balance, models.CreditResponse)
        assert (balance.posted, balance.held, balance.available) == (4000, 0, 4000)

        body = models.CreatePurchaseRequest(product_id=world.product, quantity=2)
        key = str(uuid4())
        first, again = (
            create_purchase.sync_detailed(
                world.customer, client=chiara, body=body, idempotency_key=key
            )
            for _ in range(2)
        )
        purchase = first.parsed
        assert isinstance(purchase, models.PurchaseResponse)
        assert (purchase.total, purchase.status) == (2500, models.PurchaseStatus.COMPLETED)
        assert again.parsed == purchase
        assert again.headers["Idempotency-Replayed"] == "true"

        refund = refund_purchase.sync(
            purchase.id,
            client=rita,
            body=models.CreateRefundRequest(amount=1000, reason="Scratched"),
            idempotency_key=str(uuid4()),
        )
        assert isinstance(refund, models.RefundResponse)
        assert (refund.refundable, refund.balance_after) == (1500, 2500)

        too_much = create_purchase.sync(
            world.customer,
            client=chiara,
            body=models.CreatePurchaseRequest(product_id=world.product, quantity=200),
            idempotency_key=str(uuid4()),
        )
        assert isinstance(too_much, models.ProblemResponse)
        assert (too_much.status, too_much.needed, too_much.available) == (409, 250_000, 2500)

        entries = list_entries.sync(world.customer, client=chiara, limit=1)
        assert isinstance(entries, models.EntryListResponse)
        assert [entry.amount for entry in entries.items] == [1000]
        assert isinstance(entries.next_cursor, str)

        another = get_credit.sync(uuid4(), client=chiara)
        assert isinstance(another, models.ProblemResponse)
        assert another.status == 404


def test_a_generated_patch_keeps_the_restrictions_that_it_does_not_name(
    under_test: UnderTest, badges: Badges
) -> None:
    """The defect that a default in the document was: the code served everybody afterwards."""
    code = f"KEEP-{uuid4().hex[:8].upper()}"
    with AuthenticatedClient(base_url=under_test.api_url, token=badges.tester()) as client:
        made = create_promo_code.sync(
            client=client,
            body=models.CreatePromoCodeRequest(
                code=code,
                discount=models.PercentageDiscountRequest(type_="percentage", percent=10),
                first_purchase_only=True,
                minimum_subtotal=1000,
            ),
        )
        assert isinstance(made, models.PromoCodeResponse)
        changed = update_promo_code.sync(
            code,
            client=client,
            body=models.UpdatePromoCodeRequest(max_redemptions=5),
            if_match=f'"{made.version}"',
        )
        assert isinstance(changed, models.PromoCodeResponse)
        assert (changed.max_redemptions, changed.first_purchase_only) == (5, True)
        assert (changed.minimum_subtotal, changed.discount) == (1000, made.discount)


def test_the_python_client_on_the_running_system(
    world: World, under_test: UnderTest, badges: Badges
) -> None:
    with Till(under_test.api_url, badges.tester) as till:
        assert till.get_health().status == "ok"
        for n in range(3):
            till.grant_credit(world.customer, 1000, f"Part {n}", intent=f"grant {n}")
        assert [e.sequence for e in till.list_entries(world.customer)] == [3, 2, 1]
        with pytest.raises(InsufficientCredit) as poor:
            till.create_purchase(world.customer, world.product, 3, intent="order")
        assert (poor.value.needed, poor.value.available) == (3750, 3000)
        with pytest.raises(NotFound):
            till.get_purchase(uuid4())
        code = f"LIB-{uuid4().hex[:8].upper()}"
        till.create_promo_code(
            models.CreatePromoCodeRequest(
                code=code, discount=models.FixedDiscountRequest(type_="fixed", amount=5)
            )
        )
        change = models.UpdatePromoCodeRequest(max_redemptions=2)
        with pytest.raises(StaleVersion) as stale:
            till.update_promo_code(code, change, version=7)
        assert till.update_promo_code(code, change, version=stale.value.version).version == 2


def test_the_readme_s_walk_by_the_back_office_s_typescript_client(
    world: World, till: TillClient, under_test: UnderTest
) -> None:
    till.grant(world.customer, 4000).result()
    ran = subprocess.run(
        ["npm", "run", "--silent", "test:walk"],
        cwd=BACKOFFICE,
        env={
            **npm_environment(),
            "WALK_ORIGIN": under_test.api_url.removesuffix("/v1"),
            "WALK_CUSTOMER": str(world.customer),
            "WALK_PRODUCT": str(world.product),
            "WALK_CUSTOMER_TOKEN": world.customer_token,
            "WALK_REP_TOKEN": world.rep_token,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
