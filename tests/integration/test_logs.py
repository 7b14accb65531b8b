"""No log holds a name, an e-mail or postal address, a token or a credential. It runs last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from local.upstream.behaviour import Behaviour, Raw, Refuse
from local.upstream.demo_data import CUSTOMERS
from tests.integration.shop import PERSONAL, customer_with

if TYPE_CHECKING:
    from local.endpoints import Endpoints
    from local.upstream.client import StandInControl
    from tests.integration.badges import Badges
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.shop import Shop


def test_no_log_holds_personal_data(
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    endpoints: Endpoints,
) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    sold = till.buy(customer, product.id).result()
    # It went through the functions, to the carrier and into the books ...
    assert PERSONAL in sold.shipping_address.line1
    assert PERSONAL in upstream.shipments(product.sku).requests[0].shipping_address.line1
    # ... also where something went wrong on its way.
    bad = customer_with(customer).model_dump_json(by_alias=True).replace('"12345"', "12345")
    upstream.plan_customer(customer, Behaviour(answer=Raw(body=bad), times=1))
    till.buy(customer, product.id).refused(502, "upstream-contract")
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=400)))
    till.buy(customer, product.id).refused(502, "shipment-failed")
    till.grant(customer, 1, reason=f"{PERSONAL} asked for it").result()

    logs = {group: functions.log_of(group) for group in functions.log_groups()}

    assert len(logs) > 10
    assert any('"status":201' in line for line in _lines(logs))
    told = [line for line in _lines(logs) if PERSONAL.lower() in line.lower()]
    assert told == []
    emulator = Path(endpoints.emulator_log).read_text(errors="replace")
    assert PERSONAL.lower() not in emulator.lower()


def test_no_log_holds_what_the_demo_s_people_are_called(
    functions: Functions, endpoints: Endpoints
) -> None:
    """The seeded customers went through every function that the seed and the tests called."""
    addresses = [c.shipping_address for c in CUSTOMERS] + [c.billing_address for c in CUSTOMERS]
    secrets = {
        *(customer.name for customer in CUSTOMERS),
        *(customer.email for customer in CUSTOMERS),
        *(address.line1 for address in addresses),
    }
    _nobody_logged(secrets, functions, endpoints)


def test_no_log_holds_a_token(functions: Functions, endpoints: Endpoints, badges: Badges) -> None:
    """Neither one that was given out, nor any that the tests signed, nor the key."""
    signatures = {token.rpartition(".")[2] for token in endpoints.tokens.values()}
    signatures |= {token.rpartition(".")[2] for token in badges.signed}
    assert len(signatures) > len(endpoints.tokens)
    _nobody_logged(signatures | {badges.jwk["d"]}, functions, endpoints)


def test_no_log_holds_the_upstream_s_credential(
    upstream: StandInControl, functions: Functions, endpoints: Endpoints
) -> None:
    """Neither the one that was there at first, nor any that the tests put in its place."""
    credentials = {credential.value for credential in upstream.gate().accepted}
    assert credentials, "the stand-in asks for nothing"
    _nobody_logged(credentials, functions, endpoints)


def _nobody_logged(secrets: set[str], functions: Functions, endpoints: Endpoints) -> None:
    logs = {group: functions.log_of(group) for group in functions.log_groups()}
    logs["the emulator's"] = Path(endpoints.emulator_log).read_text(errors="replace").splitlines()
    assert sum(map(len, logs.values())) > 10
    for group, lines in logs.items():
        for line in lines:
            # Not the secret itself in the report of a failure: that would be one more log.
            assert not any(secret in line for secret in secrets), f"a line of {group}"


def _lines(logs: dict[str, list[str]]) -> list[str]:
    return [line for lines in logs.values() for line in lines]
