"""Reads synthesized CloudFormation templates, so that tests can say what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resource:
    logical_id: str
    type: str
    properties: Json
    document: Json

    @property
    def arn(self) -> str:
        return f"<{self.logical_id}.Arn>"


@dataclass(frozen=True, slots=True)
class Statement:
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    document: Json


@dataclass(frozen=True, slots=True)
class Template:
    document: Json

    def all(self, resource_type: str | None = None) -> list[Resource]:
        return [
            Resource(logical_id, one["Type"], one.get("Properties", {}), one)
            for logical_id, one in self.document["Resources"].items()
            if resource_type in (None, one["Type"])
        ]

    def one(self, resource_type: str) -> Resource:
        (found,) = self.all(resource_type)
        return found

    def get(self, logical_id: str) -> Resource:
        (found,) = (one for one in self.all() if one.logical_id == logical_id)
        return found

    def policies(self) -> Iterator[tuple[Resource, Statement]]:
        """Every statement of every policy, wherever it hangs; trust policies are not among them."""
        for resource in self.all():
            for document in _policy_documents(resource.properties):
                for statement in as_list(document["Statement"]):
                    yield resource, _statement(statement)

    def functions(self) -> dict[str, Resource]:
        """The functions by the operation in their name."""
        found = self.all("AWS::Lambda::Function")
        prefix = f"till-{stage_of(found[0])}-"
        return {
            one.properties["FunctionName"].removeprefix(prefix).replace("-", "_"): one
            for one in found
        }

    def called(self, value: object) -> str:
        """The logical id of the function that this calls, itself or by its alias."""
        match value:
            case {"Fn::GetAtt": [str(name), "Arn"]} | {"Ref": str(name)}:
                found = self.get(name)
            case _:
                raise AssertionError(f"{value} calls no function")
        if found.type == "AWS::Lambda::Alias":
            return self.called(found.properties["FunctionName"])
        assert found.type == "AWS::Lambda::Function"
        return found.logical_id

    def role_of(self, function: Resource) -> Resource:
        logical_id, attribute = function.properties["Role"]["Fn::GetAtt"]
        assert attribute == "Arn"
        return self.get(logical_id)

    def routes(self) -> dict[tuple[str, str], str]:
        """The logical id of the function behind each method and path."""
        return {
            place: self.called(method.properties["Integration"]["Uri"]["Fn::Join"][1][-2])
            for place, method in self.methods().items()
        }

    def methods(self) -> dict[tuple[str, str], Resource]:
        """The methods by verb and path."""
        return {
            (method.properties["HttpMethod"], self._path(method.properties["ResourceId"])): method
            for method in self.all("AWS::ApiGateway::Method")
        }

    def _path(self, reference: Json) -> str:
        if reference == {"Ref": "ApiRootId"}:
            return ""
        resource = self.get(reference["Ref"])
        return f"{self._path(resource.properties['ParentId'])}/{resource.properties['PathPart']}"


def stage_of(function: Resource) -> str:
    stage = function.properties["Environment"]["Variables"]["TILL_STAGE"]
    assert isinstance(stage, str)
    return stage


def arn_of(service: str, name: str) -> str:
    """The ARN of what another stack made, as it is rendered."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{name}"


def as_list(value: T | list[T]) -> list[T]:
    return value if isinstance(value, list) else [value]


def render(value: object) -> str:
    """A value as it would read if CloudFormation had put names for its references."""
    match value:
        case str():
            return value
        case {"Ref": str(name)} if name.startswith("AWS::"):
            return "${" + name + "}"
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(render(part) for part in parts)
    raise AssertionError(f"no reading of {value}")


def _policy_documents(value: object, name: str = "") -> Iterator[Json]:
    if isinstance(value, dict):
        # A rule of WAF has a statement, too, but no version.
        if {"Statement", "Version"} <= value.keys() and name != "AssumeRolePolicyDocument":
            yield value
        for key, inner in value.items():
            yield from _policy_documents(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _policy_documents(inner, name)


def _statement(document: Json) -> Statement:
    return Statement(
        effect=document["Effect"],
        actions=tuple(as_list(document["Action"])),
        resources=tuple(render(one) for one in as_list(document["Resource"])),
        document=document,
    )
