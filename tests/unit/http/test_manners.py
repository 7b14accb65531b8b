"""HTTP as RFC 9110 has it: media types, codings, preconditions, queries, paths, caches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from tests.document import body_schema, objects, operation
from tests.unit.http.edge import Context, call, event, fields, handler
from till import bootstrap
from till.domain.errors import TillError
from till.domain.promo import StaleVersionError
from till.http.content import is_json
from till.http.preconditions import (
    InvalidIfMatchError,
    PreconditionRequiredError,
    expected_versions,
)
from till.http.problems import problem_for
from till.http.routes import ROUTES, Role, Route
from till.services.errors import RequestInFlightError
from till.services.ports.store_errors import BusyError

if TYPE_CHECKING:
    from till.http.events import Event

GRANT: Final = next(route for route in ROUTES if route.operation == "grant_credit")
UPDATE: Final = next(route for route in ROUTES if route.operation == "update_promo_code")
HEALTH: Final = next(route for route in ROUTES if route.method == "HEAD")
GOOD: Final = '{"amount": 5, "reason": "r"}'
WITH_BODY: Final = [r for r in ROUTES if body_schema(operation(r.method, r.path)) is not None]
GUARDED: Final = [route for route in ROUTES if route.roles]
WITH_PARAMETER: Final = [route for route in ROUTES if "{" in route.path]


def reached(sent: Event, operation_: str) -> bool:
    """Whether the request got as far as the use case, which is not there."""
    return call(sent, operation_)[0] == 500


def with_query(route: Route, *given: tuple[str, str]) -> Event:
    sent = event(route, body=None)
    sent["queryStringParameters"] = dict(given)
    sent["multiValueQueryStringParameters"] = {
        name: [value for other, value in given if other == name] for name, _ in given
    }
    return sent


# Media types and codings


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'APPLICATION/JSON ; Charset="UTF-8"',
        'application/json; profile="a;b\\"c"; charset=utf-8',
        "application/json; charset=us-ascii",
        "application/json;",
        "application/json ; ; charset=utf8",
    ],
)
def test_json_by_any_spelling_is_read(kind: str) -> None:
    assert is_json(kind)
    assert reached(event(GRANT, body=GOOD, headers={"Content-Type": kind}), "grant_credit")


@pytest.mark.parametrize(
    "kind",
    [
        "application/jsonx",
        "application/json/x",
        "application/problem+json",
        "text/json",
        "application",
        "application/json; charset=utf-16",
        'application/json; charset="iso-8859-1"',
        "application/json charset=utf-8",
        'application/json; profile="unclosed',
        "application/json, text/plain",
        "multipart/form-data; boundary=x",
    ],
)
@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation)
def test_any_other_media_type_is_refused(route: Route, kind: str) -> None:
    sent = event(route, body="{}", headers={"Content-Type": kind})
    status, problem = call(sent, route.operation)
    assert (status, problem["type"]) == (415, "urn:problem-type:till:unsupported-media-type")


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "x", "GZIP", "aws-chunked"])
@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation)
def test_a_coding_is_refused(route: Route, coding: str) -> None:
    sent = event(route, body="{}", headers={"Content-Encoding": coding})
    answer = handler(route.operation).tested_handler(sent, Context())
    assert answer["statusCode"] == 415
    assert answer["multiValueHeaders"]["Accept-Encoding"] == ["identity"]
    assert json.loads(answer["body"])["type"].endswith(":unsupported-content-encoding")


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_no_coding_at_all_is_read(coding: str) -> None:
    assert reached(event(GRANT, body=GOOD, headers={"Content-Encoding": coding}), "grant_credit")


# HEAD


def test_health_answers_head_without_a_body() -> None:
    answer = handler("get_health").tested_handler(event(HEALTH, body=None, who=None), Context())
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]


# If-Match


@pytest.mark.parametrize(
    ("if_match", "versions"),
    [
        ('"1"', {1}),
        (' "12" ', {12}),
        ('"1", "2"', {1, 2}),
        ('"1","2" , "7"', {1, 2, 7}),
        ('"1",', {1}),
        ('"1",, "2"', {1, 2}),
        ('"a,b", "3"', {3}),
        # Opaque tags that no version has.
        ('"01"', set()),
        ('"0"', set()),
        ('"1.0"', set()),
        ('"+1"', set()),
        ('"one"', set()),
        ('""', set()),
        ('"99999999999999999999"', set()),
        # Weak tags never match by strong comparison.
        ('W/"1"', set()),
        ('W/"1", "2"', {2}),
    ],
)
def test_if_match_names_versions(if_match: str, versions: set[int]) -> None:
    assert expected_versions(if_match) == frozenset(versions)


def test_a_star_is_any_version() -> None:
    assert expected_versions("*") is None
    assert expected_versions(" * ") is None


def test_no_if_match_is_asked_for() -> None:
    with pytest.raises(PreconditionRequiredError):
        expected_versions(None)
    body = '{"max_redemptions": 5}'
    assert call(event(UPDATE, body=body), "update_promo_code")[0] == 428


UNREADABLE: Final = ["", "1", '"1', '1"', '"1" "2"', '*, "1"', "w/1", 'w/"1"', "'1'", '"a"b', ","]


@pytest.mark.parametrize("if_match", UNREADABLE)
def test_what_is_no_if_match_is_bad_input_and_not_a_stale_version(if_match: str) -> None:
    with pytest.raises(InvalidIfMatchError):
        expected_versions(if_match)
    sent = event(UPDATE, body='{"max_redemptions": 5}', headers={"If-Match": if_match})
    status, problem = call(sent, "update_promo_code")
    assert (status, fields(problem)) == (400, {"If-Match"})


# Paths


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x00", "\x7f", "\t"], ids=ascii)
@pytest.mark.parametrize("route", WITH_PARAMETER, ids=lambda route: route.operation)
def test_a_control_character_is_no_part_of_an_id(route: Route, end: str) -> None:
    sent = event(route, body="{}", headers={"If-Match": '"1"'})
    names = [part.strip("{}") for part in route.path.split("/") if part.startswith("{")]
    path = str(sent["path"]).split("/")
    for place, part in enumerate(route.path.split("/")):
        if part.startswith("{"):
            path[place] += end
    sent["path"] = "/".join(path)
    status, problem = call(sent, route.operation)
    assert (status, fields(problem)) == (400, set(names))


# Queries


INTEGERS: Final = [
    (route, str(parameter["name"]))
    for route in ROUTES
    for parameter in objects(operation(route.method, route.path).get("parameters"))
    if parameter["in"] == "query" and '"integer"' in json.dumps(parameter["schema"])
]
NOT_JSON_INTEGERS: Final = [
    *(
        "5.0",
        "1_0",
        "+5",
        " 5",
        "5 ",
        "05",
        "-0",
        "0x5",
        "1e1",
        "",
        "\u0665",
        "five",
        "5\n",
        "null",
    ),
    *("9" * 30, "true"),
]


@pytest.mark.parametrize("value", NOT_JSON_INTEGERS, ids=ascii)
@pytest.mark.parametrize(
    ("route", "name"), INTEGERS, ids=[f"{route.operation}-{name}" for route, name in INTEGERS]
)
def test_a_number_in_a_query_is_written_as_in_json(route: Route, name: str, value: str) -> None:
    status, problem = call(with_query(route, (name, value)), route.operation)
    assert (status, fields(problem)) == (400, {name})


@pytest.mark.parametrize(
    ("route", "name"), INTEGERS, ids=[f"{route.operation}-{name}" for route, name in INTEGERS]
)
def test_a_json_integer_is_read(route: Route, name: str) -> None:
    assert reached(with_query(route, (name, "5")), route.operation)


QUERIES: Final = [
    (route, str(parameter["name"]))
    for route in ROUTES
    for parameter in objects(operation(route.method, route.path).get("parameters"))
    if parameter["in"] == "query"
]


@pytest.mark.parametrize(
    ("route", "name"), QUERIES, ids=[f"{route.operation}-{name}" for route, name in QUERIES]
)
def test_a_parameter_is_given_once(route: Route, name: str) -> None:
    status, problem = call(with_query(route, (name, "5"), (name, "6")), route.operation)
    assert (status, fields(problem)) == (400, {name})


# What a refusal repeats


SECRET: Final = "zebra crossing <4711>"


def leaves(value: object) -> list[object]:
    """What a caller may send instead of anything: the secret, in every kind of JSON value."""
    return [value, [value], {str(value): value}, {"type": value}, f"{value}\n", 4711.4711]


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation)
def test_a_refused_body_is_not_repeated(route: Route) -> None:
    schema = body_schema(operation(route.method, route.path))
    assert schema is not None
    properties = schema["properties"]
    assert isinstance(properties, dict)
    for name in (*properties, SECRET):
        for value in leaves(SECRET):
            headers = {"If-Match": '"1"'}
            sent = event(route, body=json.dumps({name: value}), headers=headers)
            answer = handler(route.operation).tested_handler(sent, Context())
            # Any text is a reason, so a use case may be asked for.
            assert answer["statusCode"] in {400, 500}
            for word in ("zebra", "4711"):
                assert word not in answer["body"], (name, value)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.operation}-{route.method}")
def test_a_refused_query_is_not_repeated(route: Route) -> None:
    names = [name for other, name in QUERIES if other == route]
    for name in (*names, SECRET):
        if name == "query":
            continue
        module = handler(route.operation)
        answer = module.tested_handler(with_query(route, (name, SECRET)), Context())
        assert answer["statusCode"] == 400
        assert "zebra" not in answer["body"]


@pytest.mark.parametrize("route", WITH_PARAMETER, ids=lambda route: route.operation)
def test_a_refused_path_is_not_repeated(route: Route) -> None:
    sent = event(route, body="{}")
    sent["path"] = "/".join(
        "zebra-crossing-that-is-no-id-at-all-and-too-long-for-a-code" if p.startswith("{") else p
        for p in route.path.split("/")
    )
    answer = handler(route.operation).tested_handler(sent, Context())
    assert answer["statusCode"] == 400
    assert "zebra" not in answer["body"]


# Caches


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation)
@pytest.mark.parametrize("who", [None, "a caller"], ids=["unknown", "known"])
def test_no_cache_keeps_what_is_about_a_customer(route: Route, who: str | None) -> None:
    sent = event(route, body="{}") if who else event(route, body="{}", who=None)
    answer = handler(route.operation).tested_handler(sent, Context())
    assert answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]


def test_only_this_document_may_be_kept_if_it_is_asked_about_again() -> None:
    route = next(route for route in ROUTES if route.operation == "get_openapi")
    answer = handler("get_openapi").tested_handler(event(route, body=None, who=None), Context())
    assert answer["multiValueHeaders"]["Cache-Control"] == ["no-cache"]


# The rest


def test_a_stale_version_is_told_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale() -> None:
        raise StaleVersionError(version=3)

    monkeypatch.setattr(bootstrap, "promo_codes", stale)
    sent = event(UPDATE, body='{"max_redemptions": 5}', headers={"If-Match": 'W/"3"'})
    status, problem = call(sent, "update_promo_code")
    assert (status, problem["version"]) == (412, 3)


@pytest.mark.parametrize(
    "error", [BusyError(), RequestInFlightError(retry_after_seconds=2)], ids=repr
)
def test_retry_after_is_documented_wherever_it_is_sent(
    monkeypatch: pytest.MonkeyPatch, error: TillError
) -> None:
    assert "Retry-After" in problem_for(error).headers

    def fail() -> None:
        raise error

    for name in ("adjust_credit", "create_purchase", "refund_purchase", "resolve_attempt"):
        monkeypatch.setattr(bootstrap, name, fail)
    bodies = {
        "grant_credit": GOOD,
        "deduct_credit": GOOD,
        "create_purchase": json.dumps({"product_id": str(uuid4()), "quantity": 1}),
        "refund_purchase": '{"reason": "r"}',
        "resolve_attempt": '{"outcome": "not_shipped", "reason": "r"}',
    }
    for route in ROUTES:
        if route.operation in bodies:
            assert Role.ADMIN in route.roles
            # `call` holds the answer against the document.
            call(event(route, body=bodies[route.operation]), route.operation)
