"""Where things are in a checkout. Everything that is made at run time is under ``.local``."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / ".local"
"""What every run of this checkout shares: caches and the set-up's lock."""
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
IDENTITY = ROOT / "local" / "identity"
"""The npm package of the identity provider."""
BACKOFFICE = ROOT / "backoffice"
"""The npm package of the back office."""
CLIENT = ROOT / "clients" / "python"
"""The Python client; what is generated of it is in till_client/generated."""
RECORDER = ROOT / "local" / "recorder"
"""The folder of the module that records the AWS calls of Lambda workers."""
CDK = ROOT / "infra" / "node_modules" / "aws-cdk" / "bin" / "cdk"
SPECTRAL = ROOT / "infra" / "node_modules" / ".bin" / "spectral"


@dataclass(frozen=True, slots=True)
class State:
    """The folder of one running system: ``.local``, or another one for tests."""

    folder: Path

    @property
    def logs(self) -> Path:
        """What the programs that were started said."""
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        """Everybody's temporary files, the Lambda workers' among them; removed at the end."""
        return self.folder / "tmp"

    @property
    def cloud_assembly(self) -> Path:
        """What the CDK app is synthesized to."""
        return self.folder / "cdk.out"

    @property
    def stack_outputs(self) -> Path:
        """The outputs of the deployed stacks."""
        return self.folder / "outputs.json"

    @property
    def endpoints(self) -> Path:
        """Where everything is; there as long as the system is ready."""
        return self.folder / "endpoints.json"

    @property
    def identity_keys(self) -> Path:
        """The private keys that the identity provider signs with; there as long as it runs."""
        return self.folder / "identity-keys.json"

    @property
    def aws_calls(self) -> Path:
        """The AWS calls of the functions, if the system was started to record them."""
        return self.folder / "aws-calls.jsonl"

    @property
    def lock(self) -> Path:
        """Locked while a system runs from this folder."""
        return self.folder / "run.lock"


def jsii_environment() -> dict[str, str]:
    """Where jsii, which the CDK runs on, keeps its cache: in this checkout, if it can.

    jsii refuses to start where others could change its cache or any folder above it, and on many
    systems the user's group may change everything. There it goes without, and takes seconds more.
    """
    cache = SHARED / "jsii"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    if all(_is_private(folder) for folder in (cache, *cache.parents)):
        return {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache)}
    return {"JSII_RUNTIME_PACKAGE_CACHE": "disabled"}


def _is_private(folder: Path) -> bool:
    status = folder.stat()
    mine = status.st_uid in {0, os.geteuid()}
    others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return mine and (not others_write or bool(status.st_mode & stat.S_ISVTX))


def tool_environment(state: State) -> dict[str, str]:
    """An environment for the tools of this checkout: its own home, and no AWS settings of the user.

    A home of its own keeps the tools' caches in the checkout, works where the user's home cannot
    be written to, and hides the user's AWS profile from a deployment that must stay local.
    """
    home = SHARED / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"LANG", "LC_ALL", "TERM", "NODE_OPTIONS"}
    }
    return {
        **kept,
        **jsii_environment(),
        "HOME": str(home),
        "TMPDIR": str(state.temporary),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "npm_config_update_notifier": "false",
        "PATH": f"{VENV_PYTHON.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
