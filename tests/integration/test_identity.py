"""Who may do what, asked of the deployed system over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.upstream.demo_data import CUSTOMERS
from tests.integration.badges import ROLES, bearer
from tests.integration.client import Balance, CreditChange, Refund, Reply, Wire, new_key
from till.http.routes import ROUTES, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.badges import Badges
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.under_test import UnderTest

GUARDED = [route for route in ROUTES if route.roles]
LIMIT = 500_00


class Anything(Wire):
    """A body that a test does not look into."""


@pytest.fixture(scope="module")
def http(under_test: UnderTest) -> Iterator[httpx.Client]:
    """A caller without any token."""
    with httpx.Client(base_url=under_test.api_url, timeout=60, trust_env=False) as client:
        yield client


def ask(http: httpx.Client, route: Route, token: str | None) -> Reply[Anything]:
    """A request that its operation would look at, about things that do not exist."""
    path = route.path.replace("{code}", "NOT-THERE")
    for name in ("customer_id", "product_id", "purchase_id", "attempt_id"):
        path = path.replace(f"{{{name}}}", str(uuid4()))
    headers = {"Idempotency-Key": new_key(), **(bearer(token) if token else {})}
    body: dict[str, object] | None = {} if route.method in {"POST", "PATCH"} else None
    return Reply(http.request(route.method, path, headers=headers, json=body), 200, Anything)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.operation}-{route.method}")
def test_each_role_at_each_operation(
    http: httpx.Client, under_test: UnderTest, route: Route, role: str
) -> None:
    reply = ask(http, route, under_test.token(role))
    if not route.roles or role in {allowed.value for allowed in route.roles}:
        assert reply.status not in {401, 403}, repr(reply)
    else:
        reply.refused(403, "not-allowed")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.operation}-{route.method}")
def test_nobody_at_each_operation(http: httpx.Client, route: Route) -> None:
    reply = ask(http, route, None)
    if route.roles:
        reply.refused(401, "not-authenticated")
    else:
        assert reply.status not in {401, 403}


def _expired(badges: Badges) -> str:
    return badges.of("rita", "admin", exp=int(time.time()) - 60)


def _other_key(badges: Badges) -> str:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(badges.of("rita", "admin"), options={"verify_signature": False})
    return jwt.encode(
        claims, stranger, algorithm="RS256", headers={"kid": badges.jwk["kid"], "typ": "at+jwt"}
    )


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _body(badges: Badges) -> str:
    return badges.of("rita", "admin").split(".")[1]


def _none(badges: Badges) -> str:
    return f"{_part({'alg': 'none', 'kid': badges.jwk['kid']})}.{_body(badges)}."


def _public_key_as_secret(badges: Badges) -> str:
    private = jwt.PyJWK(badges.jwk, algorithm="RS256").key
    secret = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{_part({'alg': 'HS256', 'kid': badges.jwk['kid']})}.{_body(badges)}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _raised(badges: Badges) -> str:
    head, _, signature = badges.of("rita", "support").split(".")
    return f"{head}.{_body(badges)}.{signature}"


NOT_BELIEVED: dict[str, Callable[[Badges], str]] = {
    "expired": _expired,
    "wrong issuer": lambda badges: badges.of("rita", "admin", iss="https://evil.example"),
    "wrong audience": lambda badges: badges.of("rita", "admin", aud="till-backoffice"),
    "wrong signature": _other_key,
    "none": _none,
    "swapped algorithm": _public_key_as_secret,
    "another algorithm": lambda badges: badges.sign(
        {"iss": badges.issuer, "aud": badges.audience, "sub": "rita", "exp": 4_000_000_000},
        algorithm="RS512",
    ),
    "roles written in": _raised,
    "no subject": lambda badges: badges.of("rita", "admin", sub=None),
    "no expiry": lambda badges: badges.of("rita", "admin", exp=None),
    "a subject that cannot stand in the books": lambda badges: badges.of("two words", "admin"),
    "malformed": lambda _: "not-a-token",
    "three parts of nothing": lambda _: "a.b.c",
}


@pytest.mark.parametrize("forge", NOT_BELIEVED.values(), ids=NOT_BELIEVED.keys())
def test_a_token_that_is_not_to_be_believed(
    till: TillClient, badges: Badges, shop: Shop, forge: Callable[[Badges], str]
) -> None:
    customer = shop.customer()
    with till.bearing(forge(badges)) as forger:
        forger.grant(customer, 100).refused(401, "not-authenticated")
        forger.credit(customer).refused(401, "not-authenticated")
    assert till.credit(customer).result().version == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic cml0YTpkZXY="},
        {"X-Till-Actor": "admin"},
    ],
    ids=str,
)
def test_without_a_bearer_token(http: httpx.Client, headers: dict[str, str]) -> None:
    response = http.get(f"/customers/{uuid4()}/credit", headers=headers)
    Reply(response, 200, Balance).refused(401, "not-authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_known_caller_without_a_role(till: TillClient, badges: Badges, shop: Shop) -> None:
    for roles in ((), ("gardener",)):
        with till.bearing(badges.of("rita", *roles)) as visitor:
            visitor.credit(shop.customer()).refused(403, "not-allowed")


def test_the_answer_about_a_token_does_not_outlive_it(
    till: TillClient, badges: Badges, shop: Shop
) -> None:
    """The gateway keeps what the authorizer said for minutes; this token has seconds left."""
    customer = shop.customer(credit=100)
    # The clocks of issuer and API may be 30 s apart: so long is it believed beyond its end.
    ends_at = int(time.time()) - 27
    with till.bearing(badges.of("brief", "admin", exp=ends_at)) as brief:
        assert brief.credit(customer).result().posted == 100
        deadline = time.monotonic() + 30
        while (reply := brief.credit(customer)).ok:
            assert time.monotonic() < deadline, "a token is believed long after its end"
            time.sleep(0.2)
    reply.refused(401, "not-authenticated")
    assert time.time() >= ends_at + 30


class TestACustomer:
    @pytest.fixture
    def me(self, shop: Shop) -> UUID:
        return shop.customer(credit=50_00)

    @pytest.fixture
    def mine(self, till: TillClient, badges: Badges, me: UUID) -> Iterator[TillClient]:
        with till.bearing(badges.of("me", "customer", customer_id=me)) as client:
            yield client

    def test_their_own_affairs(
        self, mine: TillClient, me: UUID, shop: Shop, audit: Auditor
    ) -> None:
        product = shop.product("10.00")
        assert mine.credit(me).result().posted == 50_00
        purchase = mine.buy(me, product.id).result()
        assert purchase.created_by == "me"
        assert mine.customer_purchase(me, purchase.id).result().id == purchase.id
        assert [p.id for p in mine.customer_purchases(me).result().items] == [purchase.id]
        assert next(e.actor for e in mine.entries(me).result().items) == "me"
        assert mine.send("GET", f"/customers/{me}").status_code == 200
        assert mine.send("GET", f"/products/{product.id}").status_code == 200
        quote = {"product_id": str(product.id), "quantity": 1}
        assert mine.send("POST", f"/customers/{me}/quotes", json=quote).status_code == 200
        audit(me)

    def test_nobody_else_s(
        self, till: TillClient, mine: TillClient, me: UUID, shop: Shop, audit: Auditor
    ) -> None:
        """What is another's looks exactly like what does not exist."""
        other, product = shop.customer(credit=50_00), shop.product("10.00")
        theirs = till.buy(other, product.id).result()
        before = audit(other)
        own = mine.buy(me, product.id).result()
        intent = {"product_id": str(product.id), "quantity": 1}
        for customer in (other, uuid4()):
            base = f"/customers/{customer}"
            reads = [
                mine.credit(customer),
                mine.entries(customer),
                mine.customer_purchases(customer),
                mine.customer_purchase(customer, theirs.id),
                mine.customer_purchase(customer, own.id),
                Reply(mine.send("GET", base), 200, Anything),
            ]
            writes = [
                mine.buy(customer, product.id),
                Reply(mine.send("POST", f"{base}/quotes", json=intent), 200, Anything),
            ]
            for replies in (reads, writes):
                answers = {
                    json.dumps({**reply.response.json(), "correlation_id": ""}) for reply in replies
                }
                assert len(answers) == 1, answers
                replies[0].refused(404, "customer-not-found")
        # By their own id they do not get at what another bought either.
        mine.customer_purchase(me, theirs.id).refused(404, "purchase-not-found")
        assert audit(other) == before

    def test_no_credit_of_their_own_making(
        self, mine: TillClient, me: UUID, shop: Shop, audit: Auditor
    ) -> None:
        purchase = mine.buy(me, shop.product("10.00").id).result()
        mine.grant(me, 100).refused(403, "not-allowed")
        mine.deduct(me, 100).refused(403, "not-allowed")
        mine.refund(purchase.id).refused(403, "not-allowed")
        mine.purchase(purchase.id).refused(403, "not-allowed")
        mine.purchases().refused(403, "not-allowed")
        assert audit(me).balance.posted == 40_00

    def test_a_customer_role_without_a_customer(
        self, till: TillClient, badges: Badges, me: UUID
    ) -> None:
        with till.bearing(badges.of("no-customer", "customer")) as client:
            client.credit(me).refused(404, "customer-not-found")


class TestARep:
    @pytest.fixture
    def rep(self, till: TillClient, under_test: UnderTest) -> Iterator[TillClient]:
        with till.bearing(under_test.token("support")) as client:
            yield client

    def test_moves_credit_up_to_the_limit(
        self, till: TillClient, rep: TillClient, shop: Shop, audit: Auditor
    ) -> None:
        customer = shop.customer()
        granted = rep.grant(customer, LIMIT).result()
        for client, limit in ((rep, LIMIT), (till, None)):
            assert client.credit(customer).response.json()["adjustment_limit"] == limit
        assert granted.entry.actor == "rita"
        problem = rep.grant(customer, LIMIT + 1).refused(403, "amount-above-limit")
        assert "500.01 USD" in problem.detail
        assert "500.00 USD" in problem.detail
        till.grant(customer, LIMIT + 1).result()
        rep.deduct(customer, LIMIT + 1).refused(403, "amount-above-limit")
        rep.deduct(customer, LIMIT).result()
        assert audit(customer).balance.posted == LIMIT + 1

    def test_is_named_to_staff_and_not_to_customers(
        self, till: TillClient, rep: TillClient, badges: Badges, shop: Shop
    ) -> None:
        customer = shop.customer()
        assert rep.grant(customer, 100_00).result().entry.actor_name == "Rita Sorensen"
        purchase = till.buy(customer, shop.product("10.00").id).result()
        assert rep.refund(purchase.id, 5_00).result().created_by_name == "Rita Sorensen"
        with till.bearing(badges.of("me", "customer", customer_id=customer)) as mine:
            for client, name in ((rep, "Rita Sorensen"), (mine, None)):
                entries = client.entries(customer).result().items
                by_rita = {entry.actor_name for entry in entries if entry.actor == "rita"}
                (refund,) = client.customer_purchase(customer, purchase.id).result().refunds
                assert (by_rita, refund.created_by_name) == ({name}, name)
            statement = mine.statement(customer).response
            assert statement.status_code == 200
            assert "Sorensen" not in statement.text

    def test_a_customer_s_name_is_not_written(
        self, till: TillClient, badges: Badges, shop: Shop
    ) -> None:
        customer = shop.customer(credit=50_00)
        token = badges.of("me", "customer", customer_id=customer, name="Chiara Lindqvist")
        with till.bearing(token) as mine:
            purchase = mine.buy(customer, shop.product("10.00").id).result()
        assert till.purchase(purchase.id).result().created_by_name is None

    def test_refunds_up_to_the_limit(
        self, till: TillClient, rep: TillClient, shop: Shop, audit: Auditor
    ) -> None:
        customer = shop.customer(credit=1_000_00)
        purchase = till.buy(customer, shop.product("300.00").id, 2).result()
        rep.refund(purchase.id).refused(403, "amount-above-limit")
        assert rep.refund(purchase.id, LIMIT).result().created_by == "rita"
        assert rep.refund(purchase.id).result().amount == 600_00 - LIMIT
        assert audit(customer).balance.posted == 1_000_00

    def test_does_not_buy_and_makes_no_promo_codes(self, rep: TillClient, shop: Shop) -> None:
        rep.buy(shop.customer(), shop.product().id).refused(403, "not-allowed")
        body = {"code": "REP", "discount": {"type": "fixed", "amount": 100}}
        reply = Reply(rep.send("POST", "/promo-codes", json=body), 201, Anything)
        reply.refused(403, "not-allowed")

    def test_no_header_and_no_field_says_who_they_are(self, rep: TillClient, shop: Shop) -> None:
        customer = shop.customer()
        body = {"amount": 100, "reason": "test"}
        response = rep.send(
            "POST",
            f"/customers/{customer}/credit/grants",
            json=body,
            headers={"X-Till-Actor": "amir", "Idempotency-Key": new_key()},
        )
        assert Reply(response, 201, CreditChange).result().entry.actor == "rita"
        response = rep.send(
            "POST",
            f"/customers/{customer}/credit/grants",
            json={**body, "actor": "amir"},
            headers={"Idempotency-Key": new_key()},
        )
        Reply(response, 201, CreditChange).refused(400, "invalid-request")


def test_a_refund_quote_is_what_the_refund_does(
    till: TillClient, under_test: UnderTest, shop: Shop
) -> None:
    customer = shop.customer(credit=100_00)
    purchase = till.buy(customer, shop.product("12.50").id, 2).result()
    path = f"/purchases/{purchase.id}/refund-quotes"
    with till.bearing(under_test.token("support")) as rep:
        quote = rep.send("POST", path, json={"quantity": 1}).json()
        assert (quote["would_succeed"], quote["problem"]) == (True, None)
        assert (quote["amount"], quote["refundable_after"]) == (12_50, 12_50)
        assert (quote["balance_before"], quote["balance_after"]) == (75_00, 87_50)
        assert till.credit(customer).result().version == 3, "a quote changes nothing"
        response = rep.send(
            "POST",
            f"/purchases/{purchase.id}/refunds",
            json={"quantity": 1, "reason": "test"},
            headers={"Idempotency-Key": new_key()},
        )
        refund = Reply(response, 201, Refund).result()
        assert (refund.amount, refund.balance_after) == (quote["amount"], quote["balance_after"])
        too_much = rep.send("POST", path, json={"amount": 12_51}).json()
    assert too_much["would_succeed"] is False
    assert too_much["problem"]["type"].endswith(":refund-exceeds-purchase")
    assert too_much["balance_after"] is None


def test_a_dead_issuer_lets_nobody_in_and_says_why(
    till: TillClient, badges: Badges, functions: Functions, shop: Shop
) -> None:
    customer = shop.customer()
    with (
        functions.configured(
            functions.verifier_of("grant_credit"), TILL_TOKEN_JWKS_URL="http://127.0.0.1:9/jwks"
        ),
        till.bearing(badges.of("new", "admin")) as unknown,
    ):
        reply = unknown.grant(customer, 100)
        reply.refused(503, "identity-unavailable")
        assert reply.response.headers["Retry-After"] == "5"
    assert till.credit(customer).result().version == 0


def test_where_there_is_no_authorizer_the_function_asks_the_same(
    till: TillClient, badges: Badges, functions: Functions, shop: Shop
) -> None:
    """What the targets without Lambda authorizers rely on: here both of them look."""
    if functions.verifier_of("get_credit") == "get_credit":
        pytest.skip("here there is no authorizer, and all tests of tokens are about this")
    customer = shop.customer()
    path = f"/customers/{customer}/credit"
    with functions.configured(
        "get_credit", layers_of="authorize_request", TILL_IDENTITY_FROM="function"
    ):
        assert till.credit(customer).result().version == 0
        for forge in NOT_BELIEVED.values():
            assert functions.call_without_authorizer("get_credit", path, forge(badges)) == 401
        strangers = badges.of("me", "customer", customer_id=uuid4())
        assert functions.call_without_authorizer("get_credit", path, strangers) == 404
        without_roles = badges.of("no-roles")
        assert functions.call_without_authorizer("get_credit", path, without_roles) == 403
        known = badges.admin("direct")
        assert functions.call_without_authorizer("get_credit", path, known) == 200
    # And where the authorizer is to do it, what came past it is let in by no token.
    assert functions.call_without_authorizer("get_credit", path, badges.admin("direct")) == 401


class TestFindingCustomers:
    def test_the_demo_s_customers_are_found(self, till: TillClient) -> None:
        ada = CUSTOMERS[0]
        for text in ("okafor", ada.email.upper()):
            answer = till.send("GET", "/search", params={"query": text}).json()
            assert [(one["id"], one["name"], one["email"]) for one in answer["items"]] == [
                (str(ada.id), ada.name, ada.email)
            ]

    def test_all_of_them_the_newest_first(self, till: TillClient, shop: Shop) -> None:
        customer = shop.customer(credit=1)
        page = till.send("GET", "/customers", params={"limit": 2}).json()
        assert page["items"][0]["id"] == str(customer)
        assert page["next_cursor"]
        times = [one["opened_at"] for one in page["items"]]
        assert times == sorted(times, reverse=True)
