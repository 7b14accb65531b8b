"""The layers themselves: built from the lock, for the local target and for Lambda, and imported."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.layers import (
    LAMBDA_PYTHON,
    Interpreter,
    LayerFolders,
    LayersError,
    Machine,
    Sources,
    build_layers,
    compiler_for,
    find_interpreter,
)

IMPORTS = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.openapi.params",
    "aws_lambda_powertools.metrics",
    "httpx",
    "pydantic",
    "till.http.routes",
)
# An isolated interpreter sees nothing but the standard library, the layers, and boto3 where the
# runtime has it: it comes last, and must not be where anything of the layers was found.
PROGRAM = """
import importlib, importlib.metadata, json, sys
*layers, runtime = json.loads(sys.argv[1])
sys.path[:0] = layers
sys.path += [runtime] if runtime else []
places = {name: importlib.import_module(name).__file__ for name in json.loads(sys.argv[2])}
import pydantic
class Model(pydantic.BaseModel):
    amount: int
assert Model.model_validate_json('{"amount": 1}').amount == 1
importlib.metadata.version("aws-lambda-powertools")
print(json.dumps(places))
"""
LAZY_PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from hishel import BaseStorage, CacheOptions
print(json.dumps(sorted(sys.modules)))
"""
SMALL_LIMIT_MB = 15


@pytest.fixture(scope="session", params=[Machine.LOCAL, Machine.ARM64])
def built(request: pytest.FixtureRequest) -> tuple[Machine, LayerFolders]:
    # In their usual place: built once, and again only when the lock or the recipe changes.
    target = Machine(request.param)
    return target, build_layers(target)


def _import(interpreter: str, folders: LayerFolders, runtime: str) -> dict[str, str]:
    paths = [str(folders.till / "python"), str(folders.dependencies / "python"), runtime]
    run = subprocess.run(
        [interpreter, "-I", "-S", "-c", PROGRAM, json.dumps(paths), json.dumps(IMPORTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    places: dict[str, str] = json.loads(run.stdout)
    return places


def _assert_from_layers(places: dict[str, str], folders: LayerFolders) -> None:
    for name, place in places.items():
        folder = folders.till if name.startswith("till") else folders.dependencies
        assert Path(place).is_relative_to(folder / "python"), name


def test_the_local_layers_import_with_the_interpreter_at_hand() -> None:
    folders = build_layers(Machine.LOCAL)
    _assert_from_layers(_import(sys.executable, folders, _place_of_boto3()), folders)


def test_the_aws_layers_import_with_lambdas_interpreter() -> None:
    interpreter = find_interpreter(LAMBDA_PYTHON)
    if interpreter is None:
        pytest.skip(f"there is no Python {LAMBDA_PYTHON} on this machine")
    if not sys.platform.startswith("linux"):
        pytest.skip("Lambda's layers are for Linux")
    folders = build_layers(Machine.of_this_machine())
    _assert_from_layers(_import(interpreter.executable, folders, _place_of_boto3()), folders)


def test_packages_of_the_layers_load_only_what_is_asked_for() -> None:
    folders = build_layers(Machine.LOCAL)
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAZY_PROGRAM, str(folders.dependencies / "python")],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(run.stdout))
    assert "aws_lambda_powertools.event_handler.api_gateway" in loaded
    assert not loaded & {
        "asyncio",
        "aws_lambda_powertools.event_handler.appsync",
        "aws_lambda_powertools.utilities.data_classes.sqs_event",
        "hishel._core._storages._sync_sqlite",
    }


def _place_of_boto3() -> str:
    found = importlib.util.find_spec("boto3")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parents[1])


def test_what_the_runtime_has_is_not_in_a_layer(built: tuple[Machine, LayerFolders]) -> None:
    _, folders = built
    names = {path.name for path in (folders.dependencies / "python").iterdir()}
    assert not names & {"anyio", "boto3", "pip", "setuptools"}


@pytest.mark.parametrize(
    ("target", "name", "elf"),
    [
        # 64 bits, little-endian, and the machine's number.
        (Machine.ARM64, "aarch64", (2, 1, 183)),
        (Machine.X86_64, "x86_64", (2, 1, 62)),
    ],
)
def test_the_compiled_parts_for_aws_are_for_lambdas_machine(
    target: Machine, name: str, elf: tuple[int, int, int]
) -> None:
    folders = build_layers(target)
    extensions = [
        extension
        for folder in (folders.dependencies, folders.identity)
        for extension in folder.rglob("*.so")
    ]
    assert extensions
    tag = f"cpython-{LAMBDA_PYTHON.replace('.', '')}-{name}-linux-gnu"
    for extension in extensions:
        assert extension.name.split(".", 1)[1] in {f"{tag}.so", "abi3.so"}
        assert _machine(extension) == elf


@pytest.mark.parametrize(
    ("machine", "target"),
    [
        ("x86_64", Machine.X86_64),
        ("AMD64", Machine.X86_64),
        ("aarch64", Machine.ARM64),
        ("arm64", Machine.ARM64),
    ],
)
def test_this_machine_is_one_of_lambdas(
    monkeypatch: pytest.MonkeyPatch, machine: str, target: Machine
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert Machine.of_this_machine() is target


def test_a_machine_that_lambda_does_not_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(LayersError, match="this machine is riscv64"):
        Machine.of_this_machine()


def _machine(extension: Path) -> tuple[int, int, int]:
    header = extension.read_bytes()[:20]
    assert header[:4] == b"\x7fELF"
    (machine,) = struct.unpack("<H", header[18:20])
    return header[4], header[5], machine


def test_a_layer_carries_bytecode_that_is_used_unchecked(
    built: tuple[Machine, LayerFolders],
) -> None:
    target, folders = built
    compiler = compiler_for(target)
    if compiler is None:
        pytest.skip("nothing here can compile for this machine")
    for layer in (folders.till, folders.dependencies):
        compiled = list(layer.rglob("*.pyc"))
        assert compiled
        for path in compiled:
            # Flags: compiled from a source by its hash (1), not to be checked (no 2).
            assert struct.unpack("<I", path.read_bytes()[4:8]) == (1,), path
    assert _uncompiled(folders.till, compiler) == []
    assert list(folders.dependencies.rglob("*.py")) == []


def _uncompiled(layer: Path, compiler: Interpreter) -> list[Path]:
    return [
        source
        for source in layer.rglob("*.py")
        if not (source.parent / "__pycache__" / f"{source.stem}.{compiler.cache_tag}.pyc").is_file()
    ]


def test_a_layer_is_small_and_has_nothing_that_nobody_runs(
    built: tuple[Machine, LayerFolders],
) -> None:
    _, folders = built
    files = [path for path in folders.dependencies.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < SMALL_LIMIT_MB * 1e6
    names = {part for path in files for part in path.parts[len(folders.dependencies.parts) :]}
    assert not names & {"tests", "bin", "RECORD", "INSTALLER", "direct_url.json"}
    assert {"METADATA", "licenses"} <= names


def _fingerprint(folders: LayerFolders) -> dict[str, str]:
    return {
        f"{layer.name}/{path.relative_to(layer)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for layer in (folders.till, folders.dependencies, folders.identity)
        for path in sorted(layer.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True, slots=True)
class Small:
    """Sources that need no package index: a module of ours, and a wheel made on the spot."""

    sources: Sources
    wheel: Path

    def lock(self, digest: str | None) -> None:
        pin = "" if digest is None else f" --hash=sha256:{digest}"
        for lock in (self.sources.dependencies, self.sources.identity):
            lock.write_text(f"demo @ {self.wheel.as_uri()}{pin}\n")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setattr("infra.layers._UNUSED", ("demo/unused",))
    code = tmp_path / "source" / "python" / "till"
    code.mkdir(parents=True)
    (code / "__init__.py").write_text("VALUE = {'a', 'b', 'c'} >= {'a'}\n")
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "stale.pyc").write_bytes(b"stale")
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for name in ("__init__", "tests/test_demo", "unused/__init__"):
            archive.writestr(f"demo/{name}.py", "VALUE = 1\n")
        info = "demo-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    sources = Sources(
        dependencies=tmp_path / "requirements.txt",
        identity=tmp_path / "identity.txt",
        till=tmp_path / "source",
        output=tmp_path / "out",
    )
    made = Small(sources, wheel)
    made.lock(hashlib.sha256(wheel.read_bytes()).hexdigest())
    return made


def test_a_layer_holds_what_is_needed_and_no_more(small: Small) -> None:
    names = set(_fingerprint(build_layers(Machine.LOCAL, small.sources)))
    tag = sys.implementation.cache_tag
    assert names == {
        "till/python/till/__init__.py",
        f"till/python/till/__pycache__/__init__.{tag}.pyc",
        "dependencies/python/demo/__init__.pyc",
        "dependencies/python/demo-1.0.dist-info/METADATA",
        "identity/python/demo/__init__.pyc",
        "identity/python/demo/unused/__init__.pyc",
        "identity/python/demo-1.0.dist-info/METADATA",
    }


def test_the_same_sources_give_the_same_layers(small: Small) -> None:
    sources = replace(small.sources, till=Sources().till)
    first = _fingerprint(build_layers(Machine.LOCAL, sources))
    assert len(first) > 50
    shutil.rmtree(sources.output)
    assert _fingerprint(build_layers(Machine.LOCAL, sources)) == first


def test_nothing_is_built_while_nothing_has_changed(small: Small) -> None:
    folders = build_layers(Machine.LOCAL, small.sources)
    before = folders.till.stat().st_ino
    assert build_layers(Machine.LOCAL, small.sources) == folders
    assert folders.till.stat().st_ino == before


def test_a_change_is_built(small: Small) -> None:
    folders = build_layers(Machine.LOCAL, small.sources)
    (small.sources.till / "python" / "till" / "new.py").write_text("NEW = True\n")
    build_layers(Machine.LOCAL, small.sources)
    assert (folders.till / "python" / "till" / "new.py").is_file()


def test_a_build_that_failed_leaves_what_was_there(small: Small) -> None:
    folders = build_layers(Machine.LOCAL, small.sources)
    (small.sources.till / "python" / "till" / "broken.py").write_text("def (:\n")
    with pytest.raises(LayersError, match="could not be compiled"):
        build_layers(Machine.LOCAL, small.sources)
    names = {path.name for path in (folders.till / "python" / "till").iterdir()}
    assert names == {"__init__.py", "__pycache__"}
    assert {path.name for path in folders.till.parent.iterdir()} == {
        *("till", "till.stamp", "dependencies", "dependencies.stamp"),
        *("identity", "identity.stamp", "lock"),
    }


@pytest.mark.parametrize(
    ("digest", "said"), [(None, "--hash=sha256:"), ("0" * 64, "Expected sha256 000")]
)
def test_a_package_is_only_taken_by_its_hash(small: Small, digest: str | None, said: str) -> None:
    small.lock(digest)
    with pytest.raises(LayersError, match=f"dependencies could not be installed: .*{said}"):
        build_layers(Machine.LOCAL, small.sources)
    assert not (small.sources.output / "local" / "dependencies").exists()


def test_a_missing_lock_is_one_sentence(small: Small) -> None:
    small.sources.identity.unlink()
    with pytest.raises(LayersError, match="are not locked: there is no"):
        build_layers(Machine.LOCAL, small.sources)


def test_what_is_left_out_must_have_been_there(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.layers._UNUSED", ("gone/module",))
    with pytest.raises(LayersError, match="leaves gone/module out"):
        build_layers(Machine.LOCAL, small.sources)


def test_a_package_that_cannot_be_lazy_ends_the_build(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.lazy_imports.LAZY", ("demo",))
    with pytest.raises(LayersError, match="names it, but demo does more than import"):
        build_layers(Machine.LOCAL, small.sources)
