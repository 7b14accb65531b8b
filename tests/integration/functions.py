"""The deployed Lambda functions, from the operator's side: settings, workers, logs."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

    from local.endpoints import Endpoints

RECOVERY = "recover_attempts"


class Functions:
    """Named by their operations."""

    def __init__(
        self, client: LambdaClient, logs: CloudWatchLogsClient, endpoints: Endpoints
    ) -> None:
        self._client = client
        self._logs = logs
        self._endpoints = endpoints

    def name(self, operation: str) -> str:
        return self._endpoints.function_prefix + operation.replace("_", "-")

    @contextmanager
    def configured(self, *operations: str, **environment: str) -> Iterator[None]:
        """Other environment variables for some functions, during the block.

        Every worker of theirs is ended, before and after: nobody may be using them.
        """
        before = {operation: self._environment(operation) for operation in operations}
        self._configure({name: {**was, **environment} for name, was in before.items()})
        try:
            yield
        finally:
            self._configure(before)

    def recover(self) -> None:
        """One run of the recovery, to its end."""
        answer = self._client.invoke(FunctionName=self.name(RECOVERY), Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def kill(self, operation: str) -> int:
        """End every worker of a function as a crash would; gives back how many there were."""
        workers = self._workers(operation)
        for process in workers:
            os.kill(process, signal.SIGKILL)
        return len(workers)

    def log_groups(self) -> list[str]:
        """The log groups of all functions."""
        pages = self._logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"/aws/lambda/{self._endpoints.function_prefix}"
        )
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def log(self, operation: str) -> list[str]:
        """Every line that a function logged."""
        return self.log_of(f"/aws/lambda/{self.name(operation)}")

    def log_of(self, group: str) -> list[str]:
        """Every line of a log group."""
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def _environment(self, operation: str) -> dict[str, str]:
        configuration = self._client.get_function_configuration(FunctionName=self.name(operation))
        return configuration["Environment"]["Variables"]

    def _configure(self, environments: dict[str, dict[str, str]]) -> None:
        for operation, environment in environments.items():
            self._client.update_function_configuration(
                FunctionName=self.name(operation), Environment={"Variables": environment}
            )
        for operation in environments:
            name = self.name(operation)
            until(partial(self._is_updated, name), f"the new settings of {name}")

    def _is_updated(self, name: str) -> bool:
        configuration = self._client.get_function_configuration(FunctionName=name)
        return configuration["LastUpdateStatus"] == "Successful"

    def _workers(self, operation: str) -> list[int]:
        """The workers of a function: the emulator's children that run from its folder."""
        listing = subprocess.run(
            ["ps", "-e", "-ww", "-o", "pid=,pgid=,args="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = []
        for line in listing.splitlines():
            process, group, command = line.split(None, 2)
            ours = int(group) == self._endpoints.emulator_pid
            if ours and f"ministack-lambda-{self.name(operation)}-" in command:
                found.append(int(process))
        return found
