"""Reads the CloudFormation templates of a stage: what is in them, and who may do what to what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_LOOKED_UP: Final = "AWS::SSM::Parameter::Value<String>"
"""The type of a parameter whose value is read from SSM, by the name that is its default."""
_NAMED: Final = re.compile(
    r":(?P<kind>table|event-bus|alias)/(?P<name>[^/]+)(/index/(?P<index>.+))?$"
)
_BY_ARN: Final = re.compile(r":(?P<kind>sqs|sns):+(?P<name>[^:]+)$")
_NAMES: Final = {
    "sqs": ("AWS::SQS::Queue", "QueueName"),
    "sns": ("AWS::SNS::Topic", "TopicName"),
    "table": ("AWS::DynamoDB::Table", "TableName"),
    "event-bus": ("AWS::Events::EventBus", "Name"),
    "alias": ("AWS::KMS::Alias", "AliasName"),
}
"""What is known by a name from one stack to another, and the property that has it."""
_STANDS_FOR: Final = {
    "AWS::KMS::Alias": "TargetKeyId",
    "AWS::Lambda::Alias": "FunctionName",
    "AWS::Lambda::Version": "FunctionName",
}
"""What is another name for something else, and the property that says for what."""


class TemplateError(Exception):
    """A template says something that this does not understand."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one stack."""

    stack: str
    logical_id: str
    type: str
    document: Json = field(compare=False, repr=False)

    def get(self, *path: str) -> Json:
        """A property, or none."""
        found = self.document
        for key in ("Properties", *path):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def text(self, *path: str) -> str:
        """A property that has to be there.

        Raises:
            TemplateError: it is not, or is no plain value.
        """
        found = self.get(*path)
        if not isinstance(found, (str, int)):
            raise TemplateError(f"{self} has no plain {'.'.join(path)}.")
        return str(found)

    def items(self, *path: str) -> list[Json]:
        """A property that is a list, or a single value, or none."""
        return as_list(self.get(*path))


@dataclass(frozen=True, slots=True)
class ResourcePart:
    """What a reference leads to: a resource, or a part of it."""

    resource: Resource
    part: str = ""
    """The name of a table's index, or ``stream``."""

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """Puts targets in an order that does not change."""
        return self.resource.stack, self.resource.logical_id, self.part


class Templates:
    """The templates of a stage by the names of their stacks."""

    def __init__(self, documents: Mapping[str, Json]) -> None:
        self._documents: Final = documents
        self._resources: Final = {
            (stack, logical_id): Resource(stack, logical_id, str(get(one, "Type")), one)
            for stack, document in documents.items()
            for logical_id, one in as_dict(get(document, "Resources")).items()
        }

    def stacks(self) -> Mapping[str, str]:
        """Each stack's description by its name."""
        return {
            stack: str(get(document, "Description")) for stack, document in self._documents.items()
        }

    def all(self, *types: str, stack: str | None = None) -> list[Resource]:
        """The resources, of some types or of one stack, in the order of the templates."""
        return [
            one
            for one in self._resources.values()
            if (not types or one.type in types) and stack in (None, one.stack)
        ]

    def resolve(self, value: Json, stack: str) -> ResourcePart:
        """What a reference in a stack leads to, also by an alias, a name or a parameter.

        Raises:
            TemplateError: nowhere that is in the templates.
        """
        match value:
            case {"Ref": str(logical_id)} if (stack, logical_id) in self._resources:
                return self._behind(self._resources[stack, logical_id])
            case {"Ref": str(logical_id)} if self._is_looked_up(logical_id, stack):
                return self._looked_up(logical_id, stack)
            case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
                found = self._resources[stack, logical_id]
                if attribute == "StreamArn":
                    return ResourcePart(found, "stream")
                return self._behind(found)
            case {"Fn::GetStackOutput": {"StackName": str(other), "OutputName": str(output)}}:
                return self.resolve(get(self._documents[other], "Outputs", output, "Value"), other)
            case {"Fn::Join": [_, list(parts)]}:
                for part in parts:
                    if not isinstance(part, str) and not _is_pseudo(part):
                        return self.resolve(part, stack)
                return self._named("".join(part for part in parts if isinstance(part, str)), value)
            case {"Fn::Select": [_, inner]} | {"Fn::Split": [_, inner]}:
                return self.resolve(inner, stack)
            case str():
                return self._named(value, value)
        raise TemplateError(f"{value} in stack {stack} leads nowhere that is known.")

    def rights(self, function: Resource) -> Mapping[ResourcePart, frozenset[str]]:
        """What the role of a function lets it do, by what to.

        Raises:
            TemplateError: it is not said by plain statements in the role itself.
        """
        role = self.resolve(function.get("Role"), function.stack).resource
        attached = [
            policy
            for policy in self.all("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", stack=role.stack)
            if {"Ref": role.logical_id} in policy.items("Roles")
        ]
        if attached or role.items("ManagedPolicyArns"):
            raise TemplateError(f"{role} has rights that are not in the role itself.")
        found: defaultdict[ResourcePart, frozenset[str]] = defaultdict(frozenset)
        for policy in role.items("Policies"):
            for statement in as_list(get(policy, "PolicyDocument", "Statement")):
                if get(statement, "Effect") != "Allow":
                    raise TemplateError(f"{role} has a statement that does not allow.")
                for one in as_list(get(statement, "Resource")):
                    actions = {str(action) for action in as_list(get(statement, "Action"))}
                    found[self.resolve(one, role.stack)] |= actions
        return found

    def _behind(self, found: Resource, part: str = "") -> ResourcePart:
        """An alias or a version is what it stands for."""
        stands_for = _STANDS_FOR.get(found.type)
        if stands_for is not None:
            return self.resolve(found.get(stands_for), found.stack)
        return ResourcePart(found, part)

    def _is_looked_up(self, logical_id: str, stack: str) -> bool:
        return get(self._documents[stack], "Parameters", logical_id, "Type") == _LOOKED_UP

    def _looked_up(self, logical_id: str, stack: str) -> ResourcePart:
        name = get(self._documents[stack], "Parameters", logical_id, "Default")
        for parameter in self.all("AWS::SSM::Parameter"):
            if parameter.get("Name") == name:
                return self.resolve(parameter.get("Value"), parameter.stack)
        raise TemplateError(f"No stack writes {name}, which {logical_id} of {stack} reads.")

    def _named(self, text: str, value: Json) -> ResourcePart:
        named = _NAMED.search(text) or _BY_ARN.search(text)
        if named:
            resource_type, name = _NAMES[named["kind"]]
            for one in self.all(resource_type):
                if one.get(name) in (named["name"], f"{named['kind']}/{named['name']}"):
                    return self._behind(one, named.groupdict().get("index") or "")
        raise TemplateError(f"{value} leads to nothing in the templates.")


def get(value: Json, *path: str) -> Json:
    """What lies at a path within objects, or none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def as_dict(value: Json) -> dict[str, Json]:
    """An object, or an empty one for none."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """CloudFormation takes a single value for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _is_pseudo(value: Json) -> bool:
    return str(get(value, "Ref") or "").startswith("AWS::")
