"""Where everything of a running system is: what ``.local/endpoints.json`` holds."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The addresses and names that a client, a test or a person needs."""

    api_url: str
    """``api_url + "/customers/{id}/credit"`` is a customer's balance."""
    upstream_url: str
    """The external APIs; ends in ``/api``."""
    aws_endpoint_url: str
    region: str
    ledger_table: str
    purchases_table: str
    function_prefix: str
    """What the names of the Lambda functions begin with."""
    emulator_pid: int
    """The leader of the emulator's process group; the Lambda workers are its children."""
    emulator_log: str
    issuer: str
    """The identity provider."""
    audience: str
    """What an access token must be for to be taken by the API."""
    jwks_url: str
    identity_keys: str
    """A file with the private keys that the identity provider signs with."""
    tokens: dict[str, str]
    """An access token for each role, good for hours."""
    backoffice_url: str | None
    """The back office, if it is served; without a slash at the end."""

    def write(self, path: Path) -> None:
        """Write them all at once, and so that other users cannot read the tokens."""
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(asdict(self), indent=2) + "\n")
        scratch.replace(path)

    @classmethod
    def read(cls, path: Path) -> Endpoints:
        """Read what ``write`` wrote."""
        return cls(**json.loads(path.read_text()))
