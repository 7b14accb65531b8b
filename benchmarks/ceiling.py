"""The emulator's own ceiling: the AWS calls of a purchase, sent again without any function.

The calls of one purchase are recorded as they are sent. Each replay puts other ids and versions in
their place, so that every condition holds and the tables grow as they would. They go to tables
without a stream, one call after the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from benchmarks.clients import Answers, Connection, run
from benchmarks.processes import snapshot, used
from benchmarks.tables import client_of, empty_copy
from benchmarks.use_cases import UseCases
from till.adapters.dynamodb.client import CALL_SECONDS, make_client
from till.adapters.dynamodb.stored.keys import version_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from botocore.awsrequest import AWSPreparedRequest

    from local.endpoints import Endpoints

_VERSION: Final = re.compile(r"VERSION#(\d{16})")
_TOKEN: Final = re.compile(r'(?<="ClientRequestToken": ")[^"]*')


@dataclass(frozen=True, slots=True)
class Call:
    """One call of DynamoDB as it was sent."""

    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Recording:
    """The calls of one purchase, and what is other in each purchase."""

    calls: tuple[Call, ...]
    customer_id: str
    purchase_id: str
    shipment_id: str


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What so many clients can make the emulator do."""

    clients: int
    answers: Answers
    cpu_ms: float
    """Of the emulator, for the calls of one purchase."""


def measure(endpoints: Endpoints, clients: Sequence[int], seconds: float) -> list[Ceiling]:
    """Each number of clients for a while."""
    recording = _record(endpoints)
    found = []
    for number in clients:
        buyers = [_buyer(endpoints, recording) for _ in range(number)]
        before = snapshot(endpoints.emulator_pid)
        answers = run(buyers, seconds=seconds)
        cpu = used(endpoints.emulator_pid, before)
        found.append(Ceiling(number, answers, cpu.emulator * 1000 / max(len(answers.waits), 1)))
    return found


def _record(endpoints: Endpoints) -> Recording:
    """Buy once, on tables of our own."""
    aws = client_of(endpoints.aws_endpoint_url)
    bench = UseCases(
        replace(
            endpoints,
            ledger_table=empty_copy(aws, endpoints.ledger_table, "bench-ledger"),
            purchases_table=empty_copy(aws, endpoints.purchases_table, "bench-purchases"),
        )
    )
    bench.grant()
    calls: list[Call] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        headers = {name: _text(value) for name, value in request.headers.items()}
        # The length is that of the new body.
        calls.append(
            Call({k: v for k, v in headers.items() if k != "Content-Length"}, _text(request.body))
        )

    events = make_client(CALL_SECONDS[0]).meta.events
    events.register("before-send.dynamodb", keep)
    purchase_id = bench.purchase(str(uuid4()))
    events.unregister("before-send.dynamodb", keep)
    purchase, _ = bench.purchases.one(purchase_id)
    return Recording(
        calls=tuple(calls),
        customer_id=str(bench.customer_id),
        purchase_id=str(purchase_id),
        shipment_id=purchase.shipment_id,
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _buyer(endpoints: Endpoints, recording: Recording) -> Callable[[], bool]:
    """A client that sends the calls of one purchase of a customer of its own."""
    connection = Connection(endpoints.aws_endpoint_url)
    customer_id, bought = str(uuid4()), 0

    def buy() -> bool:
        nonlocal bought
        purchase_id, shift = str(uuid4()), 2 * bought
        changes = {
            recording.customer_id: customer_id,
            recording.purchase_id: purchase_id,
            f'"{recording.purchase_id[:8]}"': f'"{purchase_id[:8]}"',
            recording.shipment_id: f"shp-{uuid4()}",
        }
        succeeded = True
        for call in recording.calls:
            body = _VERSION.sub(lambda found: version_key(int(found[1]) + shift), call.body)
            body = _TOKEN.sub(str(uuid4()), body)
            for old, new in changes.items():
                body = body.replace(old, new)
            status, _ = connection.post("/", body, call.headers)
            succeeded = succeeded and status == 200
        bought += 1
        return succeeded

    return buy
