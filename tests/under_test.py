"""The system that the tests talk to, and how much of it is at hand.

Everything is, of the one that they start themselves. Of a LocalStack that runs already the tables
and functions are, but its functions run in containers, which the tests cannot end and which do not
reach a port of this machine. Of a deployed stage there may be no more than the API. A test asks
for what it needs, and is skipped, saying why, where that is not to be had.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import boto3
import pytest

from local.emulator import ACCOUNT, REGION
from local.issuer import AUDIENCE, PEOPLE, fetch_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.endpoints import Endpoints

ROOT = Path(__file__).resolve().parent.parent
ENDPOINTS_VARIABLE = "TILL_TEST_ENDPOINTS"
"""Names the endpoints.json of a system of ``make run``, while one works on a test."""
LOCALSTACK_VARIABLE = "TILL_TEST_LOCALSTACK"
"""The address of a LocalStack, or another emulator, with LocalStack's stage in it."""
API_VARIABLE = "TILL_TEST_API_URL"
"""Any deployed stage, with the next two."""
ISSUER_VARIABLE = "TILL_TEST_ISSUER"
AUDIENCE_VARIABLE = "TILL_TEST_AUDIENCE"
STAGE_VARIABLE = "TILL_TEST_STAGE"
"""Names another stage than ``local`` for the system that the tests start themselves."""
KEYS_VARIABLE = "TILL_TEST_IDENTITY_KEYS"
"""Names a file with the keys that the issuer signs with."""
STAND_IN_VARIABLE = "TILL_TEST_STAND_IN"
"""Where the external APIs' stand-in is, if the system under test uses one: ends in ``/api``."""
BACKOFFICE_VARIABLE = "TILL_TEST_BACKOFFICE_URL"
"""Where the back office of the system under test is, if it is served."""
TOKEN_VARIABLE = "TILL_TEST_TOKEN_{role}"
"""An access token for a role, where the issuer is not the one for development."""
ROLES = (*PEOPLE, "service")
LOCALSTACK_STAGE = "localstack"


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated:
    """An AWS emulator, and the names of the stage in it."""

    url: str
    region: str
    ledger_table: str
    purchases_table: str
    function_prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderTest:
    """Where it is. What is None is not at hand."""

    api_url: str
    issuer: str
    audience: str
    tokens: Mapping[str, str]
    """By role, as far as they could be had."""
    identity_keys: Path | None = None
    """What the issuer signs with."""
    upstream_url: str | None = None
    """The external APIs, if they are our stand-in, which does as it is told."""
    backoffice_url: str | None = None
    """The back office, if it is served; without a slash at the end."""
    emulated: Emulated | None = None
    embedded: Endpoints | None = None
    """All of a system on this machine."""

    @property
    def is_localstack(self) -> bool:
        """Whether it is the stage of a LocalStack."""
        return self.emulated is not None and self.embedded is None

    def token(self, role: str) -> str:
        """A token of a caller with that role, as a caller gets one."""
        return needed(self.tokens.get(role), f"an access token for the role {role}")

    def write(self, path: Path) -> None:
        """What a client reads in the endpoints.json of ``make run``, as the README's lines do."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        told = {"api_url": self.api_url, "upstream_url": self.upstream_url, "tokens": self.tokens}
        if self.emulated is not None:
            told |= {
                "aws_endpoint_url": self.emulated.url,
                "region": self.emulated.region,
                "function_prefix": self.emulated.function_prefix,
            }
        path.write_text(json.dumps(told))


def is_named() -> bool:
    """Whether the environment says what to test; else the tests start what they need."""
    names = (ENDPOINTS_VARIABLE, LOCALSTACK_VARIABLE, API_VARIABLE, STAGE_VARIABLE)
    return any(os.environ.get(name) for name in names)


def embedded(system: Endpoints) -> UnderTest:
    """One on this machine, of which everything is at hand."""
    return UnderTest(
        api_url=system.api_url,
        issuer=system.issuer,
        audience=system.audience,
        tokens=system.tokens,
        identity_keys=Path(system.identity_keys),
        upstream_url=system.upstream_url,
        backoffice_url=system.backoffice_url,
        emulated=Emulated(
            url=system.aws_endpoint_url,
            region=system.region,
            ledger_table=system.ledger_table,
            purchases_table=system.purchases_table,
            function_prefix=system.function_prefix,
        ),
        embedded=system,
    )


def on_localstack(url: str) -> UnderTest:
    """The stage that the deployer put into a LocalStack, as its stacks and functions tell of it."""
    prefix = f"till-{LOCALSTACK_STAGE}-"
    session = boto3.Session(
        aws_access_key_id=ACCOUNT, aws_secret_access_key="emulator", region_name=REGION
    )
    stacks = session.client("cloudformation", endpoint_url=url)
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for name in ("data", "compute")
        for stack in stacks.describe_stacks(StackName=f"{prefix}{name}")["Stacks"]
        for output in stack["Outputs"]
    }
    function = session.client("lambda", endpoint_url=url).get_function_configuration(
        FunctionName=f"{prefix}grant-credit"
    )
    told = function["Environment"]["Variables"]
    return UnderTest(
        api_url=f"{url}/_aws/execute-api/{outputs['ApiId']}/v1",
        issuer=told["TILL_TOKEN_ISSUER"],
        audience=told["TILL_TOKEN_AUDIENCE"],
        tokens=_tokens(told["TILL_TOKEN_ISSUER"]),
        identity_keys=_keys() or _keys_of_compose(),
        upstream_url=os.environ.get(STAND_IN_VARIABLE) or "http://127.0.0.1:9000/api",
        backoffice_url=os.environ.get(BACKOFFICE_VARIABLE) or "http://127.0.0.1:8080",
        emulated=Emulated(
            url=url,
            region=REGION,
            ledger_table=outputs["LedgerTableName"],
            purchases_table=outputs["PurchasesTableName"],
            function_prefix=prefix,
        ),
    )


def at_endpoint(api_url: str, issuer: str, audience: str | None) -> UnderTest:
    """Any deployed stage, of which only the API may be at hand."""
    return UnderTest(
        api_url=api_url.rstrip("/"),
        issuer=issuer,
        audience=audience or AUDIENCE,
        tokens=_tokens(issuer),
        identity_keys=_keys(),
        upstream_url=os.environ.get(STAND_IN_VARIABLE) or None,
        backoffice_url=os.environ.get(BACKOFFICE_VARIABLE, "").rstrip("/") or None,
    )


def _tokens(issuer: str) -> Mapping[str, str]:
    """Those that were given; or, of the issuer for development, which alone is plain http, all."""
    given = {role: os.environ.get(TOKEN_VARIABLE.format(role=role.upper()), "") for role in ROLES}
    if not any(given.values()) and urlsplit(issuer).scheme == "http":
        return asyncio.run(fetch_tokens(issuer))
    return {role: token for role, token in given.items() if token}


def _keys() -> Path | None:
    given = os.environ.get(KEYS_VARIABLE)
    return Path(given) if given else None


def _keys_of_compose() -> Path | None:
    """The keys of the issuer in the containers, if it runs there and this machine may look."""
    if shutil.which("docker") is None:
        return None
    shown = subprocess.run(
        ["docker", "compose", "exec", "-T", "issuer", "cat", "/tmp/identity-keys.json"],  # noqa: S108
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if shown.returncode != 0:
        return None
    path = ROOT / ".local" / "localstack-identity-keys.json"
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(shown.stdout)
    return path


def needed(what: T | None, name: str) -> T:
    """What a test cannot do without."""
    if what is None:
        pytest.skip(f"the system under test gives no {name}")
    return what
