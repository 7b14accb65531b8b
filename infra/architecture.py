"""What is deployed, as docs/deployed.md: a diagram, the functions' permissions, the stacks.

``python -m infra.architecture`` writes it from the synthesized templates of the stage prod. Only
what is outside of the templates is listed here.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from aws_cdk import App

from infra import ROOT
from infra.app import Deployment
from infra.layers import LayerFolders
from infra.rights import STRENGTH, Group, grouped
from infra.settings import settings_for
from infra.templates import Json, Resource, ResourcePart, TemplateError, Templates, get

PAGE: Final = ROOT / "docs" / "deployed.md"
STAGE: Final = "prod"

_TABLE: Final = "AWS::DynamoDB::Table"
_BUS: Final = "AWS::Events::EventBus"
_QUEUE: Final = "AWS::SQS::Queue"
_DIAGRAMMED: Final = (_TABLE, _BUS, _QUEUE)
"""What functions work with. Keys and secrets are in the table of permissions only."""

_INTRODUCTION: Final = """\
# What is deployed

Made by `make architecture` from the CloudFormation templates of the stage prod
(`infra/architecture.py`); a test compares them. [Architecture](architecture.md) explains it.
Dotted boxes are in no template: they belong to others.
"""

_PERMISSIONS: Final = """\
## Permissions

What the role of each function allows. Functions with the same permissions share a row.
*read* is get and query; *append* is read and put, never update; *write* is read, put and update;
*replace* is read, put and delete; *scan* is read and scan; *follow* is to read a stream. Of the
secret, *read* is to get its value, and of the signing key, to get its public part. *list* and
*append* on the journal are to list its objects, and also to get and put them. *call* is to call the
external APIs.
"""

_STACKS: Final = """\
## Stacks

The number of resources of each type, and of those that stay when the stack is removed.
"""


def page(documents: Mapping[str, Json]) -> str:
    """The page about a stage, from its templates by the names of their stacks.

    Raises:
        TemplateError: a reference leads nowhere, a right has no word, or nothing runs a function.
    """
    deployed = _Deployed(Templates(documents))
    parts = (
        _INTRODUCTION,
        "```mermaid\n" + "\n".join(deployed.diagram()) + "\n```\n",
        _PERMISSIONS,
        _markdown_table(deployed.permissions()),
        _STACKS,
        _markdown_table(deployed.stacks()),
    )
    return "\n".join(parts)


class _Deployed:
    def __init__(self, templates: Templates) -> None:
        self._templates: Final = templates
        self._prefix: Final = next(iter(templates.stacks())).rpartition("-")[0]
        self._requested: Final = self._groups(
            templates.resolve(method.get("Integration", "Uri"), method.stack).resource
            for method in templates.all("AWS::ApiGateway::Method")
        )
        triggers: dict[Resource, list[str]] = defaultdict(list)
        for trigger in templates.all("AWS::Events::Rule", "AWS::Lambda::EventSourceMapping"):
            triggers[self._run_by(trigger)].append(self._trigger(trigger))
        self._triggered: Final = [
            (names, self._groups([function])[0]) for function, names in triggers.items()
        ]
        self._authorizers: Final = self._groups(
            templates.resolve(one.get("AuthorizerUri"), one.stack).resource
            for one in templates.all("AWS::ApiGateway::Authorizer")
        )

    # The diagram

    def diagram(self) -> Iterator[str]:
        """The lines of the Mermaid diagram."""
        yield "flowchart LR"
        yield "  classDef outside stroke-dasharray: 4 4"
        for name, label in (
            ("reps", "Customer-service reps"),
            ("callers", "Customers, the shop"),
            ("issuer", "Identity provider"),
            ("upstreams", "Customer, Product and<br/>Shipment APIs"),
            ("consumers", "Consumers of events"),
        ):
            yield f'  {name}["{label}"]:::outside'
        yield from self._edge()
        yield from self._compute()
        yield from self._data()

    def _edge(self) -> Iterator[str]:
        (distribution,) = self._templates.all("AWS::CloudFront::Distribution")
        yield "  subgraph edge"
        yield '    cloudfront["CloudFront"]'
        for bucket in self._templates.all("AWS::S3::Bucket", stack=distribution.stack):
            yield f'    {bucket.logical_id}[("S3: {_plain(bucket)}")]'
        yield "  end"
        yield "  reps --> cloudfront"
        origins = {
            get(one, "Id"): self._templates.resolve(get(one, "DomainName"), distribution.stack)
            for one in distribution.items("DistributionConfig", "Origins")
        }
        for behaviour in (
            *distribution.items("DistributionConfig", "CacheBehaviors"),
            distribution.get("DistributionConfig", "DefaultCacheBehavior"),
        ):
            path = get(behaviour, "PathPattern") or "/*"
            origin = origins[get(behaviour, "TargetOriginId")].resource
            yield f"  cloudfront -->|{path}| {self._node(origin)}"

    def _compute(self) -> Iterator[str]:
        yield "  subgraph compute"
        yield '    api["API Gateway, AWS WAF"]'
        for number, group in enumerate(self._requested):
            yield f'    requested{number}["{"<br/>".join(self._names(group))}"]'
        for number, (triggers, group) in enumerate(self._triggered):
            yield f'    trigger{number}(["{"<br/>".join(triggers)}"])'
            yield f'    triggered{number}["{"<br/>".join(self._names(group))}"]'
        for number, group in enumerate(self._authorizers):
            yield f'    authorizer{number}["{"<br/>".join(self._names(group))}"]'
        yield "  end"
        yield "  callers --> api"
        for number, _ in enumerate(self._authorizers):
            yield f"  api -->|asks| authorizer{number} -->|reads keys| issuer"
        for number, group in enumerate(self._requested):
            yield f"  api --> requested{number}"
            yield from self._arrows(f"requested{number}", group)
        for number, (_, group) in enumerate(self._triggered):
            yield f"  trigger{number} --> triggered{number}"
            yield from self._arrows(f"triggered{number}", group)

    def _arrows(self, node: str, group: Group) -> Iterator[str]:
        strongest: dict[Resource, str] = {}
        for target, word in group.words.items():
            resource = target.resource
            if resource.type in _DIAGRAMMED:
                known = strongest.get(resource, word)
                strongest[resource] = max(known, word, key=STRENGTH.__getitem__)
        for resource, word in strongest.items():
            yield f"  {node} -->|{word}| {resource.logical_id}"
        if group.calls:
            yield f"  {node} -->|call| upstreams"

    def _data(self) -> Iterator[str]:
        yield "  subgraph data"
        for resource in self._templates.all(*_DIAGRAMMED):
            opening, closing = ("[(", ")]") if resource.type == _TABLE else ("[", "]")
            yield f'    {resource.logical_id}{opening}"{self._name(resource)}"{closing}'
        yield "  end"
        for bus in self._templates.all(_BUS):
            yield f"  {bus.logical_id} --> consumers"

    # Permissions

    def permissions(self) -> Iterator[list[str]]:
        """A row for each group of functions, a column for each thing that any may use."""
        groups = [*self._requested, *(group for _, group in self._triggered), *self._authorizers]
        run = {function for group in groups for function in group.functions}
        for function in self._templates.all(
            "AWS::Lambda::Function", stack=f"{self._prefix}-compute"
        ):
            if function not in run:
                raise TemplateError(f"Nothing runs the function {function.logical_id}.")
        targets = sorted(
            {target for group in groups for target in group.words},
            key=lambda one: (one.resource.type != _TABLE, self._title(one)),
        )
        yield ["functions", *(self._title(target) for target in targets), "external APIs"]
        for group in groups:
            names = ", ".join(f"`{name}`" for name in self._names(group))
            words = [group.words.get(target, "") for target in targets]
            yield [names, *words, "call" if group.calls else ""]

    # Stacks

    def stacks(self) -> Iterator[list[str]]:
        """A row for each stack: what it is, all that it holds, and what stays without it."""
        yield ["stack", "what", "resources", "retained"]
        for stack, description in sorted(self._templates.stacks().items()):
            resources = self._templates.all(stack=stack)
            retained = [
                one
                for one in resources
                if str(get(one.document, "DeletionPolicy")).startswith("Retain")
            ]
            what = description.partition(": ")[2]
            yield [f"`{stack}`", what, _counted(resources), _counted(retained)]

    # Names

    def _groups(self, functions: Iterable[Resource]) -> list[Group]:
        """Functions by their rights: those that may do most to the tables come first."""
        tables = self._templates.all(_TABLE)

        def rank(group: Group) -> list[int]:
            words = (group.words.get(ResourcePart(table)) for table in tables)
            return [-STRENGTH[word] if word else 0 for word in words]

        return sorted(grouped(self._templates, functions), key=rank)

    def _run_by(self, trigger: Resource) -> Resource:
        values = [
            *trigger.items("FunctionName"),
            *(get(one, "Arn") for one in trigger.items("Targets")),
        ]
        (value,) = values
        return self._templates.resolve(value, trigger.stack).resource

    def _trigger(self, trigger: Resource) -> str:
        if trigger.type == "AWS::Events::Rule":
            return trigger.text("ScheduleExpression")
        source = self._templates.resolve(trigger.get("EventSourceArn"), trigger.stack)
        return f"{source.part} of the table {self._name(source.resource)}"

    def _node(self, resource: Resource) -> str:
        return "api" if resource.type == "AWS::ApiGateway::RestApi" else resource.logical_id

    def _names(self, group: Group) -> list[str]:
        return [self._name(function).replace("-", "_") for function in group.functions]

    def _name(self, resource: Resource) -> str:
        names = ("TableName", "QueueName", "FunctionName", "Name")
        found = next((str(resource.get(name)) for name in names if resource.get(name)), None)
        return (found or _plain(resource)).removeprefix(f"{self._prefix}-")

    def _title(self, target: ResourcePart) -> str:
        return f"{self._name(target.resource)} {target.part}".rstrip()


def _counted(resources: Iterable[Resource]) -> str:
    counted = Counter(one.type.removeprefix("AWS::") for one in resources)
    by_number = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{number} {kind}" for kind, number in by_number)


def _plain(resource: Resource) -> str:
    """A logical id without the hash that the CDK puts behind it."""
    name = resource.logical_id
    return name[:-8] if name[-8:].isalnum() and name[-8:].isupper() else name


def _markdown_table(rows: Iterable[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def synthesize() -> dict[str, Json]:
    """The templates of the stage, by the names of their stacks; their assets are empty."""
    address = "https://example.com"
    context = dict.fromkeys(("upstream_url", "issuer", "audience", "jwks_url"), address)
    settings = settings_for(STAGE, context.get)
    with tempfile.TemporaryDirectory() as scratch:
        folders = {
            name: Path(scratch, name)
            for name in ("till", "dependencies", "identity", "dist", "dist/assets")
        }
        for folder in folders.values():
            folder.mkdir()
            (folder / "index.html").touch()
        app = App(
            outdir=str(Path(scratch, "out")),
            context=json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"],
        )
        layers = LayerFolders(
            till=folders["till"], dependencies=folders["dependencies"], identity=folders["identity"]
        )
        Deployment(app, settings=settings, layer_folders=layers, backoffice=folders["dist"])
        return {stack.stack_name: stack.template for stack in app.synth().stacks}


def main() -> None:
    """Write the page.

    Raises:
        SystemExit: it cannot be made; the sentence says why.
    """
    try:
        PAGE.write_text(page(synthesize()), encoding="utf-8")
    except TemplateError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
