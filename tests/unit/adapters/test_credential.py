"""The upstream's credential: on each call, in no log, renewed in time, never a second parcel."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import boto3
import httpx
import pytest
from moto import mock_aws
from pydantic import ValidationError

from tests.unit.fakes import ADDRESS
from till.adapters.upstream import credential as module
from till.adapters.upstream import deadline as deadline_module
from till.adapters.upstream.cache_storage import CacheStorage
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpProducts
from till.adapters.upstream.credential import (
    BREATH_SECONDS,
    REST_SECONDS,
    Credentials,
    CredentialTransport,
    CredentialUnavailableError,
    UnusableSecretError,
    UpstreamCredential,
)
from till.adapters.upstream.deadline import Deadline
from till.adapters.upstream.http import (
    MeasuredTransport,
    exchange,
    make_http_client,
    make_transport,
)
from till.adapters.upstream.reader import UpstreamReader
from till.adapters.upstream.secret import UpstreamSecret
from till.domain.catalogue import Product
from till.domain.money import Money
from till.domain.purchase import NotShipped, OutcomeUnknown, ShipmentOutcome, Shipped, make_order
from till.metrics import Metric
from till.services.ports.upstream import UpstreamUnavailableError
from till.services.shared.policy import DisplayPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Put = Callable[[str | bytes], object]

ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
BASE_URL = "http://upstream/api"
HEADER = "X-Api-Key"
OLD, NEW, WRONG = "old-pa55word", "new-pa55word", "wrong-pa55word"
NAME = "till-test-upstream"
PRODUCT = {"id": str(ID), "sku": "S", "name": "n", "description": "", "price": 5}


def the(value: str) -> UpstreamCredential:
    return UpstreamCredential.model_validate({"header": HEADER, "value": value})


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for each in (module, deadline_module):
        monkeypatch.setattr(each, "time", clock)
    return clock


@dataclass
class Vault:
    """A secret that counts its reads. Its cache never expires, unless a caller refreshes it."""

    value: str | None = OLD
    fetch_seconds: float = 0.1
    fetches: int = 0
    cached: str | None = None
    too_old: bool = False
    silent: bool = False
    waits_for: threading.Event | None = None
    asked: threading.Event = field(default_factory=threading.Event)

    def read(self, *, refresh: bool) -> UpstreamCredential:
        if self.cached is None or refresh or self.too_old:
            self.fetches += 1
            self.asked.set()
            if self.waits_for is not None:
                assert self.waits_for.wait(10)
            if self.value is None:
                raise UnusableSecretError(
                    f"secret {NAME} cannot be read (Down); docs/runbooks/x", passing=self.silent
                )
            self.cached, self.too_old = self.value, False
        return the(self.cached)


@dataclass
class Upstream:
    """It takes some credentials, and says what it was asked for."""

    accepts: set[str]
    refusal: int = 401
    seen: list[tuple[str, str | None]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        value = request.headers.get(HEADER)
        self.seen.append((request.method, value))
        if value not in self.accepts:
            return httpx.Response(self.refusal, json={"Message": "No."})
        if request.method == "POST":
            return httpx.Response(200, json={"id": "S-1"})
        body = {**PRODUCT, "createdAt": 1, "lastModifiedAt": 2}
        return httpx.Response(
            200, json=body, headers={"Cache-Control": "max-age=60", "ETag": '"1"'}
        )

    @property
    def posts(self) -> list[str | None]:
        return [value for method, value in self.seen if method == "POST"]


class Till:
    """A reader and a carrier that share one credential, as the bootstrap wires them."""

    def __init__(self, vault: Vault, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        credentials = Credentials(vault)
        wire = CredentialTransport(httpx.MockTransport(answer), credentials)
        self.copies = CacheStorage(max_copies=3, max_bytes=20_000)
        self.reader = UpstreamReader(
            BASE_URL,
            timeout_seconds=3,
            display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
            wire=wire,
            copies=self.copies,
        )
        self.carrier = HttpCarrier(make_http_client(BASE_URL, wire))

    def read(self) -> Product:
        return HttpProducts(self.reader, free_products=False).get(ID)

    def ship(self, *, timeout_seconds: float = 3) -> ShipmentOutcome:
        return ship(self.carrier, timeout_seconds=timeout_seconds)


def ship(carrier: HttpCarrier, *, timeout_seconds: float) -> ShipmentOutcome:
    thing = Product(id=ID, sku="S", name="n", description="", unit_price=Money(5))
    order = make_order(thing, 1, ADDRESS, promo=None, expected_total=None)
    return carrier.create_shipment(order, attempt_id=ID, timeout_seconds=timeout_seconds)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def upstream() -> Upstream:
    return Upstream({OLD})


@pytest.fixture
def till(vault: Vault, upstream: Upstream, clock: Clock) -> Till:
    return Till(vault, upstream)


class TestTheModel:
    @pytest.mark.parametrize("header", ["", "X Key", "X-Key:", "X\nY", "Schlüssel", "a" + chr(0)])
    def test_a_name_is_a_token(self, header: str) -> None:
        with pytest.raises(ValidationError):
            UpstreamCredential.model_validate({"header": header, "value": "v"})

    @pytest.mark.parametrize(
        "value", ["", " v", "v ", "a\r\nX-Other: b", "\tv", "v\n", "naïve", None, 5, ["v"]]
    )
    def test_a_value_is_visible_text(self, value: object) -> None:
        with pytest.raises(ValidationError):
            UpstreamCredential.model_validate({"header": "A", "value": value})

    def test_a_value_may_have_a_scheme(self) -> None:
        credential = UpstreamCredential.model_validate(
            {"header": "Authorization", "value": "Bearer abc", "issued": "today"}
        )
        assert credential.value.get_secret_value() == "Bearer abc"

    def test_nothing_shows_either_half(self) -> None:
        credential = the(OLD)
        shown = [repr(credential), str(credential), credential.model_dump_json()]
        with pytest.raises(ValidationError) as raised:
            UpstreamCredential.model_validate({"header": f"{OLD} ", "value": f"{NEW}\n"})
        shown += [str(raised.value), repr(raised.value)]
        for text in shown:
            assert not any(secret in text for secret in (HEADER, OLD, NEW))


class TestEveryCall:
    def test_bears_it(self, till: Till, upstream: Upstream) -> None:
        till.read()
        assert till.ship() == Shipped(shipment_id="S-1")
        assert upstream.seen == [("GET", OLD), ("POST", OLD)]

    def test_asks_for_it_once(self, till: Till, vault: Vault) -> None:
        for _ in range(3):
            till.read()
            till.ship()
        assert vault.fetches == 1

    def test_the_cache_neither_sees_nor_minds_it(self, till: Till, vault: Vault) -> None:
        """A shared cache keeps no answer to a request with Authorization (RFC 9111, 3.5)."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(__name__ + ".HEADER", "Authorization")
            till.read()
        assert till.copies.count == 1
        (copy,) = till.copies.get_entries(f"{BASE_URL}/products/{ID}")
        assert "authorization" not in {name.lower() for name in copy.request.headers}

    def test_what_fails_does_not_hold_it(self, vault: Vault) -> None:
        def fail(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("broken", request=request)

        wire = CredentialTransport(httpx.MockTransport(fail), Credentials(vault))
        client = make_http_client(BASE_URL, wire)
        request = client.build_request("GET", "products/1", extensions={"deadline": Deadline(5)})
        with client, pytest.raises(httpx.ReadError):
            client.send(request)
        assert HEADER not in request.headers

    def test_the_time_of_secrets_manager_is_not_the_upstreams(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        measured: list[float] = []
        monkeypatch.setattr(
            "till.adapters.upstream.http.measure",
            lambda name, value: (
                measured.append(value) if name is Metric.PRODUCT_API_MILLISECONDS else None
            ),
        )
        release = threading.Timer(0.3, (waits := threading.Event()).set)
        release.start()
        wire = MeasuredTransport(httpx.MockTransport(Upstream({OLD})))
        credentials = Credentials(Vault(waits_for=waits))
        with make_http_client(BASE_URL, CredentialTransport(wire, credentials)) as client:
            exchange(client, "GET", "products/1", deadline=Deadline(5))
        assert len(measured) == 1
        assert measured[0] < 250


class TestRotation:
    def test_an_old_age_renews_it(self, till: Till, vault: Vault, upstream: Upstream) -> None:
        till.read()
        vault.value, vault.too_old = NEW, True
        upstream.accepts = {OLD, NEW}
        till.read()
        assert upstream.seen[-1] == ("GET", NEW)

    @pytest.mark.parametrize("refusal", [401, 403])
    def test_a_refused_read_is_sent_again_with_the_new_one(
        self, till: Till, vault: Vault, upstream: Upstream, refusal: int
    ) -> None:
        upstream.refusal = refusal
        till.read()
        vault.value, upstream.accepts = NEW, {NEW}
        till.read()
        assert [value for _, value in upstream.seen] == [OLD, OLD, NEW]

    def test_what_was_renewed_out_of_turn_is_kept_for_its_age(
        self, till: Till, vault: Vault, upstream: Upstream, clock: Clock
    ) -> None:
        till.read()
        vault.value, upstream.accepts = NEW, {NEW}
        till.read()
        clock.now += 2 * REST_SECONDS
        till.read()
        assert vault.fetches == 2

    def test_the_refusal_is_let_go_before_the_next_call(self, vault: Vault) -> None:
        ends: list[str] = []

        class Refusal(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield b"no"

            def close(self) -> None:
                ends.append("closed")

        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers[HEADER] == NEW:
                ends.append("called")
                return httpx.Response(200)
            return httpx.Response(401, stream=Refusal())

        wire = CredentialTransport(httpx.MockTransport(answer), Credentials(vault))
        vault.cached, vault.value = OLD, NEW
        with make_http_client(BASE_URL, wire) as client:
            exchange(client, "GET", "products/1", deadline=Deadline(5))
        assert ends == ["closed", "called"]

    def test_only_once(self, till: Till, vault: Vault, upstream: Upstream) -> None:
        till.read()
        vault.value, upstream.accepts = WRONG, {NEW}
        with pytest.raises(UpstreamUnavailableError, match="401"):
            till.read()
        assert [value for _, value in upstream.seen] == [OLD, OLD, WRONG]

    def test_the_same_one_is_not_sent_again(
        self, till: Till, vault: Vault, upstream: Upstream
    ) -> None:
        upstream.accepts = set()
        with pytest.raises(UpstreamUnavailableError):
            till.read()
        assert (len(upstream.seen), vault.fetches) == (1, 2)

    def test_an_upstream_that_refuses_all_is_no_reason_to_ask_each_time(
        self, till: Till, vault: Vault, upstream: Upstream, clock: Clock
    ) -> None:
        till.read()
        upstream.accepts = set()
        for _ in range(20):
            with pytest.raises(UpstreamUnavailableError):
                till.read()
            till.ship()
        assert vault.fetches == 2
        clock.now += REST_SECONDS
        for _ in range(20):
            till.ship()
        assert vault.fetches == 3

    @pytest.mark.parametrize("refusal", [401, 403])
    def test_a_refused_shipment_is_asked_for_once_and_the_next_call_has_the_new_one(
        self, till: Till, vault: Vault, upstream: Upstream, refusal: int
    ) -> None:
        upstream.refusal = refusal
        till.read()
        vault.value, upstream.accepts = NEW, {NEW}
        assert till.ship() == NotShipped(message="No.")
        assert upstream.posts == [OLD]
        assert till.ship() == Shipped(shipment_id="S-1")
        assert upstream.posts == [OLD, NEW]

    def test_the_carrier_waits_for_no_renewal(self, till: Till, vault: Vault) -> None:
        till.read()
        vault.too_old = True
        till.ship()
        assert vault.fetches == 1

    def test_a_refusal_of_one_that_is_gone_means_nothing(self, vault: Vault, clock: Clock) -> None:
        credentials = Credentials(vault)
        old = credentials.current()
        vault.value, vault.too_old = NEW, True
        credentials.current()
        credentials.refused(old)
        credentials.current()
        assert vault.fetches == 2


class TestAnOutage:
    def test_the_kept_one_goes_on_being_used(
        self, till: Till, vault: Vault, upstream: Upstream, caplog: pytest.LogCaptureFixture
    ) -> None:
        till.read()
        vault.value, vault.too_old = None, True
        with caplog.at_level(logging.WARNING):
            for _ in range(5):
                till.read()
                assert isinstance(till.ship(), Shipped)
        assert {value for _, value in upstream.seen} == {OLD}
        assert vault.fetches == 2
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert NAME in record.getMessage()

    def test_it_is_asked_again_after_a_while(
        self, till: Till, vault: Vault, upstream: Upstream, clock: Clock
    ) -> None:
        till.read()
        vault.value, vault.too_old = None, True
        till.read()
        vault.value, upstream.accepts = NEW, {OLD, NEW}
        till.read()
        assert upstream.seen[-1] == ("GET", OLD)
        clock.now += REST_SECONDS
        till.read()
        assert upstream.seen[-1] == ("GET", NEW)

    def test_without_one_nothing_is_sent(
        self, till: Till, vault: Vault, upstream: Upstream, caplog: pytest.LogCaptureFixture
    ) -> None:
        vault.value = None
        with caplog.at_level(logging.WARNING):
            with pytest.raises(UpstreamUnavailableError, match="CredentialUnavailableError"):
                till.read()
            assert till.ship() == NotShipped(message="The Shipment API could not be asked.")
        assert (upstream.seen, vault.fetches) == ([], 1)
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert "docs/runbooks" in record.getMessage()

    def test_it_is_over_when_it_is_over(self, till: Till, vault: Vault, clock: Clock) -> None:
        vault.value = None
        assert isinstance(till.ship(), NotShipped)
        vault.value = OLD
        clock.now += REST_SECONDS
        assert isinstance(till.ship(), Shipped)

    def test_who_has_none_asks_again_soon_when_nobody_answered(
        self, till: Till, vault: Vault, clock: Clock
    ) -> None:
        """The first request of a cold worker may be too slow for its own good."""
        vault.value, vault.silent = None, True
        assert isinstance(till.ship(), NotShipped)
        assert isinstance(till.ship(), NotShipped)
        assert vault.fetches == 1
        clock.now += BREATH_SECONDS
        vault.value = OLD
        assert isinstance(till.ship(), Shipped)

    def test_who_has_one_is_in_no_hurry(self, till: Till, vault: Vault, clock: Clock) -> None:
        till.read()
        vault.value, vault.silent, vault.too_old = None, True, True
        till.read()
        clock.now += BREATH_SECONDS
        till.read()
        assert vault.fetches == 2


class TestThreads:
    def test_the_first_ones_share_one_question(self, vault: Vault) -> None:
        vault.waits_for = threading.Event()
        credentials = Credentials(vault)
        with ThreadPoolExecutor(20) as pool:
            runs = [pool.submit(credentials.current) for _ in range(20)]
            assert vault.asked.wait(5)
            vault.waits_for.set()
            assert {run.result(5).value.get_secret_value() for run in runs} == {OLD}
        assert vault.fetches == 1

    def test_the_first_ones_share_a_failure(self, vault: Vault) -> None:
        vault.waits_for, vault.value = threading.Event(), None
        credentials = Credentials(vault)
        with ThreadPoolExecutor(20) as pool:
            runs = [pool.submit(credentials.current) for _ in range(20)]
            assert vault.asked.wait(5)
            vault.waits_for.set()
            errors = [run.exception(5) for run in runs]
        assert {type(error) for error in errors} == {CredentialUnavailableError}
        assert vault.fetches == 1

    def test_who_has_one_that_will_do_waits_for_nobody(self, vault: Vault) -> None:
        credentials = Credentials(vault)
        credentials.current()
        vault.asked.clear()
        vault.waits_for, vault.value, vault.too_old = threading.Event(), NEW, True
        with ThreadPoolExecutor(1) as pool:
            renewing = pool.submit(credentials.current)
            assert vault.asked.wait(5)
            for at_any_age in (False, True):
                kept = credentials.current(at_any_age=at_any_age)
                assert kept.value.get_secret_value() == OLD
            vault.waits_for.set()
            assert renewing.result(5).value.get_secret_value() == NEW

    def test_all_who_were_refused_get_the_new_one_by_one_question(self, vault: Vault) -> None:
        both_were_refused = threading.Barrier(8)
        takes = {OLD}

        def answer(request: httpx.Request) -> httpx.Response:
            if request.headers[HEADER] in takes:
                return httpx.Response(200)
            both_were_refused.wait(5)
            return httpx.Response(401)

        wire = CredentialTransport(httpx.MockTransport(answer), Credentials(vault))
        with make_http_client(BASE_URL, wire) as client, ThreadPoolExecutor(8) as pool:
            exchange(client, "GET", "products/1", deadline=Deadline(5))
            vault.value, takes = NEW, {NEW}
            answers = pool.map(
                lambda _: exchange(client, "GET", "products/1", deadline=Deadline(5)), range(8)
            )
            assert {answer.status for answer in answers} == {200}
        assert vault.fetches == 2


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Puts something into a secret that was made empty, as CloudFormation makes it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name=NAME)

        def put(content: str | bytes) -> None:
            kind = "SecretString" if isinstance(content, str) else "SecretBinary"
            client.put_secret_value(SecretId=NAME, **{kind: content})

        yield put


def the_secret(*, max_age_seconds: int = 300, fetch_seconds: float = 1.0) -> UpstreamSecret:
    return UpstreamSecret(NAME, max_age_seconds=max_age_seconds, fetch_seconds=fetch_seconds)


def content(value: str) -> str:
    return json.dumps({"header": HEADER, "value": value})


class TestTheSecret:
    def test_is_read_by_its_name_and_kept(self, put: Put) -> None:
        put(content(OLD))
        secret = the_secret()
        assert secret.read(refresh=False) == the(OLD)
        put(content(NEW))
        assert secret.read(refresh=False) == the(OLD)
        assert secret.read(refresh=True) == the(NEW)
        assert secret.read(refresh=False) == the(NEW)

    def test_may_be_binary(self, put: Put) -> None:
        put(content(OLD).encode())
        assert the_secret().read(refresh=False) == the(OLD)

    @pytest.mark.parametrize(
        ("put_in", "reason"),
        [
            (None, "cannot be read (ResourceNotFoundException)"),
            (" ", "is empty, or not JSON"),
            (OLD, "is empty, or not JSON"),
            (b"\xff" + OLD.encode(), "is empty, or not JSON"),
            (f'{{"header": "{OLD}", "value": ', "is empty, or not JSON"),
            (json.dumps({OLD: NEW}), "has no usable header and value in it"),
            (json.dumps({"header": HEADER}), "has no usable value in it"),
            (json.dumps({"header": "X Y", "value": OLD}), "has no usable header in it"),
            (json.dumps({"header": OLD, "value": f"{OLD}\n"}), "has no usable value in it"),
            (json.dumps([OLD]), "has no usable object in it"),
            (json.dumps(OLD), "has no usable object in it"),
            ("null", "has no usable object in it"),
        ],
    )
    def test_that_is_of_no_use_says_why_and_not_what(
        self, put: Put, put_in: str | bytes | None, reason: str
    ) -> None:
        if put_in is not None:
            put(put_in)
        with pytest.raises(UnusableSecretError) as raised:
            the_secret().read(refresh=False)
        assert str(raised.value) == (
            f"secret {NAME} {reason}; docs/runbooks/deploying.md says what to put there"
        )
        error: BaseException = raised.value
        assert (error.__cause__, error.__context__) == (None, None), "they know what is in it"
        assert not raised.value.passing

    def test_is_asked_for_again_when_it_made_no_sense(self, put: Put) -> None:
        put('{"header": "A"}')
        secret = the_secret()
        with pytest.raises(UnusableSecretError):
            secret.read(refresh=False)
        put(content(NEW))
        assert secret.read(refresh=False) == the(NEW)

    def test_grows_old(self, put: Put) -> None:
        put(content(OLD))
        secret = the_secret(max_age_seconds=1)
        secret.read(refresh=False)
        put(content(NEW))
        deadline = time.monotonic() + 5
        while secret.read(refresh=False) != the(NEW):
            assert time.monotonic() < deadline
            time.sleep(0.02)


class TestTime:
    """A call with a credential to be asked for takes no longer than one without."""

    @pytest.fixture
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # Every connection is accepted, and never answered.
        with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
            silent = f"http://127.0.0.1:{server.getsockname()[1]}"
            monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", silent)
            yield silent

    def test_a_silent_secrets_manager_leaves_time_to_write_the_outcome_down(
        self, environment: str
    ) -> None:
        secret = the_secret(fetch_seconds=0.5)
        with pytest.raises(UnusableSecretError) as raised:
            secret.read(refresh=False)
        assert raised.value.passing
        wire = CredentialTransport(
            make_transport(environment, keep_alive=False), Credentials(secret)
        )
        began = time.monotonic()
        outcome = ship(HttpCarrier(make_http_client(environment, wire)), timeout_seconds=1.5)
        assert time.monotonic() - began < 0.5 + 0.4
        assert outcome == NotShipped(message="The Shipment API could not be asked.")

    def test_what_secrets_manager_takes_the_carrier_does_not_get(self, environment: str) -> None:
        vault = Vault(waits_for=threading.Event(), fetch_seconds=0.5)
        assert vault.waits_for is not None
        threading.Timer(1.0, vault.waits_for.set).start()
        wire = CredentialTransport(
            make_transport(environment, keep_alive=False), Credentials(vault)
        )
        began = time.monotonic()
        outcome = ship(HttpCarrier(make_http_client(environment, wire)), timeout_seconds=1.5)
        assert time.monotonic() - began < 1.5 + 0.4
        assert isinstance(outcome, OutcomeUnknown)

    def test_a_credential_that_comes_too_late_sends_nothing(
        self, till: Till, vault: Vault, upstream: Upstream, clock: Clock
    ) -> None:
        def slow(*, refresh: bool) -> UpstreamCredential:
            clock.now += 3
            return the(OLD)

        vault.read = slow  # type: ignore[method-assign]
        assert isinstance(till.ship(timeout_seconds=3), NotShipped)
        assert upstream.seen == []

    def test_a_refusal_late_in_a_read_is_not_tried_again(self, vault: Vault, clock: Clock) -> None:
        seen = 0

        def answer(_: httpx.Request) -> httpx.Response:
            nonlocal seen
            seen += 1
            clock.now += 3 - 2 * vault.fetch_seconds + 0.01
            return httpx.Response(401)

        till = Till(vault, answer)
        vault.value = NEW
        vault.cached = OLD
        with pytest.raises(UpstreamUnavailableError):
            till.read()
        assert (seen, vault.fetches) == (1, 0)
