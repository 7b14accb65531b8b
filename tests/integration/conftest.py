"""What the integration tests share. The one running system is in ``tests/conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

pytest.register_assert_rewrite(
    "tests.integration.client", "tests.integration.invariants", "tests.integration.waiting"
)

from local.upstream.client import StandInControl  # noqa: E402 - the rewriting goes first
from tests.integration.badges import Badges  # noqa: E402
from tests.integration.client import TillClient  # noqa: E402
from tests.integration.crashes import Crashes  # noqa: E402
from tests.integration.fault_proxy import FaultProxy, running_proxy  # noqa: E402
from tests.integration.functions import RECOVERY, Functions  # noqa: E402
from tests.integration.invariants import Auditor  # noqa: E402
from tests.integration.race import all_at_once, retried  # noqa: E402
from tests.integration.shop import Shop  # noqa: E402
from tests.integration.tables import Tables  # noqa: E402
from tests.under_test import needed  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.endpoints import Endpoints
    from tests.integration.race import Crowd
    from tests.under_test import Emulated, UnderTest

ACCOUNT_NUMBER = "000000000000"
"""The emulator takes a key of twelve digits for the number of the account."""

LAST = [
    "test_promo_codes.py",
    "test_races.py",
    "test_whole_tables.py",
    "test_logs.py",
    "test_rights.py",
]
"""Those that start many workers, which have to end when a test configures a function; and those
that read what all the others left in the tables, made the functions log, and called."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LAST, start=1)}
    items.sort(key=lambda item: places.get(item.path.name, 0))


@pytest.fixture(scope="session")
def emulated(under_test: UnderTest) -> Emulated:
    return needed(under_test.emulated, "access to its tables and functions")


@pytest.fixture(scope="session")
def aws(emulated: Emulated) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=ACCOUNT_NUMBER,
        aws_secret_access_key="emulator",
        region_name=emulated.region,
    )


@pytest.fixture(scope="session")
def badges(under_test: UnderTest) -> Badges:
    return Badges(under_test)


@pytest.fixture(scope="session")
def till(under_test: UnderTest, badges: Badges) -> Iterator[TillClient]:
    client = TillClient(under_test.api_url, badges)
    yield client
    client.close()


@pytest.fixture(scope="session")
def visitor(under_test: UnderTest, badges: Badges) -> Iterator[TillClient]:
    """Anybody: without a token."""
    client = TillClient(under_test.api_url, badges, token="")
    yield client
    client.close()


@pytest.fixture(scope="session")
def upstream(under_test: UnderTest) -> Iterator[StandInControl]:
    url = needed(under_test.upstream_url, "stand-in for the external APIs that does as it is told")
    with StandInControl(url) as control:
        yield control


@pytest.fixture(scope="session")
def tables(aws: boto3.Session, emulated: Emulated) -> Tables:
    return Tables(
        aws.client("dynamodb", endpoint_url=emulated.url),
        ledger=emulated.ledger_table,
        purchases=emulated.purchases_table,
    )


@pytest.fixture(scope="session")
def functions(aws: boto3.Session, under_test: UnderTest, emulated: Emulated) -> Functions:
    return Functions(
        aws.client("lambda", endpoint_url=emulated.url),
        aws.client("logs", endpoint_url=emulated.url),
        emulated.function_prefix,
        under_test.embedded,
    )


@pytest.fixture(scope="session")
def crowd(under_test: UnderTest) -> Crowd:
    """Many calls at the same moment.

    LocalStack's containers are too slow on two cores to answer all of them in time, so there a call
    that is answered with 503 is repeated.
    """
    if under_test.is_localstack:
        return lambda calls: all_at_once([retried(call) for call in calls])
    return all_at_once


@pytest.fixture(scope="session")
def gateway_problems(under_test: UnderTest) -> None:
    """Answers of the gateway's own are problems, too: everywhere but on LocalStack."""
    if under_test.is_localstack:
        pytest.skip("this gateway answers in its own words (docs/localstack.md)")


@pytest.fixture(scope="session")
def forms_reach_functions(under_test: UnderTest) -> None:
    """The gateway passes a multipart body on as it is: everywhere but on LocalStack."""
    if under_test.is_localstack:
        pytest.skip(
            "LocalStack's gateway reads multipart/form-data itself, and answers 400 without a body "
            "when it cannot: no function sees the request (docs/localstack.md)"
        )


@pytest.fixture(scope="session")
def shop(upstream: StandInControl, till: TillClient) -> Shop:
    return Shop(upstream, till)


@pytest.fixture(scope="session")
def audit(till: TillClient, tables: Tables, upstream: StandInControl) -> Auditor:
    return Auditor(till, tables, upstream)


@pytest.fixture(scope="module")
def dynamodb_proxy(endpoints: Endpoints, functions: Functions) -> Iterator[FaultProxy]:
    """Stands between DynamoDB and every function that moves money.

    What is pending expires sooner, and functions give up sooner, so that tests need not wait long.
    """
    with (
        running_proxy(endpoints.aws_endpoint_url) as proxy,
        functions.configured(
            "grant_credit",
            "deduct_credit",
            "create_purchase",
            "refund_purchase",
            "resolve_attempt",
            timeout_seconds=12,
            AWS_ENDPOINT_URL_DYNAMODB=proxy.url,
            TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS="2",
            TILL_PENDING_EXPIRY_SECONDS="7.5",
        ),
    ):
        yield proxy


@pytest.fixture(scope="module")
def crashes(
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    dynamodb_proxy: FaultProxy,
) -> Crashes:
    return Crashes(till, upstream, shop, functions, dynamodb_proxy)


@pytest.fixture(scope="module")
def no_time_to_look(dynamodb_proxy: FaultProxy, functions: Functions) -> Iterator[None]:
    """No person resolves an unknown outcome before its deadline.

    The recovery, too, reaches DynamoDB by way of the proxy.
    """
    with (
        functions.configured("create_purchase", TILL_UNKNOWN_DEADLINE_SECONDS="0.1"),
        functions.configured(
            RECOVERY,
            AWS_ENDPOINT_URL_DYNAMODB=dynamodb_proxy.url,
            TILL_UNKNOWN_DEADLINE_SECONDS="0.1",
        ),
    ):
        yield
