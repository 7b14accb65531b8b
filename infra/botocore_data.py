"""Cuts botocore's data down to the operations that Till calls.

The data of 400 services are nine tenths of the package, and the table of all their endpoints is
most of what a function's first client costs. A model that is not there is an UnknownServiceError.
"""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

CALLED: Final[Mapping[str, Collection[str]]] = {
    "dynamodb": (
        *("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems", "TransactWriteItems"),
    ),
    "events": ("PutEvents",),
    "kms": ("GetPublicKey", "Sign"),
    "s3": ("GetObject", "ListObjectsV2", "PutObject"),
    "secretsmanager": ("GetSecretValue",),
    "sqs": ("SendMessage",),
}
"""The operations that stay. ``tests/infra/test_botocore_data.py`` finds those that are missing."""

_OF_A_SERVICE: Final = ("service-2.json", "endpoint-rule-set-1.json")
"""Paginators, waiters and examples are not used."""


def cut(data: Path) -> None:
    """Cut ``botocore/data``, in place. JSON that is not packed is also faster to read.

    Raises:
        KeyError: an operation of ``CALLED`` is not in the model.
    """
    for folder in [path for path in data.iterdir() if path.is_dir()]:
        if folder.name not in CALLED:
            shutil.rmtree(folder)
    for service, operations in CALLED.items():
        *older, newest = sorted((data / service).iterdir())
        for version in older:
            shutil.rmtree(version)
        kept = {name: _read(newest / f"{name}.gz") for name in _OF_A_SERVICE}
        kept["service-2.json"] = cut_model(kept["service-2.json"], operations)
        for path in list(newest.iterdir()):
            path.unlink()
        for name, content in kept.items():
            _write(newest / name, content)
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: found for name, found in partition["services"].items() if name in CALLED
        }
    _write(data / "endpoints.json", endpoints)


def cut_model(model: dict[str, Json], operations: Collection[str]) -> dict[str, Json]:
    """The model of a service with these operations, the shapes that they use, and no texts.

    All errors stay: the code catches some by ``client.exceptions``.
    """
    all_operations, all_shapes = model["operations"], model["shapes"]
    assert isinstance(all_operations, dict)  # noqa: S101 - botocore's format
    assert isinstance(all_shapes, dict)  # noqa: S101
    kept = {name: all_operations[name] for name in operations}
    errors = [n for n, s in all_shapes.items() if isinstance(s, dict) and s.get("exception")]
    used: set[str] = set()
    todo = [*_shapes_in(kept), *errors]
    while todo:
        name = todo.pop()
        if name not in used:
            used.add(name)
            todo += _shapes_in(all_shapes[name])
    shapes = {name: shape for name, shape in all_shapes.items() if name in used}
    cut_down = _without_texts({**model, "operations": {**kept}, "shapes": {**shapes}})
    assert isinstance(cut_down, dict)  # noqa: S101
    if "clientContextParams" in model:
        # The only texts that botocore reads.
        cut_down["clientContextParams"] = model["clientContextParams"]
    return cut_down


def _shapes_in(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        name = value.get("shape")
        if isinstance(name, str):
            yield name
        for inner in value.values():
            yield from _shapes_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _shapes_in(inner)


def _without_texts(value: Json) -> Json:
    if isinstance(value, dict):
        return {
            name: _without_texts(inner)
            for name, inner in value.items()
            if not (name == "documentation" and isinstance(inner, str))
        }
    if isinstance(value, list):
        return [_without_texts(inner) for inner in value]
    return value


def _read(path: Path) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def _write(path: Path, content: Mapping[str, Json]) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))
