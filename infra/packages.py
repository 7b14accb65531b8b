"""How functions get their code: by layers, or each in a bundle (``settings.packaging``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import ROOT
from infra.bundles import build_bundles
from infra.layers import LayerFolders, Machine, compiler_for
from infra.settings import IdentityFrom, Packaging, StageSettings
from till.http.routes import AUTHORIZER, ROUTES

FUNCTIONS: Final = ROOT / "functions"

CACHES: Final = ("**/__pycache__", "**/*.pyc")
"""What no asset carries: bytecode that would be stale where it arrives, and change its hash."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is deployed as a function, and its layers."""

    code: lambda_.Code
    layers: tuple[lambda_.ILayerVersion, ...] = ()


class Packages(Protocol):
    """The packages of one stage."""

    def of(self, operation: str) -> Package:
        """The package of an operation."""
        ...


def architecture_of(runs_on: Machine) -> lambda_.Architecture:
    """What the compiled parts of the packages are made for; here, what most machines are."""
    if runs_on is Machine.ARM64:
        return lambda_.Architecture.ARM_64
    return lambda_.Architecture.X86_64


def packages_for(scope: Construct, settings: StageSettings, folders: LayerFolders) -> Packages:
    """The packages of a stage, made from the contents of the layers."""
    match settings.packaging:
        case Packaging.LAYERS:
            return _Layered(scope, settings, folders)
        case Packaging.BUNDLES:
            return _Bundled(settings, folders)


def _verifying_operations(settings: StageSettings) -> frozenset[str]:
    """Those that need what verifies access tokens."""
    match settings.identity_from:
        case IdentityFrom.AUTHORIZER:
            return frozenset({AUTHORIZER})
        case IdentityFrom.FUNCTION:
            return frozenset(route.operation for route in ROUTES if route.roles)


class _Layered:
    """A function is its handler, and all share the layers. Who verifies tokens has one more."""

    def __init__(self, scope: Construct, settings: StageSettings, folders: LayerFolders) -> None:
        self._scope: Final = scope
        self._runs_on: Final = settings.runs_on
        self._verifying: Final = _verifying_operations(settings)
        self._shared: Final = (
            self._layer("Dependencies", folders.dependencies, "What pip installs."),
            self._layer("Till", folders.till, "Till's own shared code."),
        )
        self._identity: Final = self._layer(
            "Identity", folders.identity, "What verifies access tokens."
        )

    def of(self, operation: str) -> Package:
        code = lambda_.Code.from_asset(str(FUNCTIONS / operation), exclude=list(CACHES))
        further = (self._identity,) if operation in self._verifying else ()
        return Package(code, (*self._shared, *further))

    def _layer(self, name: str, folder: Path, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self._scope,
            name,
            code=lambda_.Code.from_asset(str(folder)),
            description=description,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[architecture_of(self._runs_on)],
        )


class _Bundled:
    """A function carries all that it needs, and there are no layers."""

    def __init__(self, settings: StageSettings, folders: LayerFolders) -> None:
        self._bundles: Final = build_bundles(
            FUNCTIONS,
            sorted(handler.parent.name for handler in FUNCTIONS.glob("*/handler.py")),
            folders,
            verifying=_verifying_operations(settings),
            compiler=compiler_for(settings.runs_on),
        )

    def of(self, operation: str) -> Package:
        bundle = self._bundles[operation]
        return Package(lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.fingerprint))
