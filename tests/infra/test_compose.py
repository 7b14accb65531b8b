"""docker-compose.yml and its images, as far as that can be known without Docker."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from infra.lasting import EMULATED_API_ID
from local import localstack
from local.issuer import AUDIENCE
from till.http.routes import BASE_PATH

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "local" / "compose" / "Dockerfile"
DOCUMENT = ROOT / "docs" / "localstack.md"
OURS = {"upstream", "issuer", "deployer", "backoffice"}
LOCALSTACKS = {"localstack", "downloads"}

_PORT = r"(?:\d{1,5})"
_LOOPBACK = rf"^127\.0\.0\.1:{_PORT}:{_PORT}$"
_DURATION = r"^\d+(?:ms|s|m)$"


class Part(BaseModel):
    """What of the Compose Specification is used here, to the letter; nothing else is let in."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Build(Part):
    context: Literal["."]
    dockerfile: str
    target: str
    args: list[str]


class Healthcheck(Part):
    test: Annotated[list[str], Field(min_length=2)]
    interval: Annotated[str, Field(pattern=_DURATION)]
    timeout: Annotated[str, Field(pattern=_DURATION)]
    retries: Annotated[int, Field(gt=0)]
    start_period: Annotated[str, Field(pattern=_DURATION)] = "0s"


class Dependency(Part):
    condition: Literal["service_healthy", "service_completed_successfully"]


class Service(Part):
    image: str | None = None
    build: Build | None = None
    entrypoint: list[str] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    ports: list[Annotated[str, Field(pattern=_LOOPBACK)]] = []
    volumes: list[str] = []
    healthcheck: Healthcheck | None = None
    stop_grace_period: Annotated[str, Field(pattern=_DURATION)] = "10s"
    depends_on: dict[str, Dependency] = {}
    read_only: bool = False
    cap_drop: list[Literal["ALL"]] = []
    security_opt: list[Literal["no-new-privileges:true"]] = []
    init: bool = False


class Network(Part):
    name: str


class Compose(Part):
    name: str
    services: dict[str, Service]
    volumes: dict[str, None]
    networks: dict[str, Network]


_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^${}]*)\}")


def interpolate(value: object, environment: dict[str, str]) -> object:
    """``${NAME:-default}``, the only form used here, the innermost first; in values, as Compose."""
    if isinstance(value, dict):
        return {name: interpolate(each, environment) for name, each in value.items()}
    if isinstance(value, list):
        return [interpolate(each, environment) for each in value]
    if not isinstance(value, str):
        return value
    while True:
        done = _VARIABLE.sub(lambda found: environment.get(found[1]) or found[2], value)
        if done == value:
            assert "$" not in done, done
            return done
        value = done


def compose(**environment: str) -> Compose:
    return Compose.model_validate(interpolate(yaml.safe_load(COMPOSE.read_text()), environment))


@dataclass
class Stage:
    """One target of the Dockerfile."""

    base: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def of(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.lines if name == instruction]


def stages() -> dict[str, Stage]:
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    arguments: dict[str, str] = {}
    found: dict[str, Stage] = {}
    current: Stage | None = None
    for line in lines:
        instruction, rest = line.split(None, 1)
        if instruction == "FROM":
            base, keyword, name = rest.split()
            assert keyword == "AS"
            for argument, value in arguments.items():
                base = base.replace("${" + argument + "}", value)
            current = found[name] = Stage(base)
        elif current is None:
            assert instruction == "ARG"
            argument, _, value = rest.partition("=")
            arguments[argument] = value
        else:
            current.lines.append((instruction, rest))
    return found


def test_the_file_is_what_compose_expects() -> None:
    found = compose()
    assert found.services.keys() == LOCALSTACKS | OURS
    for name, service in found.services.items():
        assert (service.image is None) is (service.build is not None), name


def test_the_images_are_pinned_and_can_be_other_ones() -> None:
    services = compose().services
    assert re.fullmatch(
        r"localstack/localstack:4\.14\.0@sha256:[0-9a-f]{64}", services["localstack"].image or ""
    )
    functions_image = re.compile(
        r'\{"python3\.13": "public\.ecr\.aws/lambda/python:3\.13(\.\d+){4}"\}'
    )
    assert functions_image.fullmatch(
        services["localstack"].environment["LAMBDA_RUNTIME_IMAGE_MAPPING"]
    )
    newer = compose(LOCALSTACK_VERSION="2026.3.0", LOCALSTACK_AUTH_TOKEN="t").services["localstack"]
    assert newer.image == "localstack/localstack:2026.3.0"
    assert newer.environment["LOCALSTACK_AUTH_TOKEN"] == "t"
    other = compose(LOCALSTACK_IMAGE="some/other:1", LAMBDA_IMAGE="my/python:3").services
    for name in LOCALSTACKS:
        assert other[name].image == "some/other:1"
        told = other[name].environment["LAMBDA_RUNTIME_IMAGE_MAPPING"]
        assert told == '{"python3.13": "my/python:3"}'


def test_every_variable_is_documented() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text())) - {"LOCALSTACK_DEBUG"}
    used |= {name for one in compose().services.values() if one.build for name in one.build.args}
    text = DOCUMENT.read_text()
    assert all(f"`{name}" in text for name in used), used


def test_everything_waits_for_what_it_needs() -> None:
    services = compose().services
    for name, service in services.items():
        for needed, dependency in service.depends_on.items():
            if dependency.condition == "service_healthy":
                assert services[needed].healthcheck is not None, f"{name} waits for ever"
            else:
                assert services[needed].healthcheck is None
    assert services["deployer"].depends_on.keys() == {*LOCALSTACKS, "upstream", "issuer"}
    assert services["backoffice"].depends_on.keys() == {"deployer"}


def test_up_waits_for_what_can_be_waited_for() -> None:
    """``docker compose up --wait`` takes a service that ends for one that failed, but for those of
    which another waits to end well. What never ends has to say when it is ready."""
    services = compose().services
    end = {
        needed
        for service in services.values()
        for needed, dependency in service.depends_on.items()
        if dependency.condition == "service_completed_successfully"
    }
    assert end == {"downloads"}
    assert {name for name, service in services.items() if service.healthcheck is None} == end


def test_localstack_has_the_time_to_end_the_functions_containers() -> None:
    found = compose().services["localstack"]
    own = int(found.environment["SHUTDOWN_TIMEOUT"])
    assert own < int(found.stop_grace_period.removesuffix("s"))
    # Telemetry would hold it up where its host cannot be reached.
    assert found.environment["DISABLE_EVENTS"] == "1"


def test_localstack_runs_our_corrections_when_it_starts() -> None:
    (mount,) = (one for one in compose().services["localstack"].volumes if "/init/" in one)
    folder, target, mode = mount.split(":")
    assert (target, mode) == ("/etc/localstack/init/start.d", "ro")
    assert {path.name for path in (ROOT / folder).iterdir() if path.suffix == ".py"} == {
        "function_containers.py",
        "schema_cache.py",
    }


def test_downloads_are_made_by_localstack_s_own_python_where_it_looks_for_them() -> None:
    services = compose().services
    python, program = services["downloads"].entrypoint
    assert python == "/opt/code/localstack/.venv/bin/python"
    assert f"./local/compose/downloads.py:{program}:ro" in services["downloads"].volumes
    shared = {*services["localstack"].volumes} & {*services["downloads"].volumes}
    assert {one.split(":")[0] for one in shared} == {"localstack", "/var/run/docker.sock"}
    assert services["localstack"].image == services["downloads"].image


def test_what_is_mounted_and_joined_is_declared() -> None:
    found = compose()
    mounts = {one.split(":")[0] for service in found.services.values() for one in service.volumes}
    assert {name for name in mounts if not name.startswith(("/", "."))} == set(found.volumes)
    # Nothing of the host but Docker's own socket, and that for LocalStack's image alone.
    assert {name for name in mounts if name.startswith("/")} == {"/var/run/docker.sock"}
    assert not any(found.services[name].volumes for name in OURS)
    network = found.services["localstack"].environment["LAMBDA_DOCKER_NETWORK"]
    assert network == found.networks["default"].name


def test_ours_can_do_no_more_than_they_need() -> None:
    for name, service in compose().services.items():
        if name in OURS:
            assert service.cap_drop == ["ALL"]
            assert service.security_opt == ["no-new-privileges:true"]
            assert stages()[name].of("USER")[-1] in {"till", "node"}


def test_other_ports_are_told_to_everyone() -> None:
    services = compose(
        PORT="14566", UPSTREAM_PORT="19000", ISSUER_PORT="19100", BACKOFFICE_PORT="18080"
    ).services
    assert [one.ports for one in services.values()] == [
        ["127.0.0.1:14566:4566"],
        [],
        ["127.0.0.1:19000:9000"],
        ["127.0.0.1:19100:9100"],
        [],
        ["127.0.0.1:18080:8080"],
    ]
    issuer, deployer = services["issuer"].command, services["deployer"].command
    for command in (issuer, deployer):
        assert "--issuer=http://127.0.0.1:19100" in command
        assert "--backoffice-url=http://127.0.0.1:18080" in command
    assert "--public-aws-url=http://127.0.0.1:14566" in deployer
    assert services["backoffice"].environment["TILL_ISSUER"] == "http://127.0.0.1:19100"
    # Within the network, the addresses stay the same.
    assert {"--aws-url=http://localstack:4566", "--issuer-url=http://issuer:9100"} <= {*deployer}


def test_the_deployer_understands_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compose().services["deployer"]
    (entry,) = stages()["deployer"].of("ENTRYPOINT")
    program, dash_m, module, *further = yaml.safe_load(entry)
    assert [program, dash_m, module] == ["python", "-m", "local.localstack"]
    monkeypatch.setattr(sys, "argv", [module, *further, *found.command])
    options = localstack._options()
    assert options.stay, "it would not deploy again after a restart of LocalStack"
    assert found.healthcheck is not None
    assert f"{options.state.folder}/{localstack.DEPLOYED_FILE}" in found.healthcheck.test
    assert options.runs_on == "", "not the machine that it is on itself, as the functions are"
    assert str(options.state.folder) == "/state"
    assert options.upstream_url == "http://upstream:9000/api"
    assert options.issuer != options.issuer_url


def test_the_back_office_finds_the_api_and_is_healthy_only_with_it() -> None:
    backoffice = compose().services["backoffice"]
    assert backoffice.environment["TILL_API_URL"] == (
        f"http://localstack:4566/_aws/execute-api/{EMULATED_API_ID}/{BASE_PATH}"
    )
    assert backoffice.environment["TILL_AUDIENCE"] == AUDIENCE
    assert backoffice.healthcheck is not None
    assert f"/{BASE_PATH}/health" in backoffice.healthcheck.test[-1]


def test_every_service_has_its_target() -> None:
    for name, service in compose().services.items():
        if service.build is not None:
            assert service.build.target == name
            assert (ROOT / service.build.dockerfile) == DOCKERFILE
            assert name in stages()


def test_base_images_are_pinned() -> None:
    found = stages()
    for stage in found.values():
        assert stage.base in found or re.fullmatch(
            r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+@sha256:[0-9a-f]{64}", stage.base
        )
    assert found["python"].base.startswith("python:3.13."), "not what Lambda runs"
    assert found["node"].base.startswith("node:22."), "not a Node that is maintained"
    arguments = set(re.findall(r"^ARG ([A-Z_]+)=", DOCKERFILE.read_text(), re.MULTILINE))
    for service in compose().services.values():
        assert service.build is None or set(service.build.args) == arguments


def _copied(stage: Stage) -> list[str]:
    """What it takes from the context."""
    return [
        source
        for line in stage.of("COPY")
        if not line.startswith("--from=")
        for source in shlex.split(line)[:-1]
    ]


def test_what_is_copied_is_there_and_in_the_context() -> None:
    for name, stage in stages().items():
        for source in _copied(stage):
            found = list(ROOT.glob(source))
            assert found, f"{name} copies {source}"
            for path in found:
                assert not _is_ignored(str(path.relative_to(ROOT))), f"{source} is ignored"


@dataclass
class Reached:
    """What a program imports, and what that does: our own files, and others' packages."""

    files: set[Path] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)

    def add(self, module: str) -> None:
        found = _file_of(module)
        if found is None:
            top = module.partition(".")[0]
            if top not in sys.stdlib_module_names:
                self.packages.add(top)
        elif found not in self.files:
            self.files.add(found)
            for imported in _imports(ast.parse(found.read_text())):
                self.add(imported)


_DISTRIBUTIONS = packages_distributions()
_OUR_CODE = {"local": ROOT, "infra": ROOT, "till": ROOT / "layers" / "till" / "python"}


def _file_of(module: str) -> Path | None:
    base = _OUR_CODE.get(module.partition(".")[0])
    if base is None:
        return None
    path = base.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    # A name in a module, and not a module.
    return _file_of(module.rpartition(".")[0])


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.module is not None, "relative"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _imports(child)


@pytest.mark.parametrize(
    ("name", "modules", "lock"),
    [
        ("upstream", ["local.upstream.__main__"], "layers/dependencies/requirements.txt"),
        ("deployer", ["local.localstack", "infra.app"], "local/compose/requirements.txt"),
    ],
)
def test_an_image_holds_what_its_program_imports(name: str, modules: list[str], lock: str) -> None:
    reached = Reached()
    for module in modules:
        reached.add(module)
    copied = [path for source in _copied(stages()[name]) for path in ROOT.glob(source)]
    for file in reached.files:
        assert any(file.is_relative_to(path) for path in copied), f"{file} is not in the image"
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE))
    assert "pydantic" in reached.packages
    for package in reached.packages:
        names = {re.sub(r"[-_.]+", "-", name).lower() for name in _DISTRIBUTIONS[package]}
        assert names & locked, f"{package} is not in the image"


def test_what_is_run_while_an_image_is_built_has_what_it_imports() -> None:
    """A module may be copied only after it is needed, to keep what was built before it."""
    ran = 0
    for name, stage in stages().items():
        for number, (instruction, rest) in enumerate(stage.lines):
            module = re.fullmatch(r"python -m ((?:infra|local)\.[\w.]+)", rest)
            if instruction != "RUN" or module is None:
                continue
            ran += 1
            reached = Reached()
            reached.add(module[1])
            before = _copied(Stage(stage.base, stage.lines[:number]))
            there = [path for source in before for path in ROOT.glob(source)]
            for file in reached.files:
                assert any(map(file.is_relative_to, there)), (
                    f"{name} runs {module[1]} without {file}"
                )
    assert ran, "nothing is run"


def test_the_context_holds_no_secrets_and_nothing_that_was_made_here() -> None:
    for path in (
        *(".git/config", ".venv/bin/python", ".local/endpoints.json", "infra/node_modules/aws-cdk"),
        *("local/.env", "tests/conftest.py", "README.md", "backoffice/dist/index.html"),
        "functions/get_credit/__pycache__/handler.pyc",
    ):
        assert _is_ignored(path), path


def _is_ignored(path: str) -> bool:
    """As Docker reads .dockerignore: the last line that fits a path or a folder above it."""
    ignored = False
    parts = Path(path).parts
    prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if any(_fits(prefix, pattern) for prefix in prefixes):
            ignored = not line.startswith("!")
    return ignored


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(path.rsplit("/", 1)[-1], pattern.removeprefix("**/"))
    return path.count("/") == pattern.count("/") and fnmatch(path, pattern)


def test_no_committed_file_names_a_place_of_its_own() -> None:
    for path in (COMPOSE, DOCKERFILE, ROOT / ".dockerignore", DOCUMENT):
        text = path.read_text()
        assert not re.search(r"pypi\.org|registry\.npmjs|docker\.io|/work/|/root/|/home/", text)
