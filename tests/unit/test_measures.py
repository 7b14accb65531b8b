"""What is measured, and that what is measured changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from aws_lambda_powertools import Metrics

from till.adapters.dynamodb.measured_account_store import MeasuredAccountStore
from till.adapters.dynamodb.measured_store import MeasuredStore
from till.adapters.incidents import LoggedIncidents
from till.adapters.upstream.http import MeasuredTransport, make_http_client
from till.domain.purchase import Shipped
from till.http.app import logger
from till.metrics import Metric, flush, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

metrics = Metrics(namespace="Till", service="till")


@pytest.fixture(autouse=True)
def _nothing_measured_before() -> Iterator[None]:
    metrics.clear_metrics()
    yield
    metrics.clear_metrics()


def measured() -> dict[str, list[float]]:
    """What was measured so far, by name."""
    return {name: value["Value"] for name, value in metrics.metric_set.items()}


@pytest.mark.parametrize("name", Metric)
def test_each_metric_has_a_name_of_its_own_and_can_be_written(
    name: Metric, capsys: pytest.CaptureFixture[str]
) -> None:
    measure(name, 3)
    flush()
    line = json.loads(capsys.readouterr().out)
    assert line[name.value] == [3]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Till"
    assert [sorted(names) for names in directive["Dimensions"]] == [["service", "stage"]]
    assert [one["Name"] for one in directive["Metrics"]] == [name.value]


def test_where_nothing_was_measured_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    flush()
    assert capsys.readouterr().out == ""


def test_an_incident_is_logged_and_counted_immediately(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    attempt_id = uuid4()
    LoggedIncidents().answer_not_recorded(attempt_id, Shipped(shipment_id="S1"))
    (line,) = caplog.records
    assert line.levelname == "ERROR"
    told = {name: vars(line)[name] for name in ("attempt_id", "outcome", "shipment_id")}
    assert told == {"attempt_id": str(attempt_id), "outcome": "shipped", "shipment_id": "S1"}
    metric = json.loads(capsys.readouterr().out)
    assert metric["AnswersNotRecorded"] == [1]
    assert {name: metric[name] for name in told} == told


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/customers/1", "CustomerApiMilliseconds"),
        ("/api/products/1", "ProductApiMilliseconds"),
        ("/api/shipments", "ShipmentApiMilliseconds"),
    ],
)
def test_each_upstream_s_time_is_taken_also_when_it_fails(path: str, name: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with (
        httpx.Client(transport=MeasuredTransport(httpx.MockTransport(fail))) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get(f"http://upstream{path}")
    with httpx.Client(
        transport=MeasuredTransport(httpx.MockTransport(lambda _: httpx.Response(200)))
    ) as client:
        client.get(f"http://upstream{path}")
    assert [len(values) for values in measured().values()] == [2]
    assert list(measured()) == [name]


def test_upstreams_are_told_the_name_of_the_request() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    client = make_http_client("http://upstream", httpx.MockTransport(answer))
    logger.set_correlation_id("request-0001")
    client.get("/customers/1")
    assert seen[0].headers["X-Correlation-Id"] == "request-0001"


@pytest.mark.parametrize("store", [MeasuredStore, MeasuredAccountStore])
def test_a_measured_store_differs_only_in_its_commit(store: type) -> None:
    assert {name for name in vars(store) if not name.startswith("__")} == {"commit"}
