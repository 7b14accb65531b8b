"""The probe: what it calls, and what it takes for a fault."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest

from till.adapters.probe import ROUNDS, ApiProbe, ProbeTarget

CUSTOMER = UUID("c0000000-0000-4000-8000-000000000001")
PRODUCT = UUID("d0000000-0000-4000-8000-000000000001")
CREDIT = {"customer_id": str(CUSTOMER), "posted": 900, "held": 100, "available": 800}
QUOTE = {
    "customer_id": str(CUSTOMER),
    "product": {"id": str(PRODUCT)},
    "total": 500,
    "would_succeed": True,
}
TOKEN = {"access_token": "secret-token", "expires_in": 3600}


class Network:
    """Answers by the end of the path, and counts."""

    def __init__(self, **answers: object) -> None:
        self.answers: dict[str, Any] = {"token": TOKEN, "credit": CREDIT, "quotes": QUOTE} | answers
        self.calls: Counter[str] = Counter()
        self.forms: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        self.calls[name] += 1
        if name == "token":
            self.forms.append(request.read())
            assert request.url.path == "/oauth/token"
        else:
            assert request.headers["Authorization"] == "Bearer secret-token"
            assert request.url.path.startswith("/v1/customers/")
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)


def probe(network: Network) -> ApiProbe:
    client = httpx.Client(
        base_url="https://api.example/v1/", transport=httpx.MockTransport(network)
    )
    target = ProbeTarget(
        customer_id=CUSTOMER,
        product_id=PRODUCT,
        token_url="https://issuer.example/oauth/token",
        audience="https://till.example/api",
    )
    return ApiProbe(target, issuer=client, api=client)


def test_each_run_calls_a_few_times_with_one_token() -> None:
    network = Network()
    run = probe(network)
    assert run(10) is None
    assert run(10) is None
    assert network.calls == {"token": 1, "credit": 2 * ROUNDS, "quotes": 2 * ROUNDS}
    assert network.forms == [
        b"grant_type=client_credentials&audience=https%3A%2F%2Ftill.example%2Fapi"
    ]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"token": httpx.Response(401)}, "the issuer answers with status 401"),
        ({"token": TOKEN | {"access_token": ""}}, "the issuer answers with a wrong access_token"),
        ({"token": httpx.ConnectError("no")}, "the issuer gives no usable answer (ConnectError)"),
        ({"credit": httpx.Response(502)}, "get_credit answers with status 502"),
        ({"credit": httpx.Response(200, text="<p>")}, "get_credit answers with something that"),
        ({"credit": CREDIT | {"posted": "900"}}, "get_credit answers with a wrong posted"),
        ({"credit": CREDIT | {"available": 801}}, "get_credit answers with a balance"),
        ({"credit": CREDIT | {"customer_id": str(PRODUCT)}}, "get_credit answers with a balance"),
        ({"quotes": QUOTE | {"total": -1}}, "create_quote answers with a wrong total"),
        ({"quotes": QUOTE | {"product": {"id": str(CUSTOMER)}}}, "create_quote answers with anoth"),
        (
            {"quotes": httpx.ReadTimeout("late")},
            "create_quote gives no usable answer (ReadTimeout)",
        ),
    ],
)
def test_a_fault_is_named(answers: dict[str, object], said: str) -> None:
    network = Network(**answers)
    failure = probe(network)(10)
    assert failure is not None
    assert failure.startswith(said)
    assert "secret-token" not in failure


def test_after_a_fault_it_gets_another_token() -> None:
    network = Network(credit=httpx.Response(401))
    run = probe(network)
    for _ in range(2):
        assert run(10) is not None
    assert network.calls["token"] == 2


def test_a_token_is_not_used_in_its_last_minute() -> None:
    network = Network(token=TOKEN | {"expires_in": 60})
    run = probe(network)
    run(10)
    run(10)
    assert network.calls["token"] == 2
