"""The deployed Lambda functions, from the operator's side: settings, workers, logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.integration.badges import bearer
from tests.integration.waiting import until
from tests.under_test import needed
from till.http.routes import AUTHORIZER, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

    from local.endpoints import Endpoints

RECOVERY = "recover_attempts"
_EVENTS_AT_MOST = 10_000
WATCHER = "watch_ledger"


@dataclass(frozen=True)
class Settings:
    """What of a function's configuration tests change."""

    environment: dict[str, str]
    timeout_seconds: int
    layers: list[str]


class Functions:
    """Named by their operations."""

    def __init__(
        self,
        client: LambdaClient,
        logs: CloudWatchLogsClient,
        prefix: str,
        embedded: Endpoints | None,
    ) -> None:
        self._client = client
        self._logs = logs
        self._prefix = prefix
        self._embedded = embedded

    def name(self, operation: str) -> str:
        return self._prefix + operation.replace("_", "-")

    def environment(self, operation: str) -> dict[str, str]:
        """What a function is told."""
        return self._settings(operation).environment

    @contextmanager
    def configured(
        self,
        *operations: str,
        timeout_seconds: int | None = None,
        layers_of: str | None = None,
        **environment: str,
    ) -> Iterator[None]:
        """Other environment variables, timeout or layers, for some functions in the block.

        Every worker of theirs is ended, before and after: they must not be in use.
        """
        before = {operation: self._settings(operation) for operation in operations}
        layers = self._settings(layers_of).layers if layers_of else None
        self._configure(
            {
                operation: Settings(
                    {**was.environment, **environment},
                    timeout_seconds or was.timeout_seconds,
                    layers or was.layers,
                )
                for operation, was in before.items()
            }
        )
        try:
            yield
        finally:
            self._configure(before)

    def verifier_of(self, operation: str) -> str:
        """Who verifies the tokens of an operation's callers: the authorizer, or that function."""
        itself = self._settings(operation).environment["TILL_IDENTITY_FROM"] == "function"
        return operation if itself else AUTHORIZER

    def recover(self) -> None:
        """One run of the recovery, to its end."""
        error = self.failure_of_recovery()
        assert error is None, error

    def audit(self) -> None:
        """One run of the audit, to its end."""
        answer = self._client.invoke(FunctionName=self.name(WATCHER), Payload=b"{}")
        assert answer.get("FunctionError") is None, answer["Payload"].read()

    def failure_of_recovery(self) -> str | None:
        """One run of the recovery, to its end; gives back what it failed with, if it did."""
        answer = self._client.invoke(FunctionName=self.name(RECOVERY), Payload=b"{}")
        payload = answer["Payload"].read()
        failed = answer.get("FunctionError") is not None
        return str(json.loads(payload)["errorMessage"]) if failed else None

    def call_without_authorizer(self, operation: str, path: str, token: str) -> int:
        """A GET as a gateway hands it on that asks no authorizer; gives back the status."""
        route = next(route for route in ROUTES if route.operation == operation)
        event = {
            "httpMethod": route.method,
            "path": path,
            "resource": route.path,
            "headers": bearer(token),
            "multiValueHeaders": {name: [value] for name, value in bearer(token).items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"stage": "v1", "path": f"/v1{path}", "requestId": "direct"},
            "body": None,
            "isBase64Encoded": False,
        }
        answer = self._client.invoke(
            FunctionName=self.name(operation), Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
        assert "FunctionError" not in answer, payload
        return int(json.loads(payload)["statusCode"])

    def kill(self, operation: str) -> int:
        """End every worker of a function as a crash would; gives back how many there were."""
        workers = self._workers(operation)
        for process in workers:
            os.kill(process, signal.SIGKILL)
        return len(workers)

    def log_groups(self) -> list[str]:
        """The log groups of all functions."""
        pages = self._logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"/aws/lambda/{self._prefix}"
        )
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def log(self, operation: str) -> list[str]:
        """Every line that a function logged."""
        return self.log_of(f"/aws/lambda/{self.name(operation)}")

    def log_of(self, group: str) -> list[str]:
        """Every line of a log group.

        The emulator gives the first 10,000 and says nothing of more: those are asked for by time.
        """
        lines: list[str] = []
        since = 0
        paginator = self._logs.get_paginator("filter_log_events")
        while True:
            pages = paginator.paginate(logGroupName=group, startTime=since)
            events = [event for page in pages for event in page["events"]]
            newest = events[-1]["timestamp"] if events else since
            if len(events) < _EVENTS_AT_MOST or newest == since:
                return lines + [event["message"] for event in events]
            lines += [event["message"] for event in events if event["timestamp"] < newest]
            since = newest

    def _settings(self, operation: str) -> Settings:
        configuration = self._client.get_function_configuration(FunctionName=self.name(operation))
        return Settings(
            configuration["Environment"]["Variables"],
            configuration["Timeout"],
            [layer["Arn"] for layer in configuration.get("Layers", [])],
        )

    def _configure(self, settings: dict[str, Settings]) -> None:
        for operation, wanted in settings.items():
            self._client.update_function_configuration(
                FunctionName=self.name(operation),
                Environment={"Variables": wanted.environment},
                Timeout=wanted.timeout_seconds,
                Layers=wanted.layers,
            )
        for operation in settings:
            name = self.name(operation)
            until(partial(self._is_updated, name), f"the new settings of {name}")

    def _is_updated(self, name: str) -> bool:
        configuration = self._client.get_function_configuration(FunctionName=name)
        return configuration["LastUpdateStatus"] == "Successful"

    def _workers(self, operation: str) -> list[int]:
        """The workers of a function: the emulator's children that run from its folder."""
        emulator = needed(self._embedded, "emulator whose processes run on this machine")
        listing = subprocess.run(
            ["ps", "-e", "-ww", "-o", "pid=,pgid=,args="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = []
        for line in listing.splitlines():
            process, group, command = line.split(None, 2)
            ours = int(group) == emulator.emulator_pid
            if ours and f"ministack-lambda-{self.name(operation)}-" in command:
                found.append(int(process))
        return found
