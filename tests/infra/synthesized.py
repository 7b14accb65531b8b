"""Synthesizes the stacks of a stage, as the app does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aws_cdk import App, Stack, assertions

from infra.app import Deployment
from infra.cdk import QUALIFIER_CONTEXT
from infra.checks import add_checks
from infra.layers import LayerFolders
from infra.settings import StageSettings, settings_for
from tests.infra.templates import Json, Template

ROOT = Path(__file__).resolve().parents[2]


NAMES = {
    "domain_name": "till.example.com",
    "certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/edge",
    "api_domain_name": "api.till.example.com",
    "api_certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/api",
}
ZONE = {"hosted_zone_id": "Z0123456789", "hosted_zone_name": "example.com"}


@dataclass(frozen=True, slots=True)
class Synthesized:
    settings: StageSettings
    assembly: Path
    data: Template
    compute: Template
    account: Template | None
    edge: Template | None

    @property
    def stage(self) -> str:
        return self.settings.stage

    def templates(self) -> list[Template]:
        return [one for one in (self.data, self.compute, self.account) if one is not None]


def deployment_context(upstream_url: str, **changes: str) -> dict[str, str]:
    """What a deployment is told as context."""
    base = upstream_url.rstrip("/").removesuffix("/api")
    return {
        "upstream_url": upstream_url,
        "issuer": f"{base}/issuer",
        "audience": "https://till.example/api",
        "jwks_url": f"{base}/issuer/jwks",
        **changes,
    }


def synthesize(
    stage: str, upstream_url: str, scratch: Path, *, qualifier: str | None = None, **changes: str
) -> Synthesized:
    # The layers' contents are tested by themselves: an empty one will do here.
    folders = LayerFolders(
        till=scratch / "till",
        dependencies=scratch / "dependencies",
        identity=scratch / "identity",
    )
    for folder in (folders.till, folders.dependencies, folders.identity):
        (folder / "python").mkdir(parents=True)
        (folder / "python" / "empty.py").touch()
    settings = settings_for(stage, deployment_context(upstream_url, **changes).get)
    backoffice = scratch / "dist"
    (backoffice / "assets").mkdir(parents=True)
    (backoffice / "assets" / "index-0123abcd.js").touch()
    (backoffice / "index.html").write_text("<!doctype html>")
    app = App(
        outdir=str(scratch / "out"),
        context={
            **json.loads((ROOT / "cdk.json").read_text())["context"],
            **({} if qualifier is None else {QUALIFIER_CONTEXT: qualifier}),
        },
        # As in the app: a template for AWS that CloudFormation's rules refuse ends the synth.
        builtin_cloud_formation_validation=settings.is_aws,
    )
    if settings.is_aws:
        add_checks(app)
    deployment = Deployment(app, settings=settings, layer_folders=folders, backoffice=backoffice)
    return Synthesized(
        settings=settings,
        assembly=scratch / "out",
        data=_template(deployment.data),
        compute=_template(deployment.compute),
        account=None if deployment.account is None else _template(deployment.account),
        edge=None if deployment.edge is None else _template(deployment.edge),
    )


def _template(stack: Stack) -> Template:
    return Template(cast("Json", assertions.Template.from_stack(stack).to_json()))
