from __future__ import annotations

import pytest
from pydantic import ValidationError

from till import bootstrap
from till.adapters.upstream.credential import CredentialTransport
from till.settings import EventSettings, Settings

GOOD = {
    "TILL_STAGE": "local",
    "TILL_LEDGER_TABLE": "ledger",
    "TILL_PURCHASES_TABLE": "purchases",
    "TILL_CUSTOMER_INDEX_TABLE": "customer-index",
    "TILL_UPSTREAM_URL": "http://127.0.0.1:9000/api",
    "TILL_UPSTREAM_READ_TIMEOUT_SECONDS": "3",
    "TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS": "10",
    "TILL_UPSTREAM_SECRET": "till-local-upstream",
    "TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS": "300",
    "TILL_SHIPMENTS_IDEMPOTENT": "false",
    "TILL_FREE_PRODUCTS": "false",
    "TILL_PENDING_EXPIRY_SECONDS": "60",
    "TILL_UNKNOWN_DEADLINE_SECONDS": "86400",
    "TILL_DISPLAY_MAX_AGE_SECONDS": "5",
    "TILL_DISPLAY_STALE_IF_ERROR_SECONDS": "300",
    "TILL_IDENTITY_FROM": "authorizer",
    "TILL_TOKEN_ISSUER": "https://issuer.example",
    "TILL_TOKEN_AUDIENCE": "https://till.example/api",
    "TILL_TOKEN_JWKS_URL": "https://issuer.example/jwks",
    "TILL_TOKEN_ROLES_CLAIM": "roles",
    "TILL_TOKEN_CUSTOMER_CLAIM": "customer_id",
    "TILL_SUPPORT_LIMIT_MINOR": "50000",
    "PATH": "/usr/bin",
}


def test_settings_are_read_from_the_environment() -> None:
    settings = Settings.from_environment(GOOD)
    assert settings.shipment_policy().pending_expiry.total_seconds() == 60
    assert settings.shipment_policy().shipments_idempotent is False
    with pytest.raises(ValidationError):
        settings.stage = "prod"  # type: ignore[misc]


@pytest.mark.parametrize("name", [name for name in GOOD if name.startswith("TILL_")])
def test_every_setting_must_be_there(name: str) -> None:
    with pytest.raises(ValidationError, match=name.removeprefix("TILL_").lower()):
        Settings.from_environment({n: v for n, v in GOOD.items() if n != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TILL_STAGE", "production"),
        ("TILL_UPSTREAM_URL", "localhost"),
        ("TILL_UPSTREAM_READ_TIMEOUT_SECONDS", "0"),
        ("TILL_UPSTREAM_SECRET", ""),
        ("TILL_UPSTREAM_CREDENTIAL_MAX_AGE_SECONDS", "0"),
        ("TILL_SHIPMENTS_IDEMPOTENT", "perhaps"),
        ("TILL_FREE_PRODUCTS", "perhaps"),
        ("TILL_PENDING_EXPIRY_SECONDS", "13"),
        ("TILL_DISPLAY_MAX_AGE_SECONDS", "-1"),
        ("TILL_DISPLAY_MAX_AGE_SECONDS", "2.5"),
        ("TILL_DISPLAY_STALE_IF_ERROR_SECONDS", "-1"),
        ("TILL_IDENTITY_FROM", "nothing"),
        ("TILL_IDENTITY_FROM", ""),
        ("TILL_TOKEN_ISSUER", ""),
        ("TILL_TOKEN_AUDIENCE", ""),
        ("TILL_TOKEN_JWKS_URL", "keys"),
        ("TILL_SUPPORT_LIMIT_MINOR", "0"),
    ],
)
def test_an_invalid_setting_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings.from_environment({**GOOD, name: value})


@pytest.mark.parametrize(("source", "here"), [("authorizer", False), ("function", True)])
def test_tokens_are_always_verified_by_the_authorizer_or_the_function(
    monkeypatch: pytest.MonkeyPatch, source: str, here: bool
) -> None:
    settings = Settings.from_environment({**GOOD, "TILL_IDENTITY_FROM": source})
    monkeypatch.setattr(bootstrap, "settings", lambda: settings)
    made = (bootstrap.verifier, bootstrap.admission_policy)
    for each in made:
        each.cache_clear()
    assert (bootstrap.admission_policy().tokens is not None) is here
    for each in made:
        each.cache_clear()


@pytest.mark.parametrize(("read", "shipment", "third"), [("3", "10", 1.0), ("8", "2", 2 / 3)])
def test_asking_for_the_credential_leaves_time_for_the_call(
    read: str, shipment: str, third: float
) -> None:
    times = {
        "TILL_UPSTREAM_READ_TIMEOUT_SECONDS": read,
        "TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS": shipment,
    }
    settings = Settings.from_environment({**GOOD, **times})
    assert settings.credential_fetch_seconds() == pytest.approx(third)


def test_reads_and_the_carrier_share_one_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GOOD, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    made = (bootstrap.settings, bootstrap._credentials)
    for each in made:
        each.cache_clear()
    try:
        wires = [bootstrap._wire(keep_alive=keep_alive) for keep_alive in (True, False)]
        assert all(isinstance(wire, CredentialTransport) for wire in wires)
        assert len({id(wire._credentials) for wire in wires}) == 1  # type: ignore[attr-defined]
    finally:
        for each in made:
            each.cache_clear()


EVENTS = {
    "TILL_EVENT_BUS": "till-local",
    "TILL_DEAD_LETTERS_URL": "http://127.0.0.1:4566/000000000000/dead-letters",
}


def test_the_publisher_of_events_is_told_its_bus_and_its_queue() -> None:
    told = EventSettings.from_environment({**GOOD, **EVENTS})
    assert told.event_bus == "till-local"
    assert str(told.dead_letters_url) == EVENTS["TILL_DEAD_LETTERS_URL"]
    # No other function needs them.
    Settings.from_environment(GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TILL_EVENT_BUS", ""), ("TILL_DEAD_LETTERS_URL", "dead-letters"), ("TILL_EVENT_BUS", None)],
)
def test_a_publisher_with_invalid_settings_does_not_begin(name: str, value: str | None) -> None:
    told = {n: v for n, v in {**GOOD, **EVENTS, name: value}.items() if v is not None}
    with pytest.raises(ValidationError, match=name.removeprefix("TILL_").lower()):
        EventSettings.from_environment(told)
