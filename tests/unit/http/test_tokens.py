"""Access tokens, verified against keys that a real server hands out over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from till.domain.actor import Actor
from till.http.authorizer import UnauthorizedError, authorize, policy_of
from till.http.identity import (
    Caller,
    IdentityUnavailableError,
    NotAuthenticatedError,
    bearer_token,
)
from till.http.routes import ROUTES, Role
from till.http.tokens import OidcTokens, TokenPolicy

ISSUER = "https://issuer.example"
AUDIENCE = "https://till.example/api"
CUSTOMER = UUID("c0000000-0000-4000-8000-000000000003")
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef/v1/GET/customers/x"

Claims = dict[str, object]


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, object]:
    public: dict[str, object] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", "alg": "RS256"}


@dataclass
class Issuer:
    """Hands out what it is told to, and counts how often it is asked."""

    keys: list[dict[str, object]] = field(default_factory=list)
    raw: bytes | None = None
    status: int = 200
    asked: int = 0
    url: str = ""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    state = Issuer([jwk(rsa_key("first"), "first")])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            if self.headers["User-Agent"].startswith("Python-urllib"):
                # As issuers behind large content networks do.
                self.send_error(403)
                return
            body = json.dumps({"keys": state.keys}).encode() if state.raw is None else state.raw
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/jwks"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def policy(issuer: Issuer) -> TokenPolicy:
    return TokenPolicy(
        issuer=ISSUER,
        audience=AUDIENCE,
        jwks_url=issuer.url,
        roles_claim="roles",
        customer_claim="customer_id",
    )


@pytest.fixture
def tokens(policy: TokenPolicy) -> OidcTokens:
    return OidcTokens(policy)


def claims(**changes: object) -> Claims:
    now = int(time.time())
    made: Claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "rita",
        "iat": now,
        "exp": now + 600,
        "roles": ["support"],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def sign(body: Claims, *, key: str = "first", kid: str | None = None, alg: str = "RS256") -> str:
    headers = {"kid": kid or key, "typ": "at+jwt"}
    return jwt.encode(body, rsa_key(key), algorithm=alg, headers=headers)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_what_a_token_says(tokens: OidcTokens) -> None:
    body = claims(roles=["customer", "something-else"], customer_id=str(CUSTOMER), sub="chiara")
    assert tokens.verify(sign(body)) == Caller(
        subject="chiara",
        roles=frozenset({Role.CUSTOMER}),
        customer_id=CUSTOMER,
        expires_at=int(str(body["exp"])),
    )


@pytest.mark.parametrize(
    ("claim", "roles"),
    [
        (["admin", "support"], {Role.ADMIN, Role.SUPPORT}),
        ("support service", {Role.SUPPORT, Role.SERVICE}),
        ([], set()),
        (None, set()),
        (["ADMIN", "root"], set()),
        ({"admin": True}, set()),
        ([["admin"]], set()),
        (7, set()),
    ],
    ids=str,
)
def test_roles_are_those_that_we_know(tokens: OidcTokens, claim: object, roles: set[Role]) -> None:
    assert tokens.verify(sign(claims(roles=claim))).roles == roles


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("Rita Sorensen", "Rita Sorensen"),
        ("  Rita\n Sorensen\u202e ", "Rita Sorensen"),
        ("Rene\u0301e", "Renée"),
        ("李雷", "李雷"),
        ("x" * 61, "x" * 60),
        ("\u200b \t", None),
        ("", None),
        (None, None),
        (7, None),
        (["Rita"], None),
    ],
    ids=repr,
)
def test_staff_are_recorded_by_the_name_in_their_token(
    tokens: OidcTokens, claim: object, name: str | None
) -> None:
    caller = tokens.verify(sign(claims(roles=["support"], sub="rita", name=claim)))
    assert Caller.from_context(dict(caller.context())).actor == Actor("rita", name)


@pytest.mark.parametrize("role", ["customer", "service"])
def test_customers_and_programs_are_not_recorded_by_name(tokens: OidcTokens, role: str) -> None:
    caller = tokens.verify(sign(claims(roles=[role], sub="chiara", name="Chiara Lindqvist")))
    assert caller.actor == Actor("chiara")


def test_an_authorizer_s_answer_of_before_names_were_recorded_is_believed() -> None:
    context = Caller(
        subject="rita", roles=frozenset({Role.SUPPORT}), customer_id=None, expires_at=1, name="Rita"
    ).context()
    del context["name"]
    assert Caller.from_context(dict(context)).actor == Actor("rita")


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["admin"]}}),
        ("https://till.example/roles", {"https://till.example/roles": ["admin"]}),
        ("cognito:groups", {"cognito:groups": ["admin"]}),
    ],
)
def test_the_claims_have_the_names_that_the_issuer_gives_them(
    policy: TokenPolicy, name: str, sent: Claims
) -> None:
    verifier = OidcTokens(replace(policy, roles_claim=name))
    assert verifier.verify(sign(claims(roles=None, **sent))).roles == {Role.ADMIN}


@pytest.mark.parametrize("customer_id", ["me", "", 7, ["x"]], ids=str)
def test_a_customer_id_that_is_none_names_nobody(tokens: OidcTokens, customer_id: object) -> None:
    assert tokens.verify(sign(claims(customer_id=customer_id))).customer_id is None


def _none() -> str:
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(claims())}."


def _hs256_by_the_public_key() -> str:
    """The classic confusion: the public key, which everybody has, as the secret of an HMAC."""
    public = rsa_key("first").public_key()
    secret = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(claims())}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _another_body() -> str:
    head, _, signature = sign(claims()).split(".")
    return f"{head}.{part(claims(roles=['admin']))}.{signature}"


def _without_signature() -> str:
    head, body, _ = sign(claims()).split(".")
    return f"{head}.{body}."


def _by_an_ec_key() -> str:
    return jwt.encode(claims(), ec_key(), algorithm="ES256", headers={"kid": "first"})


def _with_own_key_inside() -> str:
    """The key to check it with, brought along: `jwk` and `jku` are not to be believed."""
    own = jwk(rsa_key("stranger"), "first")
    headers = {"kid": "first", "jwk": own, "jku": "https://evil.example/jwks"}
    return jwt.encode(claims(), rsa_key("stranger"), algorithm="RS256", headers=headers)


FORGED: dict[str, Callable[[], str]] = {
    "expired": lambda: sign(claims(exp=int(time.time()) - 31)),
    "never expires": lambda: sign(claims(exp=None)),
    "not yet valid": lambda: sign(claims(nbf=int(time.time()) + 60)),
    "issued in the future": lambda: sign(claims(iat=int(time.time()) + 60)),
    "another issuer": lambda: sign(claims(iss="https://other.example")),
    "an issuer that begins like it": lambda: sign(claims(iss=f"{ISSUER}/")),
    "no issuer": lambda: sign(claims(iss=None)),
    "another audience": lambda: sign(claims(aud="till-backoffice")),
    "no audience": lambda: sign(claims(aud=None)),
    "no subject": lambda: sign(claims(sub=None)),
    "a subject with a line break": lambda: sign(claims(sub="rita\nadmin")),
    "a subject that is too long": lambda: sign(claims(sub="x" * 101)),
    "another's signature": lambda: sign(claims(), key="stranger", kid="first"),
    "an unknown key": lambda: sign(claims(), key="stranger"),
    "no key named": lambda: jwt.encode(claims(), rsa_key("first"), algorithm="RS256"),
    "an algorithm that is not on the list": lambda: sign(claims(), alg="RS512"),
    "none": _none,
    "HS256 by the public key": _hs256_by_the_public_key,
    "another kind of key": _by_an_ec_key,
    "another body": _another_body,
    "without signature": _without_signature,
    "with its own key inside": _with_own_key_inside,
    "garbage": lambda: "garbage",
    "three garbages": lambda: "a.b.c",
    "empty parts": lambda: "..",
    "no JSON object": lambda: f"{part([1])}.{part([2])}.AAAA",
    "nested without end": lambda: (
        sign(claims()).split(".")[0]
        + "."
        + base64.urlsafe_b64encode(b"[" * 3000).decode()
        + ".AAAA"
    ),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_what_is_not_to_be_believed(tokens: OidcTokens, forge: Callable[[], str]) -> None:
    tokens.verify(sign(claims()))
    with pytest.raises(NotAuthenticatedError):
        tokens.verify(forge())
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        authorize({"authorizationToken": f"Bearer {forge()}", "methodArn": ARN}, tokens)


def test_clocks_may_differ_a_little(tokens: OidcTokens) -> None:
    now = int(time.time())
    assert tokens.verify(sign(claims(exp=now - 5))).subject == "rita"
    assert tokens.verify(sign(claims(nbf=now + 20, iat=now + 20))).subject == "rita"


def test_keys_are_kept(tokens: OidcTokens, issuer: Issuer) -> None:
    for _ in range(5):
        tokens.verify(sign(claims()))
    assert issuer.asked == 1


def test_a_new_key_is_found_without_a_deploy_and_an_old_one_forgotten(
    tokens: OidcTokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.verify(sign(claims()))
    issuer.keys = [jwk(rsa_key("second"), "second")]
    clock = [time.monotonic() + 10]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    assert tokens.verify(sign(claims(), key="second")).subject == "rita"
    with pytest.raises(NotAuthenticatedError):
        tokens.verify(sign(claims()))


def test_made_up_keys_do_not_flood_the_issuer(tokens: OidcTokens, issuer: Issuer) -> None:
    tokens.verify(sign(claims()))
    for n in range(20):
        with pytest.raises(NotAuthenticatedError):
            tokens.verify(sign(claims(), kid=f"made-up-{n}"))
    assert issuer.asked == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 500),
        (b"<html>", 200),
        (b"[]", 200),
        (b'{"keys": []}', 200),
        (b'{"keys": [{"kty": "moon"}]}', 200),
        (b"{}", 200),
    ],
    ids=str,
)
def test_an_issuer_in_trouble_is_not_the_caller_s_fault(
    tokens: OidcTokens, issuer: Issuer, raw: bytes, status: int
) -> None:
    good = sign(claims())
    issuer.raw, issuer.status = raw, status
    with pytest.raises(IdentityUnavailableError):
        tokens.verify(good)
    with pytest.raises(IdentityUnavailableError):
        authorize({"authorizationToken": f"Bearer {good}", "methodArn": ARN}, tokens)
    issuer.raw, issuer.status = None, 200
    assert tokens.verify(good).subject == "rita"


def test_nobody_at_the_issuer_s_address(policy: TokenPolicy) -> None:
    verifier = OidcTokens(replace(policy, jwks_url="http://127.0.0.1:9/jwks"))
    with pytest.raises(IdentityUnavailableError):
        verifier.verify(sign(claims()))


@pytest.mark.parametrize("sent", [None, "", "Bearer", "Bearer ", "Basic abc", "abc", "Bearer a b"])
def test_a_header_without_a_bearer_token(sent: str | None) -> None:
    with pytest.raises(NotAuthenticatedError):
        bearer_token(sent)


def test_the_scheme_has_no_case() -> None:
    assert bearer_token("Bearer a.b.c") == bearer_token("bearer  a.b.c") == "a.b.c"


class TestPolicy:
    @staticmethod
    def caller(*roles: Role) -> Caller:
        return Caller(subject="x", roles=frozenset(roles), customer_id=None, expires_at=1)

    @staticmethod
    def allowed(policy: dict[str, Any]) -> set[str]:
        statements = policy["policyDocument"]["Statement"]
        return {
            resource.partition("/v1/")[2]
            for statement in statements
            if statement["Effect"] == "Allow"
            for resource in statement["Resource"]
        }

    @pytest.mark.parametrize("role", Role)
    def test_it_allows_what_the_table_allows_and_no_more(self, role: Role) -> None:
        policy = policy_of(self.caller(role), ARN)
        wanted = {
            f"{route.method}{self.pattern(route.path)}" for route in ROUTES if role in route.roles
        }
        assert self.allowed(policy) == wanted
        assert "*" not in self.allowed(policy)

    def test_it_is_for_this_api_and_stage_only(self) -> None:
        policy: dict[str, Any] = policy_of(self.caller(Role.ADMIN), ARN)
        for statement in policy["policyDocument"]["Statement"]:
            for resource in statement["Resource"]:
                assert resource.startswith("arn:aws:execute-api:eu-west-1:123456789012:abcdef/v1/")

    def test_without_a_role_all_is_denied(self) -> None:
        policy: dict[str, Any] = policy_of(self.caller(), ARN)
        assert self.allowed(policy) == set()
        assert [s["Effect"] for s in policy["policyDocument"]["Statement"]] == ["Deny"]

    def test_it_fits_into_what_api_gateway_keeps(self) -> None:
        policy = policy_of(self.caller(*Role), ARN)
        assert len(json.dumps(policy)) < 8_000

    @staticmethod
    def pattern(path: str) -> str:
        return "/".join("*" if part.startswith("{") else part for part in path.split("/"))


def test_the_caller_survives_the_way_through_the_gateway(tokens: OidcTokens) -> None:
    token = sign(claims(roles=["customer", "support"], customer_id=str(CUSTOMER)))
    answer: dict[str, Any] = authorize(
        {"authorizationToken": f"Bearer {token}", "methodArn": ARN}, tokens
    )
    assert answer["principalId"] == "rita"
    assert Caller.from_context(answer["context"]) == tokens.verify(token)
    assert all(isinstance(value, str) for value in answer["context"].values())
