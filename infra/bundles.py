"""Builds self-contained functions, for a target that does not apply Lambda layers.

A bundle is one zip: an operation's handler at the top, and the content of the layers. It is made
of the layers that ``infra/layers.py`` has built, so both ways of packaging run the same bytes.
The same contents give the same zip: sorted names, one fixed date, and bytecode that is used
unchecked. A bundle's fingerprint is taken of its contents and not of the zip, since two versions of
zlib may compress the same thing differently.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from infra.layers import Interpreter, LayerFolders, LayersError, compile_in, is_ignored

_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can say."""

_READABLE: Final = 0o100644 << 16
"""Lambda's user is not the one who made the zip, and has to read it."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A function's zip, and what tells its contents from others."""

    path: Path
    fingerprint: str


Contents = Mapping[str, bytes]
"""File contents by their names in the zip."""


def build_bundles(
    functions: Path,
    operations: Collection[str],
    layers: LayerFolders,
    *,
    verifying: Collection[str],
    compiler: Interpreter | None,
) -> Mapping[str, Bundle]:
    """Build a bundle for each operation, or find it already built from the same contents.

    Those in ``verifying`` also get what verifies access tokens. Bundles are written next to layers.

    Raises:
        LayersError: one of them could not be built.
    """
    output = layers.till.parent / "bundles"
    output.mkdir(exist_ok=True)
    shared = _merged(_read(layers.till / "python"), _read(layers.dependencies / "python"))
    plain = _Base(shared)
    identified = _Base(_merged(shared, _read(layers.identity / "python")))
    with tempfile.TemporaryDirectory(prefix="handlers-", dir=output) as scratch:
        handlers = _compiled(functions, operations, Path(scratch), compiler)
        return {
            operation: _build(
                output / f"{operation}.zip",
                identified if operation in verifying else plain,
                _read(handlers / operation),
            )
            for operation in operations
        }


class _Base:
    """What many bundles begin with, compressed once."""

    def __init__(self, contents: Contents) -> None:
        self.contents: Final = contents
        self._zip: bytes | None = None

    def zip(self) -> bytes:
        if self._zip is None:
            buffer = io.BytesIO()
            with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
                _add(archive, self.contents)
            self._zip = buffer.getvalue()
        return self._zip


def _build(path: Path, base: _Base, handler: Contents) -> Bundle:
    contents = _merged(base.contents, handler)
    fingerprint = _fingerprint(contents)
    if _said_by(path) != fingerprint:
        buffer = io.BytesIO(base.zip())
        with ZipFile(buffer, "a", ZIP_DEFLATED) as archive:
            _add(archive, {n: data for n, data in handler.items() if n not in base.contents})
            archive.comment = fingerprint.encode()
        # Replaced in one step, because two synths may write it at the same time.
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_bytes(buffer.getvalue())
        scratch.replace(path)
    return Bundle(path, fingerprint)


def _said_by(path: Path) -> str | None:
    """The fingerprint that a bundle of an earlier build carries."""
    if not path.is_file():
        return None
    try:
        with ZipFile(path) as archive:
            return archive.comment.decode(errors="replace")
    except BadZipFile:
        return None


def _compiled(
    functions: Path, operations: Iterable[str], scratch: Path, compiler: Interpreter | None
) -> Path:
    """A copy of the operations' folders, with bytecode if it can be made."""
    for operation in operations:
        for source in sorted((functions / operation).rglob("*")):
            name = source.relative_to(functions)
            if source.is_file() and not is_ignored(name):
                target = scratch / name
                target.parent.mkdir(parents=True, exist_ok=True)
                # get_openapi's document is a file like any other here.
                shutil.copyfile(source, target)
        if not (scratch / operation).is_dir():
            raise LayersError(f"There is no code of {operation} in {functions}.")
    if compiler is not None:
        compile_in(scratch, compiler)
    return scratch


def _read(folder: Path) -> Contents:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _merged(*parts: Contents) -> Contents:
    """All of them in one folder, as layers are. What several bring alike is there once.

    Raises:
        LayersError: two have different files of one name.
    """
    merged: dict[str, bytes] = {}
    for part in parts:
        twice = sorted(name for name in merged.keys() & part.keys() if merged[name] != part[name])
        if twice:
            raise LayersError(f"Two parts of a bundle both bring {', '.join(twice[:3])}.")
        merged |= part
    return merged


def _add(archive: ZipFile, contents: Contents) -> None:
    for name in sorted(contents):
        entry = ZipInfo(name, _DATE)
        entry.compress_type = ZIP_DEFLATED
        entry.create_system = 3  # Unix, on whatever it is made: it says how to read the mode.
        entry.external_attr = _READABLE
        archive.writestr(entry, contents[name])


def _fingerprint(contents: Contents) -> str:
    listing = [[name, hashlib.sha256(contents[name]).hexdigest()] for name in sorted(contents)]
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()
