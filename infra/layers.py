"""Builds the contents of the Lambda layers; ``python -m infra.layers [--machine MACHINE]``.

``dependencies`` is what pip installs from the hash-locked list, ``till`` is our own shared code,
and ``identity`` is what verifying access tokens needs, which only the authorizer carries.
All carry bytecode that is not checked against its source: the dates in an asset's zip are all the
same, so ordinary bytecode would be ignored there, and every cold start would compile everything.

The emulator runs the functions with the interpreter that runs it, so the layers for ``local`` are
for the interpreter at hand; the others are for Lambda's Python 3.13 on that architecture.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from infra import ROOT, botocore_data, certificates, lazy_imports

LAMBDA_PYTHON: Final = "3.13"
_INSTALLED_AT: Final = "/opt/python"
"""Where Lambda puts a layer: the paths that a traceback shows."""

_UNUSED: Final = (
    # 1.7 MB of a web page that we do not serve.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui-bundle.min.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui.min.css",
    # A third of the library's files. A file that comes into use is taken off this list.
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "hishel/asgi",
    "hishel/fastapi",
    "hishel/httpx2",
    "hishel/requests",
    # httpx needs it for asynchronous clients only, and httpcore does without where it is missing.
    "anyio",
    "anyio-*.dist-info",
    # hishel packs what it keeps in files or Redis, and we keep it in memory. What is left of the
    # package, in Python, is enough to import it.
    "msgpack/_cmsgpack.*",
)
"""Left out of the layer, since every cold start unpacks it. What is gone must have been there."""

_KEPT_METADATA: Final = ("METADATA", "entry_points.txt", "licenses")
"""What is kept of a package's dist-info: what importlib.metadata is asked for, and the licences."""

_RECIPE: Final = (
    __file__,
    botocore_data.__file__,
    certificates.__file__,
    lazy_imports.__file__,
)
"""What else the contents of a layer depend on."""

_IGNORED: Final = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class LayersError(Exception):
    """A layer could not be built. The message is for the person who tried."""


class Machine(StrEnum):
    """Where the layers will run."""

    LOCAL = "local"
    """Here, by the interpreter at hand."""
    ARM64 = "arm64"
    """Lambda's name for it, as for the next."""
    X86_64 = "x86_64"

    @classmethod
    def of_this_machine(cls) -> Machine:
        """What containers on this machine are, such as those in which LocalStack runs functions.

        Raises:
            LayersError: Lambda knows no such machine.
        """
        machine = platform.machine().lower()
        found = {"aarch64": cls.ARM64, "amd64": cls.X86_64}.get(machine, machine)
        if found not in (cls.ARM64, cls.X86_64):
            raise LayersError(f"Functions run on arm64 or x86_64, and this machine is {machine}.")
        return cls(found)


_PLATFORMS: Final = {
    Machine.ARM64: "manylinux2014_aarch64",
    Machine.X86_64: "manylinux2014_x86_64",
}
"""What pip calls Lambda's machines."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can compile, or run, a layer."""

    executable: str
    version: str
    cache_tag: str
    platform: str


@dataclass(frozen=True, slots=True)
class LayerFolders:
    """Where the contents of the layers are, each with a ``python`` folder in it."""

    till: Path
    dependencies: Path
    identity: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the layers are built from, and where to."""

    dependencies: Path = ROOT / "layers" / "dependencies" / "requirements.txt"
    identity: Path = ROOT / "layers" / "identity" / "requirements.txt"
    till: Path = ROOT / "layers" / "till"
    output: Path = ROOT / ".build" / "layers"


def build_layers(machine: Machine, sources: Sources | None = None) -> LayerFolders:
    """Build the layers for a machine, or find them already built from the same sources.

    Raises:
        LayersError: one of them could not be built.
    """
    sources = sources or Sources()
    compiler = compiler_for(machine)
    if compiler is None:
        sys.stderr.write(
            f"There is no Python {LAMBDA_PYTHON} on this machine: the layers carry no bytecode, "
            "and cold starts on AWS will take longer.\n"
        )
    output = sources.output / machine
    output.mkdir(parents=True, exist_ok=True)
    with _only_builder(output):
        return LayerFolders(
            till=_build_till(sources, output, compiler),
            dependencies=_build_installed(
                machine, sources.dependencies, output / "dependencies", compiler, unused=_UNUSED
            ),
            identity=_build_installed(
                machine, sources.identity, output / "identity", compiler, unused=()
            ),
        )


def compiler_for(machine: Machine) -> Interpreter | None:
    """The interpreter whose bytecode the machine can run, if it is at hand."""
    if machine is Machine.LOCAL:
        return _this_interpreter()
    return find_interpreter(LAMBDA_PYTHON)


def find_interpreter(version: str) -> Interpreter | None:
    """Look for a Python of this version: the running one, on the path, or in pyenv's place."""
    here = _this_interpreter()
    if here.version.startswith(f"{version}."):
        return here
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        *(Path(folder) / name for folder in os.environ.get("PATH", "").split(os.pathsep)),
        *sorted(pyenv.glob(f"{version}.*/bin/{name}")),
    ]
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            found = _ask(str(candidate))
            if found is not None and found.version.startswith(f"{version}."):
                return found
    return None


def _this_interpreter() -> Interpreter:
    tag = sys.implementation.cache_tag
    if tag is None:
        raise LayersError(f"{sys.executable} writes no bytecode, and the layers need it.")
    return Interpreter(sys.executable, platform.python_version(), tag, platform.platform())


def _ask(executable: str) -> Interpreter | None:
    """The version; None without an answer, as with a pyenv shim of a version not switched on."""
    question = (
        "import json, platform, sys; print(json.dumps([sys.executable, platform.python_version(),"
        " sys.implementation.cache_tag, platform.platform()]))"
    )
    answer = subprocess.run(  # noqa: S603 - a Python of this machine, and no shell
        [executable, "-I", "-c", question], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        return None
    match json.loads(answer.stdout):
        case [str(path), str(version), str(tag), str(system)]:
            return Interpreter(path, version, tag, system)
    return None


@contextmanager
def _only_builder(output: Path) -> Iterator[None]:
    """Let two builds at once (two synths) take turns, and the second find the work done."""
    with (output / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_till(sources: Sources, output: Path, compiler: Interpreter | None) -> Path:
    layer = output / "till"
    files = (path for path in sources.till.rglob("*") if path.is_file())
    code = [
        [str(path.relative_to(sources.till)), digest(path)]
        for path in sorted(files)
        if not is_ignored(path.relative_to(sources.till))
    ]
    if not code:
        raise LayersError(f"There is no code for the layer in {sources.till}.")
    with _fresh(layer, _stamp(compiler, code)) as building:
        if building is not None:
            shutil.copytree(sources.till, building, ignore=_IGNORED, dirs_exist_ok=True)
            if compiler is not None:
                compile_in(building / "python", compiler)
    return layer


def _build_installed(
    machine: Machine,
    lock: Path,
    layer: Path,
    compiler: Interpreter | None,
    *,
    unused: tuple[str, ...],
) -> Path:
    if not lock.is_file():
        raise LayersError(f"The layer's dependencies are not locked: there is no {lock}.")
    with _fresh(layer, _stamp(compiler, [machine, digest(lock)])) as building:
        if building is not None:
            python = building / "python"
            _install(machine, lock, python)
            _trim(python, unused)
            if (python / "botocore").is_dir():
                botocore_data.cut(python / "botocore" / "data")
            if (python / "certifi").is_dir():
                certificates.spread(python / "certifi" / "cacert.pem")
            for package in lazy_imports.LAZY:
                if python.joinpath(*package.split(".")).is_dir():
                    _make_lazy(python, package)
            if compiler is not None:
                compile_in(python, compiler, "-b")
                # Half the files, for every cold start to unpack. With ours the source stays: it is
                # what a person wants to see in a traceback.
                for source in python.rglob("*.py"):
                    source.unlink()
    return layer


def _stamp(compiler: Interpreter | None, sources: list[list[str]] | list[str]) -> str:
    """Everything that the result depends on, this recipe included."""
    made_by = (
        None if compiler is None else [compiler.version, compiler.cache_tag, compiler.platform]
    )
    recipe = [digest(Path(module)) for module in _RECIPE]
    return json.dumps([recipe, made_by, sources])


def digest(path: Path) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_ignored(path: Path) -> bool:
    """Whether a path, from the top of its sources, is of no use where they will run."""
    return any(_IGNORED("", [part]) for part in path.parts)


@contextmanager
def _fresh(layer: Path, stamp: str) -> Iterator[Path | None]:
    """Give a folder to build in, and put it in the layer's place if all went well.

    Gives None when the layer is there, and was made from the same things.
    """
    stamp_file = layer.with_suffix(".stamp")
    if layer.is_dir() and stamp_file.is_file() and stamp_file.read_text() == stamp:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix=f"{layer.name}-", dir=layer.parent) as scratch:
        building = Path(scratch) / "layer"
        building.mkdir()
        yield building
        # Without its stamp a layer counts as not built: a stop between these steps does no harm.
        stamp_file.unlink(missing_ok=True)
        if layer.exists():
            layer.rename(Path(scratch) / "old")
        building.rename(layer)
        stamp_file.write_text(stamp)


def _install(machine: Machine, lock: Path, folder: Path) -> None:
    # For the local layers pip asks the running interpreter what fits.
    platform_flags = (
        []
        if machine is Machine.LOCAL
        else [
            f"--platform={_PLATFORMS[machine]}",
            f"--python-version={LAMBDA_PYTHON}",
            "--implementation=cp",
        ]
    )
    _run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--no-compile", "--require-hashes"),
            "--only-binary=:all:",
            *platform_flags,
            f"--target={folder}",
            f"--requirement={lock}",
        ],
        failure=f"The {machine} layer's dependencies could not be installed",
    )


def _trim(folder: Path, unused: tuple[str, ...]) -> None:
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for tests in [*folder.rglob("tests"), *folder.rglob("*.pyi")]:
        _remove(tests)
    for info in folder.glob("*.dist-info"):
        for part in info.iterdir():
            if part.name not in _KEPT_METADATA:
                _remove(part)
    for pattern in unused:
        found = list(folder.glob(pattern))
        if not found:
            raise LayersError(
                f"infra/layers.py leaves {pattern} out of the layer, but it is not there any more."
            )
        for path in found:
            _remove(path)


def _make_lazy(folder: Path, package: str) -> None:
    try:
        lazy_imports.make_lazy(folder, package)
    except lazy_imports.NotOnlyImportsError as error:
        raise LayersError(f"infra/lazy_imports.py names it, but {error}.") from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def compile_in(folder: Path, compiler: Interpreter, *options: str) -> None:
    """Add bytecode that is used as it is, whatever the dates in the zip say.

    Raises:
        LayersError: something in the folder is not Python.
    """
    _run(
        [
            *(compiler.executable, "-m", "compileall", "-qq", "-j", "1"),
            *("--invalidation-mode", "unchecked-hash"),
            *("-s", str(folder), "-p", _INSTALLED_AT, *options, str(folder)),
        ],
        failure=f"{folder} could not be compiled",
    )


def _run(command: list[str], *, failure: str) -> None:
    # A fixed seed, since the order of the members of a set gets into the bytecode.
    done = subprocess.run(  # noqa: S603 - our own arguments, and no shell
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        raise LayersError(f"{failure}: {' '.join(line.strip() for line in said[-3:])}")


def _size(folder: Path) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def main(arguments: Iterable[str] | None = None) -> None:
    """Build the layers and say how large they are.

    Raises:
        SystemExit: a layer could not be built; the sentence on stderr says why.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.layers", description=__doc__)
    parser.add_argument(
        "--machine",
        type=Machine,
        choices=list(Machine),
        help="by default this machine's architecture",
    )
    machine: Machine | None = parser.parse_args(
        None if arguments is None else list(arguments)
    ).machine
    try:
        built = build_layers(machine or Machine.of_this_machine())
    except LayersError as error:
        sys.exit(str(error))
    for folder in (built.dependencies, built.till, built.identity):
        files, size = _size(folder)
        sys.stdout.write(f"{folder.relative_to(ROOT)}: {files} files, {size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
