"""Who may do what, proved by use: every AWS call of these tests against the deployed roles.

The emulator refuses nothing by IAM, so each call is recorded (``local/recorder``) and held against
the role of its function. It runs last, and what no test used is only known when all of them ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.paths import State
from tests.integration.rights import Right, Rights, Roles, used

if TYPE_CHECKING:
    import boto3

    from tests.under_test import Emulated, UnderTest

USED_BY_AWS = {
    # Lambda itself writes a function's log, follows a stream for it, and hands on its failures,
    # all in the name of the function's role: no call of ours, so none is recorded.
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    "dynamodb:ListStreams",
}
NOWHERE = {("get_credit", "till-nowhere-ledger")}
"""test_settings.py gives a function a table that does not exist."""
FAILURES = {
    (operation, "sqs:SendMessage")
    for operation in ("recover_attempts", "publish_events", "watch_ledger")
}
"""Lambda sends a failed run to the queue; publish_events also sends there itself."""


@pytest.fixture(scope="module")
def roles(aws: boto3.Session, emulated: Emulated) -> Rights:
    return Roles(aws, emulated.url, emulated.function_prefix).rights()


@pytest.fixture(scope="module")
def done(under_test: UnderTest, emulated: Emulated) -> Rights:
    if under_test.embedded is None:
        pytest.skip("the AWS calls of this system's functions are not recorded")
    path = State(Path(under_test.embedded.identity_keys).parent).aws_calls
    if not path.exists():
        pytest.skip("the AWS calls of this system's functions are not recorded")
    return used(path, emulated.function_prefix)


def _told(rights: dict[str, set[Right]]) -> list[str]:
    return [
        f"{operation}: {action} on {name}"
        for operation, found in sorted(rights.items())
        for action, name in sorted(found)
    ]


def test_no_function_did_what_its_role_does_not_allow(done: Rights, roles: Rights) -> None:
    assert done, "nothing was recorded"
    assert done.keys() <= roles.keys()
    not_allowed = {
        operation: {
            (action, name)
            for action, name in did - roles[operation]
            if (operation, name) not in NOWHERE
        }
        for operation, did in done.items()
    }
    assert _told(not_allowed) == []


def test_every_right_is_used(
    done: Rights, roles: Rights, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> None:
    """A right that no test uses is too many, or a test is missing."""
    here = Path(__file__).parent
    ran = {item.path for item in request.session.items}
    if not ran >= set(here.glob("test_*.py")) or pytestconfig.getoption("keyword"):
        pytest.skip("not all integration tests ran")
    unused = {
        operation: {
            right
            for right in may - done.get(operation, frozenset())
            if right[0] not in USED_BY_AWS and (operation, right[0]) not in FAILURES
        }
        for operation, may in roles.items()
    }
    assert _told(unused) == []
