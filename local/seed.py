"""Demo credit, given through the API itself, and the lines to paste that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import httpx

from local.errors import StartError
from local.issuer import PASSWORD, PEOPLE, TOOL
from local.upstream.credentials import VARIABLE, Credential
from local.upstream.demo_data import (
    CUSTOMERS,
    DEMO_PRODUCT,
    OPENING_CREDITS,
    PRODUCTS,
    SIGNED_IN_CUSTOMER,
)

PROBE_SECONDS = 2.0
CALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seeded:
    """What came of seeding: whether there is credit, and what to tell about it."""

    done: bool
    word: str


async def seed(
    api_url: str, upstream_url: str, credential: Credential, *, token: str, own_stand_in: bool
) -> Seeded:
    """Give the demo customers their opening credit, if the external APIs know them.

    The token is an admin's: some of it is more than a rep may grant at once.

    Raises:
        StartError: the API refused, though the external APIs do know the customers.
    """
    if not own_stand_in:
        reason = await _reason_not_to(upstream_url, credential)
        if reason is not None:
            return Seeded(done=False, word=f"no credit was seeded: {reason}")
    async with httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as client:
        # One after the other: the first call starts a Lambda worker, the next ones find it warm.
        for credit in OPENING_CREDITS:
            response = await client.post(
                f"{api_url}/customers/{credit.customer.id}/credit/grants",
                json={"amount": credit.amount, "reason": "Opening credit of the demo"},
                headers={
                    "Authorization": f"Bearer {token}",
                    "Idempotency-Key": f"opening-{credit.customer.id}",
                },
            )
            if response.status_code != httpx.codes.CREATED:
                raise StartError(
                    f"The API did not grant the demo credit: it answered {response.status_code}, "
                    f"{response.text[:300]}"
                )
    return Seeded(done=True, word=f"{len(OPENING_CREDITS)} customers have credit")


async def check_health(api_url: str) -> None:
    """Make sure that the deployed API answers.

    Raises:
        StartError: it does not.
    """
    async with httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as client:
        response = await client.get(f"{api_url}/health")
    if response.status_code != httpx.codes.OK:
        raise StartError(
            f"The deployed API is not healthy: it answered {response.status_code}, "
            f"{response.text[:300]}"
        )


async def _reason_not_to(upstream_url: str, credential: Credential) -> str | None:
    headers = {credential.header: credential.value}
    async with httpx.AsyncClient(headers=headers, timeout=PROBE_SECONDS, trust_env=False) as client:
        for credit in OPENING_CREDITS:
            try:
                response = await client.get(f"{upstream_url}/customers/{credit.customer.id}")
            except httpx.TransportError:
                return f"there is no answer at {upstream_url} yet"
            if response.status_code == httpx.codes.UNAUTHORIZED:
                return f"{upstream_url} does not take the credential; {VARIABLE}= gives another"
            if response.status_code != httpx.codes.OK:
                return f"{upstream_url} does not know the demo's customers"
    return None


def dollars(cents: int) -> str:
    """An amount as people write it."""
    return f"{cents // 100}.{cents % 100:02d} USD"


def what_is_there() -> str:
    """The demo's customers and products, with their ids."""
    credit: dict[UUID, int] = {each.customer.id: each.amount for each in OPENING_CREDITS}
    lines = ["Customers:"]
    lines += [
        f"  {customer.id}  {customer.name:<20} {dollars(credit.get(customer.id, 0)):>12} of credit"
        for customer in CUSTOMERS
    ]
    lines.append("Products:")
    lines += [f"  {product.id}  {product.name:<20} {product.price:>8} USD" for product in PRODUCTS]
    return "\n".join(lines)


def lines_to_paste(api_url: str, issuer: str, python: str, *, demo: bool) -> str:
    """Shell lines that get tokens, grant credit, buy, list and refund."""
    # The demo's customer buys for herself. Other customers have no account at this issuer, so an
    # administrator, who may buy for everyone, buys for them.
    buyer = PEOPLE["customer"] if demo else PEOPLE["admin"]
    rep = PEOPLE["support"]
    customer = str(SIGNED_IN_CUSTOMER.id) if demo else "ID-OF-A-CUSTOMER"
    product = str(DEMO_PRODUCT.id) if demo else "ID-OF-A-PRODUCT"
    return f"""\
API={api_url}
ISSUER={issuer}
CUSTOMER={customer}
PRODUCT={product}

# A token for each of two people. It is good for hours; the password is everybody's.
TOKEN='import json, sys; print(json.load(sys.stdin)["access_token"])'
token() {{
  curl -s "$ISSUER/token" -d grant_type=password -d client_id={TOOL} \\
    -d "username=$1" -d password={PASSWORD} | {python} -c "$TOKEN"
}}
BUYER=$(token {buyer})
REP=$(token {rep})
get() {{ curl -s -w '\\n' "$API$2" -H "Authorization: Bearer $1"; }}
post() {{
  curl -s -w '\\n' "$API$2" -d "$4" -H "Authorization: Bearer $1" \\
    -H 'Content-Type: application/json' -H "Idempotency-Key: $3"
}}

# The rep grants 25.00. The same line again changes nothing; with another key it grants again.
post $REP /customers/$CUSTOMER/credit/grants grant-1 '{{"amount": 2500, "reason": "Goodwill"}}'

# The buyer buys two of a product.
post $BUYER /customers/$CUSTOMER/purchases buy-1 \\
  "{{\\"product_id\\": \\"$PRODUCT\\", \\"quantity\\": 2}}"

# The customer's purchases, and the credit that is left.
get $BUYER /customers/$CUSTOMER/purchases
get $BUYER /customers/$CUSTOMER/credit

# The rep refunds 10.00 of the latest purchase.
LATEST='import json, sys; print(json.load(sys.stdin)["items"][0]["id"])'
PURCHASE=$(get $REP "/customers/$CUSTOMER/purchases?limit=1" | {python} -c "$LATEST")
post $REP /purchases/$PURCHASE/refunds refund-1 '{{"amount": 1000, "reason": "Scratched"}}'
"""
