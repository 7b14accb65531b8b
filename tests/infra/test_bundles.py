"""The self-contained functions: what is in them, that they run, and that they are reproducible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import boto3
import pytest

from infra.bundles import Bundle, build_bundles
from infra.layers import LayerFolders, LayersError, Machine, build_layers, compiler_for
from infra.packages import FUNCTIONS
from till.http.routes import ROUTES

PROGRAM = """
import importlib, json, sys
bundle, runtime = json.loads(sys.argv[1])
sys.path[:0] = [bundle]
sys.path += [runtime]
handler = importlib.import_module("handler")
assert callable(handler.lambda_handler)
print(json.dumps(sorted(n for n in ("till", "jwt", "httpx", "pydantic") if n in sys.modules)))
import till
assert till.__file__.startswith(bundle)
"""
# What handlers read when they start, as the stage sets it.
ENVIRONMENT = {"POWERTOOLS_SERVICE_NAME": "till", "POWERTOOLS_METRICS_NAMESPACE": "Till"}


@pytest.fixture(scope="session")
def real() -> dict[str, Bundle]:
    layers = build_layers(Machine.LOCAL)
    return dict(
        build_bundles(
            FUNCTIONS,
            ["get_health", "get_openapi", "create_purchase"],
            layers,
            verifying={"create_purchase"},
            compiler=compiler_for(Machine.LOCAL),
        )
    )


@pytest.mark.parametrize("operation", ["get_health", "get_openapi", "create_purchase"])
def test_a_bundle_needs_nothing_but_the_runtime(
    real: dict[str, Bundle], operation: str, tmp_path: Path
) -> None:
    with ZipFile(real[operation].path) as archive:
        archive.extractall(tmp_path)
    runtime = str(Path(boto3.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, json.dumps([str(tmp_path), runtime])],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **ENVIRONMENT},
    )
    assert run.returncode == 0, run.stderr
    # What verifies tokens is there where it is needed, and nowhere else.
    assert (tmp_path / "jwt").is_dir() is (operation == "create_purchase")
    assert (tmp_path / "openapi.json").is_file() is (operation == "get_openapi")


def test_a_bundle_stays_within_lambdas_limits(real: dict[str, Bundle]) -> None:
    for bundle in real.values():
        with ZipFile(bundle.path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        assert bundle.path.stat().st_size < 50e6
        assert unpacked < 250e6


class Small:
    """Layers of a few files, and two operations."""

    def __init__(self, folder: Path) -> None:
        self.functions = folder / "functions"
        for operation in ("first", "second"):
            (self.functions / operation / "__pycache__").mkdir(parents=True)
            (self.functions / operation / "handler.py").write_text(f"NAME = {operation!r}\n")
            (self.functions / operation / "__pycache__" / "handler.pyc").write_bytes(b"stale")
        self.layers = LayerFolders(
            till=folder / "layers" / "till",
            dependencies=folder / "layers" / "dependencies",
            identity=folder / "layers" / "identity",
        )
        self.add("till", "till/__init__.py")
        self.add("dependencies", "httpx.py")
        self.add("identity", "jwt.py")

    def add(self, layer: str, name: str, text: str = "HERE = True\n") -> None:
        path = getattr(self.layers, layer) / "python" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self) -> dict[str, Bundle]:
        return dict(
            build_bundles(
                self.functions,
                ["first", "second"],
                self.layers,
                verifying={"second"},
                compiler=compiler_for(Machine.LOCAL),
            )
        )


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path)


def test_a_bundle_holds_the_handler_and_what_the_layers_hold(small: Small) -> None:
    bundles = small.build()
    shared = {"till/__init__.py", "httpx.py"}
    handler = {"handler.py", f"__pycache__/handler.{sys.implementation.cache_tag}.pyc"}
    for operation, further in (("first", set[str]()), ("second", {"jwt.py"})):
        with ZipFile(bundles[operation].path) as archive:
            assert set(archive.namelist()) == shared | handler | further
            assert archive.testzip() is None
            assert archive.read("handler.py").decode() == f"NAME = {operation!r}\n"
            # Not checked against the source, whose date in a zip says nothing.
            (compiled,) = handler - {"handler.py"}
            assert archive.read(compiled)[4:8] == b"\x01\0\0\0"


def test_the_same_contents_give_the_same_zip(small: Small) -> None:
    first = {name: bundle.path.read_bytes() for name, bundle in small.build().items()}
    for bundle in small.build().values():
        bundle.path.unlink()
    for path in small.functions.parent.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = {name: bundle.path.read_bytes() for name, bundle in small.build().items()}
    assert again == first


def test_nothing_is_built_while_nothing_has_changed(small: Small) -> None:
    before = small.build()
    inodes = {name: bundle.path.stat().st_ino for name, bundle in before.items()}
    assert small.build() == before
    assert {name: b.path.stat().st_ino for name, b in before.items()} == inodes


def test_a_change_makes_another_bundle_of_those_that_it_is_about(small: Small) -> None:
    before = small.build()
    (small.functions / "first" / "handler.py").write_text("NAME = 'new'\n")
    changed = small.build()
    assert changed["first"].fingerprint != before["first"].fingerprint
    assert changed["second"] == before["second"]
    small.add("till", "till/new.py")
    everything = small.build()
    assert everything["second"].fingerprint != changed["second"].fingerprint


def test_what_is_left_of_a_broken_build_is_built_anew(small: Small) -> None:
    whole = small.build()["first"].path
    content = whole.read_bytes()
    whole.write_bytes(content[:100])
    small.build()
    assert whole.read_bytes() == content


def test_two_files_of_one_name_are_refused(small: Small) -> None:
    small.add("dependencies", "handler.py")
    with pytest.raises(LayersError, match=r"both bring handler\.py"):
        small.build()


def test_what_two_layers_share_is_taken_once(small: Small) -> None:
    small.add("identity", "httpx.py")
    small.build()
    small.add("identity", "httpx.py", "OTHER = True\n")
    with pytest.raises(LayersError, match=r"both bring httpx\.py"):
        small.build()


def test_every_operation_has_code(small: Small) -> None:
    (small.functions / "first" / "handler.py").unlink()
    with pytest.raises(LayersError, match="no code of first"):
        small.build()


def test_every_route_has_a_folder() -> None:
    assert all((FUNCTIONS / route.operation / "handler.py").is_file() for route in ROUTES)
