"""What the Lambda functions of a running system have logged: ``make logs``, ``make logs FIND=...``.

The emulator keeps it where AWS does, in CloudWatch Logs, and it ends with the emulator.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from local.emulator import emulator_session
from local.endpoints import Endpoints
from local.errors import StartError, tell
from local.paths import SHARED, State

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


def read_function_logs(endpoints: Endpoints, find: str = "") -> Iterator[str]:
    """Every line that contains a text, oldest first, each after the name of its function."""
    client: CloudWatchLogsClient = emulator_session().client(
        "logs", endpoint_url=endpoints.aws_endpoint_url
    )
    prefix = f"/aws/lambda/{endpoints.function_prefix}"
    lines: list[tuple[int, str, str]] = []
    for groups in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                lines += [
                    (event["timestamp"], name.removeprefix(prefix), event["message"].rstrip())
                    for event in events["events"]
                    if find in event["message"]
                ]
    # The sort keeps a function's own lines of one millisecond in their order.
    lines.sort(key=lambda line: line[0])
    return (f"{function}: {message}" for _, function, message in lines)


def main() -> int:
    """Print them."""
    parser = argparse.ArgumentParser(prog="python -m local.function_logs", description=__doc__)
    parser.add_argument("find", nargs="?", default="", help="such as a correlation id")
    find = parser.parse_args().find
    path = State(SHARED).endpoints
    if not path.exists():
        tell(StartError("Nothing runs in this checkout: start it with make run."))
        return 1
    for line in read_function_logs(Endpoints.read(path), find):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
