"""The credential of the external APIs: on each call, and changed while the system runs.

What the stand-in accepts goes for all who call it; these tests leave it accepting every credential
that a function may still have.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import pytest

from local.upstream.behaviour import Behaviour
from local.upstream.credentials import Credential
from tests.integration.client import new_key
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.under_test import Emulated, UnderTest

CREDIT = 50_000
PRICE = 1_000
NEVER = "3600"
"""Seconds that a credential is kept: then nothing but a refusal makes a function ask again."""


class Operator:
    """Who is told a new credential by the other team, and puts it into the stage's secret."""

    def __init__(self, aws: boto3.Session, emulated: Emulated, upstream: StandInControl) -> None:
        self._client = aws.client("secretsmanager", endpoint_url=emulated.url)
        self._upstream = upstream
        self._known = upstream.gate().accepted
        self.secret = f"{emulated.function_prefix}upstream"
        self._before = self._client.get_secret_value(SecretId=self.secret)["SecretString"]

    @property
    def credential(self) -> Credential:
        """The one that functions are to use now."""
        content = self._client.get_secret_value(SecretId=self.secret)["SecretString"]
        return Credential.model_validate_json(content)

    def invent(self) -> Credential:
        """A new credential that no function has read yet."""
        new = Credential(header=self.credential.header, value=f"test-{uuid4()}")
        self._known = (*self._known, new)
        return new

    def put(self, content: str) -> None:
        """Into the secret."""
        self._client.put_secret_value(SecretId=self.secret, SecretString=content)

    def rotate(self) -> Credential:
        """A new one comes in the place of the old, without a time for both."""
        new = self.invent()
        self._upstream.accept(new)
        self.put(new.model_dump_json())
        return new

    def delete(self) -> None:
        """The secret, by mistake."""
        self._client.delete_secret(SecretId=self.secret, RecoveryWindowInDays=7)

    def restore(self) -> None:
        """The mistake was seen."""
        self._client.restore_secret(SecretId=self.secret)

    def tidy(self) -> None:
        """All is as it was, and every function is let in with what it still has."""
        self.put(self._before)
        self._upstream.accept(*self._known)


@dataclass(frozen=True)
class Asked:
    """A customer with credit, and a product."""

    customer: UUID
    product: UUID
    sku: str


@pytest.fixture
def operator(
    aws: boto3.Session, emulated: Emulated, upstream: StandInControl
) -> Iterator[Operator]:
    operator = Operator(aws, emulated, upstream)
    assert upstream.gate().accepted, "the stand-in asks for nothing"
    try:
        yield operator
    finally:
        operator.tidy()


@pytest.fixture
def asked(shop: Shop) -> Asked:
    product = shop.product("10.00")
    return Asked(shop.customer(credit=CREDIT), product.id, product.sku)


@pytest.fixture
def _patient(functions: Functions) -> Iterator[None]:
    """Workers that will never find their credential too old."""
    with functions.configured(
        "create_purchase", "get_product", TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS=NEVER
    ):
        yield


def shown(till: TillClient, product: UUID) -> int:
    return till.send("GET", f"/products/{product}").status_code


def test_each_call_bears_it(
    operator: Operator,
    till: TillClient,
    upstream: StandInControl,
    under_test: UnderTest,
    asked: Asked,
) -> None:
    url = f"{under_test.upstream_url}/products/{asked.product}"
    assert httpx.get(url, trust_env=False).status_code == 401

    assert shown(till, asked.product) == 200
    till.buy(asked.customer, asked.product).result()
    (parcel,) = upstream.shipments(asked.sku).requests
    credential = operator.credential
    assert parcel.headers[credential.header.lower()] == credential.value


@pytest.mark.usefixtures("_patient")
def test_a_new_one_is_used_at_once_and_without_a_deploy(
    operator: Operator,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    audit: Auditor,
    *,
    asked: Asked,
) -> None:
    assert shown(till, asked.product) == 200
    till.buy(asked.customer, asked.product).result()
    before = upstream.gate().refused

    new = operator.rotate()

    # No function has a copy of this one: it has to be read.
    assert shown(till, shop.product().id) == 200
    till.buy(asked.customer, asked.product).result()
    assert upstream.shipments(asked.sku).requests[-1].headers[new.header.lower()] == new.value
    assert upstream.gate().refused > before, "the old one had not been kept"
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - 2 * PRICE, 0)
    assert picture.parcel_count == 2


def test_a_new_one_is_used_when_the_old_one_is_of_age(
    operator: Operator,
    till: TillClient,
    upstream: StandInControl,
    functions: Functions,
    asked: Asked,
) -> None:
    with functions.configured("create_purchase", TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS="1"):
        till.buy(asked.customer, asked.product).result()
        new, old = operator.invent(), operator.credential
        # As the other team should do it: there is a time for both.
        upstream.accept(old, new)
        operator.put(new.model_dump_json())
        before = upstream.gate().refused

        def is_used() -> bool:
            till.buy(asked.customer, asked.product).result()
            parcel = upstream.shipments(asked.sku).requests[-1]
            return parcel.headers[new.header.lower()] == new.value

        until(is_used, "the new credential")
        assert upstream.gate().refused == before


@pytest.mark.usefixtures("_patient")
def test_with_the_wrong_one_nothing_is_bought_until_it_is_put_right(
    operator: Operator, till: TillClient, upstream: StandInControl, audit: Auditor, asked: Asked
) -> None:
    till.buy(asked.customer, asked.product).result()
    right = operator.rotate()
    operator.put(operator.invent().model_dump_json())
    key = new_key()

    till.buy(asked.customer, asked.product, key=key).refused(503, "upstream-unavailable")
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - PRICE, 0)
    assert (len(picture.attempts), picture.parcel_count) == (1, 1)

    operator.put(right.model_dump_json())
    # A function asks again after a few seconds only: an upstream may keep refusing.
    until(lambda: till.buy(asked.customer, asked.product, key=key).ok, "the purchase")
    assert audit(asked.customer).balance.posted == CREDIT - 2 * PRICE


@pytest.mark.usefixtures("_patient")
def test_one_that_changes_between_the_reads_and_the_shipment(
    operator: Operator, till: TillClient, upstream: StandInControl, audit: Auditor, asked: Asked
) -> None:
    """CreateShipment is refused, and not sent again: the next purchase has the new one."""
    till.buy(asked.customer, asked.product).result()
    upstream.plan_product(asked.product, Behaviour(hold=True))
    with ThreadPoolExecutor(1) as pool:
        buying = pool.submit(till.buy, asked.customer, asked.product)
        until(lambda: upstream.product(asked.product).waiting, "the reading of the product")
        operator.rotate()
        upstream.release("products", asked.product)
        buying.result().refused(502, "shipment-failed")
    upstream.clear("products", asked.product)
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - PRICE, 0)
    assert (picture.parcel_count, len(picture.carrier_calls)) == (1, 1)

    till.buy(asked.customer, asked.product).result()


def test_a_secret_of_no_use_is_told_by_its_name(
    operator: Operator, till: TillClient, functions: Functions, audit: Auditor, asked: Asked
) -> None:
    secret = f"not JSON {uuid4()}"
    with functions.configured("create_purchase"):
        operator.put(secret)
        till.buy(asked.customer, asked.product).refused(503, "upstream-unavailable")
        assert audit(asked.customer).attempts == []

        def told() -> list[str]:
            till.buy(asked.customer, asked.product)
            return [line for line in functions.log("create_purchase") if operator.secret in line]

        # The emulator may pick up a late line with the next request only.
        line = until(told, "what the log says of it")[0]
        assert '"ERROR"' in line
        assert f"secret {operator.secret} is empty, or not JSON; docs/runbooks/" in line
        assert secret not in "\n".join(functions.log("create_purchase"))


def test_a_secret_that_is_gone_is_lived_without_for_a_while(
    operator: Operator, till: TillClient, functions: Functions, asked: Asked
) -> None:
    with functions.configured("create_purchase", TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS="1"):
        till.buy(asked.customer, asked.product).result()
        operator.delete()
        try:

            def told() -> list[str]:
                till.buy(asked.customer, asked.product).result()
                lines = functions.log("create_purchase")
                return [line for line in lines if "is not renewed" in line]

            assert '"WARNING"' in until(told, "the warning")[0]
        finally:
            operator.restore()
