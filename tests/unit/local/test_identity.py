"""The identity provider as its clients meet it: over HTTP, the sign-in as a browser would do it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import stat
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from local.issuer import AUDIENCE, fetch_tokens, running_issuer, trust
from local.paths import State
from local.ports import choose_port
from local.servers import Server
from local.upstream.demo_data import SIGNED_IN_CUSTOMER

BACKOFFICE = "http://127.0.0.1:8099"
REDIRECT = f"{BACKOFFICE}/signed-in"
VERIFIER = "a-verifier-that-only-this-test-knows-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)

Claims = dict[str, object]


@dataclass(frozen=True)
class Provider:
    url: str
    keys: Path
    log: Path
    tokens: dict[str, str]
    runner: asyncio.Runner
    issuer: Server

    def claims(self, token: str, audience: str = AUDIENCE) -> Claims:
        """What a token says, if it is signed by a published key and meant for this audience."""
        published = jwt.PyJWKSet.from_dict(httpx.get(f"{self.url}/jwks").json())
        key = published[jwt.get_unverified_header(token)["kid"]]
        claims: Claims = jwt.decode(
            token, key, algorithms=["RS256"], audience=audience, issuer=self.url
        )
        return claims

    def token(self, **form: str) -> httpx.Response:
        return httpx.post(f"{self.url}/token", data=form)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    state = State(tmp_path_factory.mktemp("system"))
    state.temporary.mkdir()
    port = choose_port(0, used_for="the identity provider", variable="ISSUER_PORT")
    with asyncio.Runner() as runner:
        servers = AsyncExitStack()
        issuer = runner.run(
            servers.enter_async_context(
                running_issuer(trust(port), state, backoffice_url=BACKOFFICE)
            )
        )
        tokens = runner.run(fetch_tokens(issuer.url))
        yield Provider(issuer.url, state.identity_keys, issuer.log, tokens, runner, issuer)
        runner.run(servers.aclose())
    assert not state.identity_keys.exists()


class Browser:
    """Goes where it is sent, keeps cookies, and stops where another site begins."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.client = httpx.Client(headers={"Accept": "text/html"})

    def ask_for_sign_in(self, **changes: str) -> httpx.Response:
        asked = {
            "client_id": "till-backoffice",
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid profile",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "the-state",
            "nonce": "the-nonce",
        } | changes
        answer = self.client.get(f"{self.provider.url}/auth", params=asked)
        return self.follow(answer)

    def choose(self, page: httpx.Response, **choice: str) -> httpx.Response:
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action is not None, page.text
        answer = self.client.post(self.provider.url + unescape(action[1]), data=choice)
        return self.follow(answer)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.has_redirect_location:
            target = answer.headers["location"]
            if target.startswith(BACKOFFICE):
                break
            answer = self.client.get(httpx.URL(self.provider.url).join(target))
        return answer

    def sign_in(self, account: str) -> dict[str, str]:
        """The tokens that the back office gets for the user who signed in."""
        arrived = self.choose(self.ask_for_sign_in(), account=account)
        assert arrived.headers["location"].startswith(f"{REDIRECT}?")
        told = parameters(arrived)
        assert told["state"] == "the-state"
        assert told["iss"] == self.provider.url
        answer = self.redeem(told["code"])
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens

    def redeem(self, code: str, verifier: str = VERIFIER) -> httpx.Response:
        return httpx.post(
            f"{self.provider.url}/token",
            data={
                "grant_type": "authorization_code",
                "client_id": "till-backoffice",
                "redirect_uri": REDIRECT,
                "code": code,
                "code_verifier": verifier,
            },
            headers={"Origin": BACKOFFICE},
        )


@pytest.fixture
def browser(provider: Provider) -> Iterator[Browser]:
    browser = Browser(provider)
    yield browser
    browser.client.close()


def parameters(arrived: httpx.Response) -> dict[str, str]:
    query = parse_qs(urlsplit(arrived.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def lifetime(claims: Claims) -> int:
    issued, expires = claims["iat"], claims["exp"]
    assert isinstance(issued, int)
    assert isinstance(expires, int)
    return expires - issued


def test_it_tells_where_everything_is(provider: Provider) -> None:
    told = httpx.get(f"{provider.url}/.well-known/openid-configuration").json()

    assert told["issuer"] == provider.url
    assert told["jwks_uri"] == trust(httpx.URL(provider.url).port or 0).jwks_url
    assert told["token_endpoint"] == f"{provider.url}/token"
    assert told["end_session_endpoint"].startswith(provider.url)
    assert told["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.parametrize(
    ("role", "subject", "customer"),
    [
        ("customer", "chiara", str(SIGNED_IN_CUSTOMER.id)),
        ("support", "rita", None),
        ("admin", "amir", None),
        ("service", "shop", None),
    ],
)
def test_there_is_a_token_for_each_role(
    provider: Provider, role: str, subject: str, customer: str | None
) -> None:
    token = provider.tokens[role]
    claims = provider.claims(token)

    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert claims["sub"] == subject
    assert claims["roles"] == [role]
    assert claims.get("customer_id") == customer
    assert lifetime(claims) == 12 * 3600


def test_the_private_key_is_there_for_tests_and_for_nobody_else(provider: Provider) -> None:
    assert stat.S_IMODE(provider.keys.stat().st_mode) == 0o600
    [private] = json.loads(provider.keys.read_text())["keys"]
    [public] = httpx.get(f"{provider.url}/jwks").json()["keys"]

    forged = jwt.encode(
        {"iss": provider.url, "aud": AUDIENCE, "sub": "anybody"},
        jwt.PyJWK(private),
        headers={"kid": private["kid"]},
    )

    assert provider.claims(forged)["sub"] == "anybody"
    assert set(public) == {"kty", "use", "kid", "alg", "e", "n"}
    assert public["kid"] == private["kid"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "till-cli", "username": "rita", "password": "wrong"}, "invalid_grant"),
        ({"client_id": "till-cli", "username": "unknown", "password": "dev"}, "invalid_grant"),
        ({"client_id": "till-cli"}, "invalid_grant"),
        ({"client_id": "unknown", "username": "rita", "password": "dev"}, "invalid_client"),
        (
            {"client_id": "till-backoffice", "username": "rita", "password": "dev"},
            "invalid_request",
        ),
    ],
)
def test_a_wrong_password_or_client_gets_no_token(
    provider: Provider, form: dict[str, str], error: str
) -> None:
    answer = provider.token(grant_type="password", **form)

    assert answer.status_code in {400, 401}
    assert answer.json()["error"] == error


def test_a_client_with_a_wrong_secret_gets_no_token(provider: Provider) -> None:
    answer = provider.token(
        grant_type="client_credentials", client_id="shop", client_secret="wrong"
    )

    assert answer.status_code == 401


def test_a_token_for_another_audience_is_not_given(provider: Provider) -> None:
    answer = provider.token(
        grant_type="client_credentials",
        client_id="shop",
        client_secret="shop-dev-secret",
        resource="https://elsewhere.example/api",
    )

    assert answer.json()["error"] == "invalid_target"


def test_a_rep_signs_in_with_one_click_and_is_asked_nothing_else(
    provider: Provider, browser: Browser
) -> None:
    tokens = browser.sign_in("rita")
    access = provider.claims(tokens["access_token"])
    identity = provider.claims(tokens["id_token"], audience="till-backoffice")

    assert access["sub"] == "rita"
    assert access["roles"] == ["support"]
    assert access["client_id"] == "till-backoffice"
    assert lifetime(access) == 600
    assert identity["sub"] == "rita"
    assert identity["name"] == "Rita Sorensen"
    assert identity["roles"] == ["support"]
    assert identity["nonce"] == "the-nonce"


def test_whoever_is_signed_in_is_not_asked_again(browser: Browser) -> None:
    browser.sign_in("amir")

    again = browser.ask_for_sign_in()

    assert "code" in parameters(again)


def test_the_sign_in_page_says_what_it_is_and_loads_nothing(browser: Browser) -> None:
    page = browser.ask_for_sign_in()

    assert page.status_code == 200
    assert "For development only" in page.text
    assert re.findall(r'name="account" value="(\w+)"', page.text) == ["rita", "amir", "chiara"]
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert f"form-action 'self' {BACKOFFICE}" in policy
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert not re.search(r"(src|href)=.https?:|@import|url\(", page.text)


def test_a_sign_in_can_be_cancelled(browser: Browser) -> None:
    arrived = browser.choose(browser.ask_for_sign_in(), cancel="yes")

    assert parameters(arrived)["error"] == "access_denied"


def test_a_sign_in_that_another_browser_began_is_one_sentence(browser: Browser) -> None:
    page = browser.ask_for_sign_in()

    answers = [httpx.get(page.url), httpx.post(page.url, data={"account": "amir"})]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert all("begun in another browser" in answer.text for answer in answers)


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://127.0.0.1:1/signed-in"},
        {"client_id": "till-cli"},
    ],
)
def test_nobody_is_sent_where_no_application_of_ours_is(
    browser: Browser, changes: dict[str, str]
) -> None:
    page = browser.ask_for_sign_in(**changes)

    assert page.status_code == 400
    assert "This did not work" in page.text


def test_a_sign_in_without_pkce_is_refused(browser: Browser) -> None:
    arrived = browser.ask_for_sign_in(code_challenge="", code_challenge_method="")

    assert parameters(arrived)["error"] == "invalid_request"


def test_a_code_is_worth_nothing_without_its_verifier_or_twice(browser: Browser) -> None:
    code = parameters(browser.choose(browser.ask_for_sign_in(), account="rita"))["code"]

    assert browser.redeem(code, verifier=VERIFIER[::-1]).json()["error"] == "invalid_grant"
    assert browser.redeem(code).status_code == 200
    assert browser.redeem(code).json()["error"] == "invalid_grant"


def test_a_refresh_token_is_good_once(provider: Provider, browser: Browser) -> None:
    first = browser.sign_in("rita")

    def refresh(token: str) -> httpx.Response:
        return provider.token(
            grant_type="refresh_token", client_id="till-backoffice", refresh_token=token
        )

    second = refresh(first["refresh_token"]).json()
    again = refresh(first["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert provider.claims(second["access_token"])["sub"] == "rita"
    assert again.json()["error"] == "invalid_grant"
    # A used token was stolen: the tokens that it led to are revoked, too.
    assert refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def test_only_the_back_office_may_ask_from_a_page(provider: Provider) -> None:
    def ask(origin: str) -> httpx.Response:
        return httpx.post(
            f"{provider.url}/token",
            data={
                "grant_type": "refresh_token",
                "client_id": "till-backoffice",
                "refresh_token": "none",
            },
            headers={"Origin": origin},
        )

    assert ask(BACKOFFICE).headers["access-control-allow-origin"] == BACKOFFICE
    assert "access-control-allow-origin" not in ask("http://127.0.0.1:1").headers


def test_signing_out_of_the_back_office_needs_no_further_click(
    provider: Provider, browser: Browser
) -> None:
    tokens = browser.sign_in("rita")

    page = browser.client.get(
        f"{provider.url}/session/end",
        params={
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": f"{BACKOFFICE}/",
            "state": "out",
        },
    )
    script = re.search(r"<script>(.*?)</script>", page.text)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    arrived = submit(browser, page)

    assert arrived.headers["location"] == f"{BACKOFFICE}/?state=out"
    assert "Sign in to Till" in browser.ask_for_sign_in().text
    refreshed = provider.token(
        grant_type="refresh_token",
        client_id="till-backoffice",
        refresh_token=tokens["refresh_token"],
    )
    assert refreshed.json()["error"] == "invalid_grant"


def test_signing_out_at_a_strangers_wish_asks_first(provider: Provider, browser: Browser) -> None:
    browser.sign_in("rita")

    page = browser.client.get(f"{provider.url}/session/end")

    assert "Sign out of Till?" in page.text
    assert "<script>" not in page.text
    assert "You are signed out" in submit(browser, page).text


def submit(browser: Browser, page: httpx.Response) -> httpx.Response:
    form = re.search(r'<form id="sign-out" method="post" action="([^"]+)">(.*?)</form>', page.text)
    assert form is not None, page.text
    fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', form[2]))
    return browser.follow(browser.client.post(unescape(form[1]), data=fields))


def test_its_log_tells_who_and_why_and_no_token(provider: Provider, browser: Browser) -> None:
    tokens = browser.sign_in("rita")
    provider.token(
        grant_type="password", client_id="till-cli", username="rita", password="not-the-password"
    )

    log = provider.log.read_text()

    assert 'token client="till-backoffice" grant="authorization_code" account="rita"' in log
    assert "there is no such account, or the password is wrong" in log
    assert "not-the-password" not in log
    secrets = [tokens["access_token"], tokens["id_token"], tokens["refresh_token"]]
    assert not any(secret in log for secret in [*secrets, *provider.tokens.values()])
    # The library warns about what is left unconfigured; about old versions of Node it always does.
    warnings = [line for line in log.splitlines() if "oidc-provider" in line]
    known = ("Unsupported runtime", "development-only in-memory adapter")
    assert [line for line in warnings if not any(one in line for one in known)] == []
