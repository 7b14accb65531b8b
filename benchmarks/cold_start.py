"""What a cold start costs: CPU time of each function as packaged.

``python -m benchmarks.cold_start [--rounds N] [OPERATION...]`` measures only this.

Each run is a new process that has the function's layers on its path and the settings that the
emulator gives it. CPU time is read right after ``import handler``, and again after a first call,
and the process ends without cleaning up: that is not part of a cold start. A bare interpreter is
taken off, and the rest is compared with a process that only makes ``boto3.client("dynamodb")``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile

import httpx

from infra import ROOT
from infra.layers import (
    LAMBDA_PYTHON,
    Interpreter,
    LayerFolders,
    Machine,
    build_layers,
    compile_in,
    compiler_for,
    find_interpreter,
)
from local.invoke import emulated, event_for
from local.system import running_system
from local.upstream.demo_data import CUSTOMERS, PRODUCTS
from till.http.routes import AUTHORIZER, PROBE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from local.endpoints import Endpoints
    from local.invoke import Json
    from local.invoke import Target as Stage

FUNCTIONS: Final = ROOT / "functions"
ROUNDS: Final = 7
"""The least of so many counts: another process can only make one slower."""

RUNTIME: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
"""What Lambda's runtime has besides the standard library."""

UNIQUE: Final = "UNIQUE"
"""Stands for what is other in each call, such as an idempotency key."""

_CUSTOMER: Final = str(CUSTOMERS[0].id)
_PRODUCT: Final = str(PRODUCTS[0].id)
_CODE: Final = "BENCH"
_CODES: Final = {"deactivate_promo_code": "BENCH-OFF"}
_DISCOUNT: Final = {"type": "percentage", "percent": 5}
_CALLERS: Final[Mapping[str, Mapping[str, str]]] = {
    "rita": {
        "get_credit": "",
        "get_customer": "",
        "get_product": "",
        "list_customers": "",
        "list_entries": "",
        "get_statement": "",
        "list_customer_purchases": "",
        "get_customer_purchase": "",
        "list_purchases": "",
        "get_purchase": "",
        "create_refund_quote": '{"amount": 1}',
        "refund_purchase": '{"amount": 1, "reason": "Benchmark"}',
        "list_refunds": "",
        "list_attempts": "",
        "get_attempt": "",
        "list_promo_codes": "",
        "get_promo_code": "",
        "search_everything": "",
        "authorize_request": "",
    },
    "shop": {
        "create_purchase": json.dumps({"product_id": _PRODUCT, "quantity": 1}),
        "create_quote": json.dumps({"product_id": _PRODUCT, "quantity": 1}),
    },
    "amir": {
        "grant_credit": '{"amount": 100000, "reason": "Benchmark"}',
        "deduct_credit": '{"amount": 1, "reason": "Benchmark"}',
        "create_promo_code": json.dumps({"code": f"B-{UNIQUE}", "discount": _DISCOUNT}),
        "update_promo_code": '{"max_redemptions": 100}',
        "deactivate_promo_code": "",
    },
    "": {
        "get_health": "",
        "get_openapi": "",
        "get_signing_keys": "",
        "recover_attempts": "",
        "publish_events": "",
        "watch_ledger": "",
    },
}
"""Who calls which operation, with which body. What can be done once only is not called at all."""

_QUERIES: Final = {"search_everything": "query=okafor"}
_WARM_UP_CALLS: Final = 3
_WARM_CALLS: Final = 10

_START: Final = "import json, os, sys, time; sys.path[:0] = json.loads(sys.argv[1])\n"
_END: Final = "\nsys.stderr.write(json.dumps(times)); sys.stderr.flush(); os._exit(0)"
_BARE: Final = _START + "times = [time.process_time()]" + _END
_YARDSTICK: Final = (
    _START + "import boto3; boto3.client('dynamodb'); times = [time.process_time()]" + _END
)
_FUNCTION: Final = (
    _START
    + f"""import handler
times = [time.process_time()]
class Context:
    aws_request_id = function_name = invoked_function_arn = "bench"
    function_version, memory_limit_in_mb = "$LATEST", 512
    def get_remaining_time_in_millis(self):
        return 29_000
def call():
    event = json.loads(sys.argv[2].replace("{UNIQUE}", os.urandom(8).hex().upper()))
    answer = handler.lambda_handler(event, Context())
    assert (answer or {{}}).get("statusCode", 200) < 300, answer
if len(sys.argv) > 2:
    call()
    times.append(time.process_time())
    for _ in range({_WARM_UP_CALLS}):
        call()
    began = time.process_time()
    for _ in range({_WARM_CALLS}):
        call()
    times.append((time.process_time() - began) / {_WARM_CALLS})
"""
    + _END
)


@dataclass(frozen=True, slots=True)
class Start:
    """The CPU time of one function, in milliseconds above that of a bare interpreter."""

    operation: str
    python: str
    init: float
    with_first_call: float | None
    """Of init and first call together; None where nothing is called."""
    warm_call: float | None
    """Of one of the calls that follow."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    starts: tuple[Start, ...]
    yardsticks: Mapping[str, float]
    """Milliseconds of CPU of the yardstick, by the Python."""
    sizes: Mapping[str, tuple[int, int]]
    """Bytes of each package, zipped and not."""


def measure(
    endpoints: Endpoints, operations: Iterable[str] | None = None, rounds: int = ROUNDS
) -> Result:
    """All operations, or some, on each Python for which layers can be built and run here."""
    stage = emulated("local", endpoints.aws_endpoint_url)
    names = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))
    # This stage has no probe.
    wanted = set(names if operations is None else operations) - {PROBE}
    chosen = [name for name in names if name in wanted]
    events = _events(stage, endpoints, wanted)
    starts: list[Start] = []
    yardsticks = {}
    sizes = {"the largest function alone": max(_sizes(FUNCTIONS / name) for name in names)}
    for machine in _machines():
        interpreter, layers = compiler_for(machine), build_layers(machine)
        assert interpreter is not None  # noqa: S101 - only such machines are taken
        with tempfile.TemporaryDirectory(prefix="till-bench-") as scratch:
            starter = _Starter(interpreter, layers, Path(scratch), stage, endpoints)
            found = _measure(starter, chosen, events, rounds)
        python = ".".join(interpreter.version.split(".")[:2])
        bare = found["bare"][0]
        yardsticks[python] = (found["yardstick"][0] - bare) * 1000
        for name in chosen:
            init, *later = found[name]
            first, warm = later or (None, None)
            starts.append(
                Start(
                    name,
                    python,
                    (init - bare) * 1000,
                    None if first is None else (first - bare) * 1000,
                    None if warm is None else warm * 1000,
                )
            )
        for layer in (layers.dependencies, layers.till, layers.identity):
            sizes[f"{layer.name}, Python {python}"] = _sizes(layer)
    return Result(tuple(starts), yardsticks, sizes)


def _events(
    stage: Stage, endpoints: Endpoints, operations: Collection[str]
) -> dict[str, dict[str, Json]]:
    """What each operation is called with: about a customer who has credit, and has bought."""
    purchase_id = _buy(endpoints)
    found = {}
    for person, bodies in _CALLERS.items():
        for name, body in bodies.items():
            if name in operations:
                given = {
                    "OPERATION": name,
                    "AS": person,
                    "CUSTOMER": _CUSTOMER,
                    "PRODUCT": _PRODUCT,
                    "PURCHASE": purchase_id,
                    "ATTEMPT": purchase_id,
                    "CODE": _CODES.get(name, _CODE),
                    "KEY": UNIQUE,
                    "IF_MATCH": "*",
                    "QUERY": _QUERIES.get(name, ""),
                }
                event = event_for(stage, given)
                if body:
                    # As it is, so that what is unique can be put into it.
                    event |= {"body": body, "isBase64Encoded": False}
                found[name] = event
    return found


def _buy(endpoints: Endpoints) -> str:
    """Give the customer credit, a purchase and two promo codes; gives back the purchase's id."""
    headers = {"Authorization": f"Bearer {endpoints.tokens['admin']}", "Idempotency-Key": _CODE}
    with httpx.Client(base_url=endpoints.api_url, headers=headers, timeout=60) as http:
        answers = [
            http.post(path, json=body)
            for path, body in (
                (
                    f"/customers/{_CUSTOMER}/credit/grants",
                    {"amount": 100_000_000_00, "reason": "Benchmark"},
                ),
                *(
                    ("/promo-codes", {"code": code, "discount": _DISCOUNT})
                    for code in (_CODE, *_CODES.values())
                ),
                (
                    f"/customers/{_CUSTOMER}/purchases",
                    {"product_id": _PRODUCT, "quantity": 1},
                ),
            )
        ]
    for answer in answers:
        answer.raise_for_status()
    purchase_id = answers[-1].json()["id"]
    return str(purchase_id)


def _machines() -> list[Machine]:
    """This interpreter's layers, and Lambda's if it is another one and this machine has it."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == LAMBDA_PYTHON:
        return [Machine.LOCAL]
    lambdas = [Machine.of_this_machine()] if find_interpreter(LAMBDA_PYTHON) else []
    return [Machine.LOCAL, *lambdas]


class _Starter:
    """Runs functions as Lambda would, with one Python."""

    def __init__(
        self,
        interpreter: Interpreter,
        layers: LayerFolders,
        scratch: Path,
        stage: Stage,
        endpoints: Endpoints,
    ) -> None:
        self._interpreter = interpreter
        self._layers = layers
        self._runtime = scratch / "runtime"
        self._functions = scratch / "functions"
        self._stage = stage
        self._endpoints = endpoints
        self._settings: dict[str, dict[str, str]] = {}
        # Without the bytecode that is left from the tests: what is deployed has none either.
        shutil.copytree(FUNCTIONS, self._functions, ignore=shutil.ignore_patterns("__pycache__"))
        self._copy_runtime()

    def _copy_runtime(self) -> None:
        import boto3  # noqa: PLC0415 - where it is installed

        installed = Path(boto3.__file__).parents[1]
        self._runtime.mkdir()
        for name in RUNTIME:
            if (installed / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(installed / name, self._runtime / name, ignore=ignored)
            else:
                shutil.copy(installed / name, self._runtime)
        compile_in(self._runtime, self._interpreter)

    def bare(self) -> list[float]:
        """Nothing but the interpreter."""
        return self._run(_BARE, [], {})

    def yardstick(self) -> list[float]:
        """Only a client of DynamoDB."""
        return self._run(_YARDSTICK, [self._runtime], {})

    def function(self, operation: str, event: Mapping[str, Json] | None) -> list[float]:
        """The import, and a first call if there is an event for it."""
        if operation not in self._settings:
            name = self._stage.name(operation)
            found = self._stage.functions().get_function_configuration(FunctionName=name)
            self._settings[operation] = {**found["Environment"]["Variables"]}
        folders = [self._layers.dependencies, self._layers.till]
        folders += [self._layers.identity] if operation == AUTHORIZER else []
        path = [self._functions / operation, *(folder / "python" for folder in folders)]
        environment = {**self._settings[operation], "AWS_LAMBDA_FUNCTION_NAME": operation}
        return self._run(_FUNCTION, [*path, self._runtime], environment, event)

    def _run(
        self,
        program: str,
        path: Sequence[Path],
        environment: Mapping[str, str],
        event: Mapping[str, Json] | None = None,
    ) -> list[float]:
        command = [self._interpreter.executable, "-S", "-s", "-B", "-c", program]
        command.append(json.dumps([str(folder) for folder in path]))
        if event is not None:
            command.append(json.dumps(event))
        aws = {
            "AWS_ENDPOINT_URL": self._endpoints.aws_endpoint_url,
            "AWS_DEFAULT_REGION": self._endpoints.region,
            "AWS_REGION": self._endpoints.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        ran = subprocess.run(  # noqa: S603 - our own programs, and no shell
            command, env={**environment, **aws}, capture_output=True, text=True, check=False
        )
        if ran.returncode != 0:
            raise RuntimeError(ran.stderr)
        times: list[float] = json.loads(ran.stderr.splitlines()[-1])
        return times


def _measure(
    starter: _Starter,
    operations: Sequence[str],
    events: Mapping[str, Mapping[str, Json]],
    rounds: int,
) -> dict[str, list[float]]:
    """The least time of each, in rounds: what slows the machine down slows all of them down."""
    least: dict[str, list[float]] = {}
    for _ in range(rounds):
        runs = {"bare": starter.bare(), "yardstick": starter.yardstick()}
        runs |= {name: starter.function(name, events.get(name)) for name in operations}
        for name, times in runs.items():
            least[name] = [min(pair) for pair in zip(times, least.get(name, times), strict=True)]
    return least


def _sizes(folder: Path) -> tuple[int, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder))
    return len(packed.getvalue()), sum(path.stat().st_size for path in files)


def show(result: Result) -> None:
    """Print the tables, as docs/performance.md keeps them."""
    pythons = list(result.yardsticks)
    print('\nCold starts, as multiples of a process that only makes `boto3.client("dynamodb")`\n')
    heads = [
        f"{what}, {python}"
        for python in pythons
        for what in ("init", "init and first call", "warm call, ms")
    ]
    print(f"| function | {' | '.join(heads)} |")
    print(f"|---|{'---:|' * len(heads)}")
    for operation in dict.fromkeys(start.operation for start in result.starts):
        cells = []
        for start in result.starts:
            if start.operation == operation:
                yardstick = result.yardsticks[start.python]
                first, warm = start.with_first_call, start.warm_call
                cells += [f"{start.init / yardstick:.2f}"]
                cells += ["" if first is None else f"{first / yardstick:.2f}"]
                cells += ["" if warm is None else f"{warm:.1f}"]
        print(f"| {operation} | {' | '.join(cells)} |")
    milliseconds = ", ".join(f"{ms:.0f} on {python}" for python, ms in result.yardsticks.items())
    print(f"\nThe yardstick in ms of CPU above a bare interpreter: {milliseconds}.\n")
    print("| package | zipped, MB | unpacked, MB |\n|---|---:|---:|")
    for name, (packed, unpacked) in result.sizes.items():
        print(f"| {name} | {packed / 1e6:.2f} | {unpacked / 1e6:.2f} |")


def main() -> int:
    """Start a system, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("operations", nargs="*", help="by default all of them")
    given = parser.parse_args()
    # In a checkout's own environment: what the shell has set is not what functions have.
    os.environ.pop("AWS_PROFILE", None)
    with running_system() as endpoints:
        result = measure(endpoints, given.operations or None, given.rounds)
    show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
