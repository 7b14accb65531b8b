"""What the functions did with their rights, and what their deployed roles let them do."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import boto3

Right: TypeAlias = tuple[str, str]
"""An IAM action, and the name of what it is on, as the recorder writes it."""
Rights: TypeAlias = "Mapping[str, frozenset[Right]]"
"""By operation."""

_RESOURCE = re.compile(r"arn:aws:(?P<service>[a-z0-9]+):[^:]*:\d*:(?P<name>.+?)(/\*)?")
_PREFIXES = ("table/", "event-bus/", "secret:", "log-group:")
_SECRETS_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of a stage's functions, as they are deployed."""

    aws: boto3.Session
    url: str
    prefix: str

    def rights(self) -> Rights:
        """What each operation may do."""
        functions = self.aws.client("lambda", endpoint_url=self.url)
        found: dict[str, frozenset[Right]] = {}
        for page in functions.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                name = function["FunctionName"]
                if name.startswith(self.prefix):
                    role = function["Role"].rpartition("/")[2]
                    found[operation_of(name, self.prefix)] = self._of(role)
        return found

    def _of(self, role: str) -> frozenset[Right]:
        iam = self.aws.client("iam", endpoint_url=self.url)
        rights: set[Right] = set()
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            parsed = json.loads(document) if isinstance(document, str) else document
            for statement in parsed["Statement"]:
                assert statement["Effect"] == "Allow"
                rights |= {
                    (action, name_in(arn))
                    for action in _list(statement["Action"])
                    for arn in _list(statement["Resource"])
                }
        return frozenset(rights)


def used(path: Path, prefix: str) -> Rights:
    """What each operation did, by the recorder's file."""
    found: defaultdict[str, set[Right]] = defaultdict(set)
    for line in path.read_text().splitlines():
        function, action, name = json.loads(line)
        # A test may deploy another stage next to this one.
        if function.startswith(prefix):
            found[operation_of(function, prefix)].add((action, name))
    return {operation: frozenset(rights) for operation, rights in found.items()}


def operation_of(function: str, prefix: str) -> str:
    return function.removeprefix(prefix).replace("-", "_")


def name_in(arn: str) -> str:
    """The name of a resource, as its callers use it."""
    found = _RESOURCE.fullmatch(arn)
    if found is None:
        # The emulator's reference to a secret is its name, where AWS's is its ARN.
        assert ":" not in arn
        return arn
    name = found["name"]
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _SECRETS_SUFFIX.sub("", name) if found["service"] == "secretsmanager" else name


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
