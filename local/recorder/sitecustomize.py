"""Writes down every AWS call of the Lambda workers, for the test of their rights.

Python imports a module of this name by itself, in every process that has its folder on PYTHONPATH.
The emulator's workers have it there when the system is started to record calls
(``local/emulator.py``); nothing of it is deployed. A line says which function called what, in IAM's
words: the name of an action and of a resource, and never what was sent. Each worker writes a call
once.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel

VARIABLE = "TILL_RECORD_AWS_CALLS"
HOOKED = "botocore.handlers"
TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
"""What IAM calls the parts of a DynamoDB transaction."""

ACTIONS = {"ListObjectsV2": "ListBucket"}
"""What IAM calls an operation by another name."""
NAMED = {
    "kms": ("KeyId", ":"),
    "s3": ("Bucket", ""),
    "secretsmanager": ("SecretId", ""),
    "sqs": ("QueueUrl", "/"),
}
"""The parameter that names a resource, and what stands before the name."""

Params = Mapping[str, Any]


def rights(service: str, operation: str, params: Params) -> Iterator[tuple[str, str]]:
    """The IAM actions that a call needs, each with the name of what it is on."""
    match service, operation:
        case "dynamodb", "TransactWriteItems" | "TransactGetItems":
            for item in params["TransactItems"]:
                for kind, part in item.items():
                    yield f"dynamodb:{TRANSACTION[kind]}", part["TableName"]
        case "dynamodb", "BatchGetItem":
            for table in params["RequestItems"]:
                yield "dynamodb:BatchGetItem", table
        case "dynamodb", _ if "TableName" in params:
            index = params.get("IndexName")
            yield (
                f"dynamodb:{operation}",
                params["TableName"] + (f"/index/{index}" if index else ""),
            )
        case _, _ if service in NAMED:
            parameter, before = NAMED[service]
            name = params[parameter].rpartition(before)[2] if before else params[parameter]
            yield f"{service}:{ACTIONS.get(operation, operation)}", name
        case "events", "PutEvents":
            for bus in {entry["EventBusName"] for entry in params["Entries"]}:
                yield "events:PutEvents", bus
        case _:
            # Unknown here, and so not allowed: the test says which call it was.
            yield f"{service}:{operation}", "?"


class Recorder:
    """Appends the calls of this process to a file that all processes share."""

    def __init__(self, path: str, function: str) -> None:
        self._path = path
        self._function = function
        self._written: set[tuple[str, str]] = set()

    def record(self, params: Params, model: OperationModel, **_: object) -> None:
        """Write a call down; botocore calls this before it."""
        for right in rights(model.service_model.service_name, model.name, params):
            if right not in self._written:
                self._written.add(right)
                line = json.dumps([self._function, *right]) + "\n"
                # One write of less than a page: lines of several processes do not mix.
                with open(self._path, "ab", buffering=0) as file:  # noqa: PTH123 - no import
                    file.write(line.encode())


class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Adds the recorder to botocore's handlers as they are imported, whichever botocore it is."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._spec: importlib.machinery.ModuleSpec | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the real module, and load it ourselves."""
        if fullname != HOOKED:
            return None
        self._spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if self._spec is None or self._spec.loader is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=self._spec.origin)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """Leave it to Python, as loaders mostly do."""
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the real module, then add to it."""
        if self._spec is None or self._spec.loader is None:
            raise ImportError(f"{HOOKED} was not found")
        module.__spec__ = self._spec
        module.__file__ = self._spec.origin
        self._spec.loader.exec_module(module)
        handlers: list[tuple[str, object]] = module.BUILTIN_HANDLERS
        handlers.append(("provide-client-params", self._recorder.record))


_function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
_path = os.environ.get(VARIABLE)
if _function and _path:
    sys.meta_path.insert(0, Hook(Recorder(_path, _function)))
