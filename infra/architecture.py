"""The picture of what is deployed, docs/architecture.svg: ``python -m infra.architecture``.

Everything in it comes from the synthesized templates of the stage prod, but for what is outside of
them: a short list, below. A resource is drawn, or it is furniture, which is counted in the heading
of its stack; there is no third way, so nothing can be left out without anybody noticing.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import App

from infra import ROOT
from infra.app import Deployment
from infra.layers import LayerFolders
from infra.rights import STRENGTH, Group, grouped
from infra.settings import settings_for
from infra.svg import CODE, HEADING, NAME, SMALL, TINY, TITLE, Area, Canvas, PictureError, wrap
from infra.templates import Json, Resource, Target, TemplateError, Templates, get

PICTURE: Final = ROOT / "docs" / "architecture.svg"
STAGE: Final = "prod"

FURNITURE: Final[Mapping[str, str]] = {
    "AWS::ApiGateway::Account": "account setting",
    "AWS::ApiGateway::Deployment": "API deployment",
    "AWS::ApiGateway::GatewayResponse": "gateway response",
    "AWS::ApiGateway::Resource": "path",
    "AWS::CloudFront::OriginAccessControl": "origin access control",
    "AWS::CloudFront::ResponseHeadersPolicy": "header policy",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::Backup::BackupPlan": "backup plan",
    "AWS::Backup::BackupSelection": "selection for it",
    "AWS::Backup::BackupVault": "vault",
    "AWS::Budgets::Budget": "budget",
    "AWS::Events::Archive": "archive of events",
    "AWS::IAM::Policy": "policy",
    "AWS::IAM::Role": "role",
    "AWS::Lambda::LayerVersion": "layer",
    "AWS::Lambda::Permission": "permission",
    "AWS::Lambda::Version": "version",
    "AWS::Logs::LogGroup": "log group",
    "AWS::S3::BucketPolicy": "policy",
    "AWS::SNS::Subscription": "subscription",
    "AWS::SNS::TopicPolicy": "policy",
    "AWS::SQS::QueuePolicy": "policy",
    "AWS::WAFv2::LoggingConfiguration": "log of refusals",
}
"""What is only counted, and what to call it."""

_STACKS: Final = ("edge", "compute", "data", "account")

_LEGEND: Final = (
    ("read", "get and query"),
    ("append", "read and put, never update"),
    ("write", "read, put and update"),
)

WIDTH: Final = 900
_LEFT: Final = 16
_RIGHT: Final = 772
"""Where the stacks end: what is outside of them is drawn to the right of it."""
_INSET: Final = 48
_GROUPS_END: Final = 280
_RAILS: Final = (288, 722)
_CALLS: Final = 746
_BESIDE: Final = 794
_BESIDE_WIDTH: Final = 92
_MIDDLE: Final = 304
"""Where boxes begin that stand right of the operations."""
_GAP: Final = 12


class ArchitectureError(Exception):
    """The picture does not fit what is deployed. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behaviour:
    """How CloudFront answers what lies under a path."""

    path: str
    protocol: str
    origin: Resource


@dataclass(frozen=True, slots=True)
class _Column:
    """What a right may be to: a rail through the picture, down to where it is."""

    target: Target
    head: str
    left: float
    width: float

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def draw(documents: Mapping[str, Json]) -> str:
    """The picture of a stage, from its templates by the names of their stacks.

    Raises:
        ArchitectureError: there is something in them that the picture does not know.
        TemplateError: a reference in them leads nowhere, or a right has no word.
        PictureError: a name does not fit where it belongs.
    """
    return _Picture(Templates(documents)).draw()


class _Picture:
    """Draws from top to bottom, and remembers what it has shown."""

    def __init__(self, templates: Templates) -> None:
        self._templates: Final = templates
        self._canvas: Final = Canvas(WIDTH)
        self._prefix: Final = next(iter(templates.stacks())).rpartition("-")[0]
        self._shown: Final[set[Resource]] = set()
        self._told: Final[list[str]] = []
        self._columns: Final = self._make_columns()

    def draw(self) -> str:
        self._check_stacks()
        stage = self._prefix.rpartition("-")[2]
        canvas = self._canvas
        canvas.text(_LEFT, 36, "Till", TITLE)
        subtitle = f"what is deployed as stage {stage}, drawn from its CloudFormation templates"
        y = canvas.paragraph(_LEFT, 55, 240, subtitle, SMALL, kind="soft")
        self._draw_legend(y + 6)
        y = self._draw_edge(74)
        y = self._draw_compute(y + _GAP)
        y = self._draw_data(y + _GAP)
        y = self._draw_account(y + _GAP)
        self._check_all_is_shown()
        return canvas.render(
            y + _GAP,
            title=f"Till as it is deployed, stage {stage}",
            description=" ".join(self._told),
        )

    # The stacks, from the outside in.

    def _draw_edge(self, top: float) -> float:
        canvas, stack = self._canvas, self._stack("edge")
        (distribution,) = self._show("AWS::CloudFront::Distribution")
        behaviours = self._behaviours(distribution)
        left, end, middle, right = _MIDDLE, 484, 532, _RIGHT - 12
        y = self._draw_heading(stack, middle, top, right - middle)
        for bucket in self._show("AWS::S3::Bucket", stack=stack):
            closed = bucket.get("PublicAccessBlockConfiguration", "RestrictPublicBuckets") is True
            detail = "not public" if closed else "public"
            self._box((middle, y), right - middle, f"S3 bucket {_plain(bucket)}", detail, "edge")
            for one in behaviours:
                if one.origin == bucket:
                    canvas.line((end, y + 17), (middle, y + 17), kind="call")
                    canvas.text((end + middle) / 2 - 3, y + 12, one.path, CODE, anchor="middle")
            y += 34 + 8
        y = self._draw_helpers(stack, middle, y, right) + 4
        canvas.box(Area(left, top + 12, end - left, y - top - 24), "edge")
        canvas.text(left + 10, top + 28, "CloudFront", NAME)
        details = [
            *(f"{one.path} {one.protocol.replace('-', ' ')}" for one in behaviours),
            *(
                f"A function on it: {function.text('FunctionConfig', 'Comment')}"
                for function in self._show("AWS::CloudFront::Function")
            ),
        ]
        line = top + 43
        for detail in details:
            line = canvas.paragraph(left + 10, line, end - left - 20, detail, SMALL, kind="soft")
        canvas.card(Area(_GROUPS_END + 8, top, _RIGHT - _GROUPS_END - 8, y - top), "edge")
        self._outside(Area(left, 14, end - left, 42), "Customer-service reps", "in their browsers")
        canvas.line(((left + end) / 2, 56), ((left + end) / 2, top + 12), kind="call")
        self._draw_callers(y, behaviours)
        return y

    def _draw_helpers(self, stack: str, left: float, y: float, right: float) -> float:
        """The CDK's own functions, which CloudFormation calls."""
        customs = [
            one for one in self._templates.all(stack=stack) if one.type.startswith("Custom::")
        ]
        called = {
            self._templates.resolve(one.get("ServiceToken"), stack).resource for one in customs
        }
        if not called:
            return y
        self._shown.update(customs, called)
        name = f"{_count(len(called), 'function')} of the CDK"
        self._box((left, y), right - left, name, "called by CloudFormation alone", "edge")
        return y + 34 + 8

    def _draw_callers(self, bottom: float, behaviours: Sequence[_Behaviour]) -> None:
        """Who calls the API: reps by way of CloudFront, the others at once."""
        canvas, below = self._canvas, bottom + _GAP + _GAP
        for left, who, how in (
            (_INSET, "Customers", "web, apps"),
            (_INSET + 102, "The shop", "its backend"),
        ):
            self._outside(Area(left, bottom - 42, 94, 42), who, how)
            canvas.line((left + 47, bottom), (left + 47, below), kind="call")
        x, y = 264, bottom - 60
        for one in behaviours:
            if one.origin.type == "AWS::ApiGateway::RestApi":
                canvas.line((_MIDDLE, y), (x, y), (x, below), kind="call")
                canvas.text(x - 6, y + 4, one.path, CODE, anchor="end")

    def _draw_compute(self, top: float) -> float:
        canvas, stack = self._canvas, self._stack("compute")
        heading_end = self._draw_heading(stack, _MIDDLE, top, _RIGHT - _MIDDLE - 12)
        gate, gate_end = self._draw_gate(top + _GAP)
        y = self._draw_authorizer(max(gate, heading_end))
        y = max(self._draw_beside(y + 16), gate_end) + 58
        heads_at = y - 8
        rows: list[tuple[Group, float]] = []
        requested = [
            self._templates.resolve(method.get("Integration", "Uri"), method.stack).resource
            for method in self._templates.all("AWS::ApiGateway::Method")
        ]
        trunk = _INSET - 14
        for group in self._groups(requested):
            middle, y = self._draw_group(group, y)
            canvas.line((trunk, middle), (_INSET, middle), kind="call")
            rows.append((group, middle))
        start = (_INSET, gate_end - 16), (trunk, gate_end - 16)
        canvas.line(*start, (trunk, rows[-1][1]), kind="call", arrow=False)
        y += 8
        for trigger, head, detail in self._triggers():
            function = self._run_by(trigger)
            (group,) = self._groups([function])
            rows.append((group, y + 17))
            y = self._draw_by_itself(trigger, head, detail, group, y)
        canvas.card(Area(_LEFT, top, _RIGHT - _LEFT, y - top), "compute")
        self._draw_heads(heads_at)
        self._draw_rights(rows, y + _GAP + _GAP)
        return y

    def _draw_gate(self, y: float) -> tuple[float, float]:
        """The firewall and the gateway. Gives back from where to where the gateway goes."""
        canvas, templates = self._canvas, self._templates
        left, width = _INSET, _GROUPS_END - _INSET
        guarded = {
            templates.resolve(one.get("ResourceArn"), one.stack).resource
            for one in self._show("AWS::WAFv2::WebACLAssociation")
        }
        (api,) = self._show("AWS::ApiGateway::RestApi")
        for acl in self._show("AWS::WAFv2::WebACL"):
            names = [str(get(rule, "Name")) for rule in acl.items("Rules")]
            rules = ", ".join(name.removeprefix("AWSManagedRules") for name in names)
            end = self._box((left, y), width, "AWS WAF", rules, "compute")
            if api in guarded:
                middle = left + width / 2
                canvas.line((middle, end), (middle, end + 16), kind="call")
            y = end + 16
        (stage,) = self._show("AWS::ApiGateway::Stage")
        made = templates.all("AWS::ApiGateway::Resource")
        parts: list[Json] = [{"Ref": one.logical_id} for one in made]
        paths = [f"/{one.text('PathPart')}" for one in made if one.get("ParentId") not in parts]
        routes = self._show("AWS::ApiGateway::Method")
        detail = f"{_count(len(routes), 'route')} under {' '.join(sorted(paths))}"
        for setting in stage.items("MethodSettings"):
            limit, burst = get(setting, "ThrottlingRateLimit"), get(setting, "ThrottlingBurstLimit")
            detail += f"; {limit} requests a second, bursts of {burst}"
        detail += f"; {_placed('the API itself is', api)}"
        name = f"API Gateway, stage {stage.text('StageName')}"
        return y, self._box((left, y), width, name, detail, "compute")

    def _draw_authorizer(self, y: float) -> float:
        canvas, templates = self._canvas, self._templates
        for authorizer in self._show("AWS::ApiGateway::Authorizer"):
            value = authorizer.get("AuthorizerUri")
            function = templates.resolve(value, authorizer.stack).resource
            (group,) = self._groups([function])
            if group.words or group.calls:
                raise ArchitectureError(
                    f"{self._operation(function)} has rights now, and the picture in docs shows "
                    "none of an authorizer: see infra/architecture.py."
                )
            seconds = authorizer.text("AuthorizerResultTtlInSeconds")
            detail = f"its answer is kept for {seconds} s"
            end = self._box(
                (_MIDDLE, y), 190, self._operation(function), detail, "compute", code=True
            )
            self._shown.add(function)
            canvas.line((_GROUPS_END, y + 17), (_MIDDLE, y + 17), kind="call")
            if function.get("Environment", "Variables", "TILL_TOKEN_JWKS_URL"):
                self._outside(
                    Area(_BESIDE, y - 8, _BESIDE_WIDTH, 46), "Identity provider", "its keys"
                )
                canvas.line((_MIDDLE + 190, y + 17), (_BESIDE, y + 17), kind="call")
            y = end
        return y

    def _draw_beside(self, y: float) -> float:
        """What looks after the functions: how they are released, and who is told of alarms."""
        canvas, templates = self._canvas, self._templates
        end = y
        left = _MIDDLE
        for application in self._show("AWS::CodeDeploy::Application"):
            groups = self._show("AWS::CodeDeploy::DeploymentGroup")
            aliases = self._show("AWS::Lambda::Alias")
            names = ", ".join(sorted({one.text("Name") for one in aliases}))
            ways = ", ".join(
                sorted({one.text("DeploymentConfigName").rpartition(".")[2] for one in groups})
            )
            detail = f"{_count(len(aliases), 'function')} by alias {names}: {ways}"
            if application.get("ComputePlatform") != "Lambda":
                raise ArchitectureError(f"{application} does not release functions.")
            end = self._box((left, y), 238, "CodeDeploy", detail, "compute")
            left += 238 + 16
        for topic in self._show("AWS::SNS::Topic"):
            ringing = [
                alarm
                for alarm in templates.all("AWS::CloudWatch::Alarm")
                if any(
                    templates.resolve(action, alarm.stack).resource == topic
                    for action in alarm.items("AlarmActions")
                )
            ]
            width = _RIGHT - 12 - left
            name = f"SNS topic {self._short(topic.text('TopicName'))}"
            detail = f"{_placed('', topic)}: told by {len(ringing)} alarms".removeprefix(" ")
            end = max(end, self._box((left, y), width, name, detail, "compute"))
            self._outside(Area(_BESIDE, y - 2, _BESIDE_WIDTH, 40), "On call", "subscribes")
            canvas.line((_RIGHT - 12, y + 17), (_BESIDE, y + 17), kind="call")
        return end

    def _draw_group(self, group: Group, y: float) -> tuple[float, float]:
        """Operations in one box. Gives back its middle, and where the next one begins."""
        width = _GROUPS_END - _INSET
        names = " · ".join(self._operation(one) for one in group.functions)
        lines = wrap(names.replace(" · ", "· "), CODE, width - 16)
        height = len(lines) * 13.5 + 8
        self._canvas.box(Area(_INSET, y, width, height), "compute")
        for number, line in enumerate(lines):
            text = line.replace("· ", " · ").removesuffix("·")
            self._canvas.text(_INSET + 8, y + 14.5 + number * 13.5, text, CODE)
        self._tell(group)
        return y + height / 2, y + height + 5

    def _triggers(self) -> list[tuple[Resource, str, str]]:
        """What runs a function without a request, and how to call it."""
        rules = self._show("AWS::Events::Rule")
        mappings = self._show("AWS::Lambda::EventSourceMapping")
        found = [(rule, "Schedule", rule.text("ScheduleExpression")) for rule in rules]
        for mapping in mappings:
            source = self._templates.resolve(mapping.get("EventSourceArn"), mapping.stack)
            name = self._short(source.resource.text("TableName"))
            found.append((mapping, "Mapping", f"{name} {source.part}"))
        return found

    def _run_by(self, trigger: Resource) -> Resource:
        values = [
            *trigger.items("FunctionName"),
            *(get(one, "Arn") for one in trigger.items("Targets")),
        ]
        (value,) = values
        return self._templates.resolve(value, trigger.stack).resource

    def _draw_by_itself(
        self, trigger: Resource, head: str, detail: str, group: Group, y: float
    ) -> float:
        """An operation, what runs it, and the queue for what it or that fails to do."""
        canvas, (function,) = self._canvas, group.functions
        left, width = 160, _GROUPS_END - 160
        self._box((_INSET, y), 100, head, detail, "compute")
        canvas.line((_INSET + 100, y + 17), (left, y + 17), kind="call")
        canvas.box(Area(left, y, width, 34), "compute")
        canvas.text(left + 8, y + 20.5, self._operation(function), CODE)
        self._tell(group)
        y += 34
        for target, word in group.words.items():
            if target.resource.type == "AWS::SQS::Queue":
                queue = target.resource
                self._shown.add(queue)
                top = y + 20
                canvas.line((240, y), (240, top), kind="call")
                canvas.text(246, y + 13, word, TINY, kind="soft")
                name = self._short(queue.text("QueueName"))
                detail = ", ".join(
                    [_placed("queue", queue), *self._locked(queue, "KmsMasterKeyId")]
                )
                y = self._box((88, top), _GROUPS_END - 88, name, detail, "compute", code=True)
                if _leads_to(self._templates, trigger, queue):
                    canvas.line((68, top - 20), (68, top + 17), (88, top + 17), kind="call")
        for setting in self._templates.all("AWS::Lambda::EventInvokeConfig"):
            value = setting.get("FunctionName")
            if self._templates.resolve(value, setting.stack).resource == function:
                self._shown.add(setting)
        return y + _GAP

    def _draw_data(self, top: float) -> float:
        canvas, stack = self._canvas, self._stack("data")
        width = _GROUPS_END - _LEFT - 12
        y = self._draw_heading(stack, _LEFT + 12, top, width)
        parameters = self._show("AWS::SSM::Parameter")
        names = ", ".join(sorted(one.text("Name").rpartition("/")[2] for one in parameters))
        detail = f"{names}: read at every deploy"
        end = self._box((_LEFT + 12, y), width, "SSM parameters", detail, "data")
        by_resource: dict[Resource, list[_Column]] = {}
        for column in self._columns:
            by_resource.setdefault(column.target.resource, []).append(column)
        areas = {
            resource: self._draw_resource(resource, columns, top + _GAP)
            for resource, columns in by_resource.items()
        }
        end = max(end, *(area.y + area.height for area in areas.values()))
        for resource, area in areas.items():
            canvas.box(area._replace(height=end - area.y), "data")
            if len(by_resource[resource]) > 1:
                canvas.box(area._replace(height=32), "data")
            if resource.type == "AWS::Events::EventBus":
                middle = (area.y + end) / 2
                listeners = Area(_BESIDE, middle - 30, _BESIDE_WIDTH, 60)
                self._outside(listeners, "Consumers", "with rules of their own")
                canvas.line((area.x + area.width, middle), (_BESIDE, middle), kind="call")
        bottom = end + _GAP
        canvas.card(Area(_LEFT, top, _RIGHT - _LEFT, bottom - top), "data")
        return bottom

    def _draw_resource(self, resource: Resource, columns: Sequence[_Column], top: float) -> Area:
        """What is written into a resource's box. Gives back how large the box has to be."""
        canvas = self._canvas
        self._shown.add(resource)
        left = columns[0].left + 3
        width = columns[-1].left + columns[-1].width - 3 - left
        y = top + 16
        if len(columns) > 1:
            for column in columns:
                self._head(column, top + 19)
            y = top + 48
        name, kind, details = self._describe(resource)
        y = canvas.paragraph(left + 7, y, width - 10, name, NAME)
        y = canvas.paragraph(left + 7, y - 1, width - 10, kind, TINY) + 3
        for detail in details:
            y = canvas.paragraph(left + 7, y, width - 10, detail, TINY, kind="soft")
        return Area(left, top, width, y - TINY.line + 7 - top)

    def _describe(self, resource: Resource) -> tuple[str, str, list[str]]:
        """What a resource of the data stack is called, what it is, and what is special about it."""
        details: list[str] = []
        match resource.type:
            case "AWS::DynamoDB::Table":
                name, kind = self._short(resource.text("TableName")), "DynamoDB"
                for path, detail in (
                    (
                        ("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
                        "point-in-time recovery",
                    ),
                    (("DeletionProtectionEnabled",), "protected from deletion"),
                ):
                    if resource.get(*path) is True:
                        details.append(detail)
                details += self._locked(resource, "SSESpecification", "KMSMasterKeyId")
            case "AWS::SecretsManager::Secret":
                name, kind = "secret", self._short(resource.text("Name"))
                details += self._locked(resource, "KmsKeyId")
            case "AWS::KMS::Key":
                name, kind = "key", ""
                if resource.get("EnableKeyRotation") is True:
                    details.append("rotated")
                for alias in self._templates.all("AWS::KMS::Alias"):
                    if (
                        self._templates.resolve(alias.get("TargetKeyId"), alias.stack).resource
                        == resource
                    ):
                        self._shown.add(alias)
                        kind = alias.text("AliasName").removeprefix("alias/")
            case _:
                name, kind = "bus", resource.text("Name")
        return name, kind, details

    def _locked(self, resource: Resource, *path: str) -> list[str]:
        """Whether something is encrypted with the key that is in the picture."""
        key = resource.get(*path)
        if key is None:
            return []
        found = self._templates.resolve(key, resource.stack).resource
        if found.type != "AWS::KMS::Key":
            raise ArchitectureError(f"{resource} is encrypted with {found}, which is no key.")
        return ["encrypted with the key"]

    def _draw_account(self, top: float) -> float:
        stack = self._stack("account")
        end = self._draw_heading(stack, _LEFT + 12, top, _RIGHT - _LEFT - 24)
        self._canvas.card(Area(_LEFT, top, _RIGHT - _LEFT, end - top), "account")
        return end

    def _draw_legend(self, y: float) -> None:
        canvas = self._canvas
        for word, meaning in _LEGEND:
            canvas.pill(_LEFT + 21, y + 8, word, word)
            canvas.text(_LEFT + 52, y + 11.5, meaning, SMALL, kind="soft")
            y += 19
        canvas.box(Area(_LEFT, y + 0.5, 42, 15), "outside")
        canvas.text(_LEFT + 52, y + 11.5, "not ours, and in no template", SMALL, kind="soft")

    # Rights.

    def _groups(self, functions: Iterable[Resource]) -> list[Group]:
        """Functions by their rights: who may do most to the tables comes first."""
        return sorted(grouped(self._templates, functions), key=self._rank)

    def _rank(self, group: Group) -> tuple[list[int], bool]:
        tables_first = sorted(
            self._columns, key=lambda one: (bool(one.target.part), self._columns.index(one))
        )
        strengths = [
            -STRENGTH[group.words[one.target]] if one.target in group.words else 0
            for one in tables_first
        ]
        return strengths, not group.calls

    def _make_columns(self) -> list[_Column]:
        targets: list[tuple[Target, str, float]] = []
        for table in self._templates.all("AWS::DynamoDB::Table"):
            if table.get("StreamSpecification"):
                targets.append((Target(table, "stream"), "stream", 46))
            targets.append((Target(table), "table", 46))
            for index in table.items("GlobalSecondaryIndexes"):
                name = str(get(index, "IndexName"))
                targets.append((Target(table, name), name, 46))
        for resource_type, head in (
            ("AWS::KMS::Key", "key"),
            ("AWS::SecretsManager::Secret", "secret"),
            ("AWS::Events::EventBus", "bus"),
        ):
            targets += ((Target(one), head, 67) for one in self._templates.all(resource_type))
        left: float
        left, end = _RAILS
        scale = (end - left) / sum(width for *_, width in targets)
        columns = []
        for target, head, share in targets:
            width = round(share * scale, 1)
            columns.append(_Column(target, head, round(left, 1), width))
            left += width
        return columns

    def _draw_heads(self, y: float) -> None:
        canvas = self._canvas
        for column in self._columns:
            self._head(column, y - 8)
        for table in self._templates.all("AWS::DynamoDB::Table"):
            parts = [one for one in self._columns if one.target.resource == table]
            left, right = parts[0].left + 4, parts[-1].left + parts[-1].width - 4
            name = self._short(table.text("TableName"))
            canvas.text((left + right) / 2, y - 32, name, NAME, anchor="middle")
            canvas.line((left, y - 27), (right, y - 27), kind="rail", arrow=False)

    def _head(self, column: _Column, y: float) -> None:
        """What a column is called, in up to two lines, in the middle of a height."""
        lines = wrap(column.head.replace("-", "- "), TINY, column.width - 8)
        y -= (len(lines) - 1) * 5.5
        for line in lines:
            self._canvas.text(column.middle, y, line, TINY, anchor="middle")
            y += 11

    def _draw_rights(self, rows: Sequence[tuple[Group, float]], bottom: float) -> None:
        canvas = self._canvas
        begins: dict[_Column, float] = {}
        calls = [y for group, y in rows if group.calls]
        for group, y in rows:
            self._shown.update(group.functions)
            marks = [
                (one, group.words[one.target]) for one in self._columns if one.target in group.words
            ]
            drawn = {one.target for one, _ in marks}
            for target in group.words:
                if target not in drawn and target.resource not in self._shown:
                    raise ArchitectureError(
                        f"The picture in docs has no place for the right of "
                        f"{self._operation(group.functions[0])} to {target.resource.logical_id}: "
                        "give it one in infra/architecture.py."
                    )
            for column, word in marks:
                begins.setdefault(column, y)
                canvas.pill(column.middle, y, word, word)
            if group.calls:
                canvas.pill(_CALLS, y, "call", "call")
                canvas.line((_CALLS, y), (_BESIDE, y), kind="call")
            end = _CALLS if group.calls else max((one.middle for one, _ in marks), default=0)
            if end:
                canvas.line((_GROUPS_END, y), (end, y), kind="lead", arrow=False)
        for column, begin in begins.items():
            canvas.line((column.middle, begin), (column.middle, bottom), kind="rail")
        if calls:
            top = calls[0] - 20
            area = Area(_BESIDE, top, _BESIDE_WIDTH, calls[-1] + 20 - top)
            self._outside(area, "External APIs", "customers, products, shipments")

    # What all of it is made of.

    def _stack(self, lane: str) -> str:
        return f"{self._prefix}-{lane}"

    def _show(self, resource_type: str, *, stack: str | None = None) -> list[Resource]:
        """All resources of a type, which are about to be drawn."""
        found = self._templates.all(resource_type, stack=stack)
        self._shown.update(found)
        return found

    def _behaviours(self, distribution: Resource) -> list[_Behaviour]:
        """What CloudFront gets from where."""
        origins = {
            str(get(one, "Id")): self._templates.resolve(get(one, "DomainName"), distribution.stack)
            for one in distribution.items("DistributionConfig", "Origins")
        }
        return [
            _Behaviour(
                path=str(get(one, "PathPattern") or "/*"),
                protocol=str(get(one, "ViewerProtocolPolicy")),
                origin=origins[str(get(one, "TargetOriginId"))].resource,
            )
            for one in (
                *distribution.items("DistributionConfig", "CacheBehaviors"),
                distribution.get("DistributionConfig", "DefaultCacheBehavior"),
            )
        ]

    def _draw_heading(self, stack: str, x: float, top: float, width: float) -> float:
        """A stack's name, what it is, what becomes of it, and its furniture, counted."""
        canvas = self._canvas
        about = self._templates.stacks()[stack].partition(": ")[2]
        resources = self._templates.all(stack=stack)
        counted = Counter(FURNITURE[one.type] for one in resources if one.type in FURNITURE)
        kept = sorted(
            _plain(one)
            for one in resources
            if str(get(one.document, "DeletionPolicy")).startswith("Retain")
            and one.type not in FURNITURE
        )
        y = top + 24
        canvas.text(x, y, stack, HEADING)
        y = canvas.paragraph(x, y + 15, width, _sentence(about), SMALL)
        if kept:
            y = canvas.paragraph(
                x, y, width, f"Stays when the stack goes: {', '.join(kept)}.", SMALL
            )
        if counted:
            most_first = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
            text = ", ".join(_count(number, noun) for noun, number in most_first)
            y = canvas.paragraph(x, y, width, f"Not drawn: {text}.", SMALL, kind="soft")
        self._told.append(f"Stack {stack}: {about}")
        return y

    def _box(
        self,
        at: tuple[float, float],
        width: float,
        name: str,
        detail: str,
        kind: str,
        *,
        code: bool = False,
    ) -> float:
        """A thing with its name and something about it. Gives back where it ends."""
        canvas, (x, y) = self._canvas, at
        canvas.paragraph(x + 10, y + 14, width - 20, name, CODE if code else NAME)
        end = canvas.paragraph(x + 10, y + 27.5, width - 18, detail, SMALL, kind="soft")
        end += 6.5 - SMALL.line
        canvas.box(Area(x, y, width, end - y), kind)
        return end

    def _outside(self, area: Area, name: str, detail: str) -> None:
        """Something that is in no template."""
        canvas, (x, y, width, height) = self._canvas, area
        canvas.box(area, "outside")
        names, details = wrap(name, NAME, width - 8), wrap(detail, SMALL, width - 8)
        line = y + height / 2 - (len(names) + len(details)) * 7 + 10.5
        for text, style, kind in (
            *((one, NAME, "") for one in names),
            *((one, SMALL, "soft") for one in details),
        ):
            canvas.text(x + width / 2, line, text, style, kind=kind, anchor="middle")
            line += 14

    def _short(self, name: str) -> str:
        return name.removeprefix(f"{self._prefix}-")

    def _operation(self, function: Resource) -> str:
        return self._short(function.text("FunctionName")).replace("-", "_")

    def _tell(self, group: Group) -> None:
        """For who does not see the picture."""
        names = ", ".join(self._operation(one) for one in group.functions)
        rights = [
            f"{word} {_plain(target.resource)} {target.part}".rstrip()
            for target, word in group.words.items()
        ]
        if group.calls:
            rights.append("call the external APIs")
        self._told.append(f"{names}: {', '.join(rights) or 'no rights'}.")

    def _check_stacks(self) -> None:
        for stack in self._templates.stacks():
            if stack.removeprefix(f"{self._prefix}-") not in _STACKS:
                raise ArchitectureError(
                    f"The picture in docs does not know the stack {stack}: draw it in "
                    "infra/architecture.py."
                )

    def _check_all_is_shown(self) -> None:
        for one in self._templates.all():
            if one.type not in FURNITURE and one not in self._shown:
                raise ArchitectureError(
                    f"The picture in docs does not know {one.type} ({one.stack}, "
                    f"{one.logical_id}): draw it or list it as furniture in infra/architecture.py."
                )


def _leads_to(templates: Templates, trigger: Resource, queue: Resource) -> bool:
    """Whether what a trigger cannot hand over goes to a queue."""
    arns = (
        trigger.get("DestinationConfig", "OnFailure", "Destination"),
        *(get(one, "DeadLetterConfig", "Arn") for one in trigger.items("Targets")),
    )
    return any(
        arn is not None and templates.resolve(arn, trigger.stack).resource == queue for arn in arns
    )


def _placed(what: str, resource: Resource) -> str:
    """What is drawn with compute, and in which stack it is."""
    return f"{what} in the stack {resource.stack.rpartition('-')[2]}"


def _plain(resource: Resource) -> str:
    """A logical id without the hash that the CDK puts behind it."""
    return re.sub(r"[0-9A-F]{8}$", "", resource.logical_id)


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


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
    """Draw the picture.

    Raises:
        SystemExit: it cannot be drawn; the sentence says why.
    """
    try:
        PICTURE.write_text(draw(synthesize()), encoding="utf-8")
    except (ArchitectureError, PictureError, TemplateError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
