"""The probe against the deployed API, with a token of the issuer's."""

from __future__ import annotations

from base64 import b64encode
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import pytest
from pydantic import SecretStr

from till.adapters.probe import ApiProbe, ProbeTarget
from till.adapters.upstream.credential import Credentials, CredentialTransport, UpstreamCredential
from till.adapters.upstream.http import make_http_client, make_transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.shop import Shop
    from tests.under_test import UnderTest

SECRET = "probe-dev-secret"


class Make(Protocol):
    """Makes a probe with the secret of a client at the issuer."""

    def __call__(self, target: ProbeTarget, secret: str = SECRET) -> ApiProbe:
        """The probe."""
        ...


class _Secret:
    """The header of a client at the issuer, as Secrets Manager would give it."""

    fetch_seconds = 1.0

    def __init__(self, secret: str) -> None:
        basic = b64encode(f"probe:{secret}".encode()).decode()
        self._credential = UpstreamCredential(
            header=SecretStr("Authorization"), value=SecretStr(f"Basic {basic}")
        )

    def read(self, *, refresh: bool) -> UpstreamCredential:
        del refresh
        return self._credential


@pytest.fixture
def target(under_test: UnderTest, shop: Shop) -> ProbeTarget:
    return ProbeTarget(
        customer_id=shop.customer(credit=1_000),
        product_id=shop.product("5.00").id,
        token_url=f"{under_test.issuer}/token",
        audience=under_test.audience,
    )


@pytest.fixture
def probe(under_test: UnderTest) -> Iterator[Make]:
    """A probe of the deployed API. Its connections are closed when the test ends."""
    with ExitStack() as clients:

        def make(target: ProbeTarget, secret: str = SECRET) -> ApiProbe:
            issuer = CredentialTransport(
                make_transport(target.token_url, keep_alive=False), Credentials(_Secret(secret))
            )
            api = make_transport(under_test.api_url, keep_alive=True)
            return ApiProbe(
                target,
                issuer=clients.enter_context(make_http_client(target.token_url, issuer)),
                api=clients.enter_context(make_http_client(under_test.api_url, api)),
            )

        yield make


def test_a_system_that_works_passes(probe: Make, target: ProbeTarget) -> None:
    assert probe(target)(30) is None


def test_a_client_that_the_issuer_does_not_know_is_told(probe: Make, target: ProbeTarget) -> None:
    failure = probe(target, "wrong")(30)
    assert failure in {"the issuer answers with status 400", "the issuer answers with status 401"}


def test_a_product_that_is_gone_is_told(probe: Make, target: ProbeTarget) -> None:
    gone = replace(target, product_id=uuid4())
    assert probe(gone)(30) == "create_quote answers with status 404"


def test_an_api_that_has_no_time_is_told(probe: Make, target: ProbeTarget) -> None:
    failure = probe(target)(0)
    assert failure is not None
    assert "gives no usable answer" in failure
