"""CloudFormation's limits, for every template of every stage."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from infra.limits import WARN_AT, LimitError, check_limits, usages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.synthesized import Synthesized

LIMITS = {
    "resources": 500,
    "bytes": 1_000_000,
    "dynamic references": 60,
    "parameters": 200,
    "outputs": 200,
    "mappings": 200,
}


@pytest.fixture(params=["local", "localstack", "dev", "prod", "named"])
def stage(request: pytest.FixtureRequest) -> Synthesized:
    found: Synthesized = request.getfixturevalue(request.param)
    return found


def test_every_template_is_far_from_every_limit(stage: Synthesized) -> None:
    assert check_limits(stage.assembly) == []


def test_nothing_is_a_dynamic_reference(stage: Synthesized) -> None:
    """The third new route of a kind would pass the 60 of a template, and fail the deploy."""
    for path in stage.assembly.glob("*.template.json"):
        assert "{{resolve:" not in path.read_text()


def test_what_compute_looks_up_is_what_data_writes_down(synthesized: Synthesized) -> None:
    written = {one.properties["Name"] for one in synthesized.data.all("AWS::SSM::Parameter")}
    read = {
        one["Default"]: one["Type"]
        for name, one in synthesized.compute.document["Parameters"].items()
        if name != "BootstrapVersion"
    }
    assert read == dict.fromkeys(written, "AWS::SSM::Parameter::Value<String>")


def template(what: str, count: int) -> str:
    """A template that has so many of something."""
    many: dict[str, object] = {f"N{number}": {} for number in range(count)}
    match what:
        case "bytes":
            document: dict[str, object] = {"Description": ""}
            document["Description"] = "x" * (count - len(json.dumps(document)))
        case "dynamic references":
            document = {"Metadata": ["{{resolve:ssm:/x}}"] * count}
        case _:
            document = {what.title(): many}
    return json.dumps(document)


@pytest.mark.parametrize(("what", "limit"), LIMITS.items())
def test_a_limit_that_is_near_is_a_warning_and_one_that_is_passed_an_error(
    what: str, limit: int, tmp_path: Path
) -> None:
    file = tmp_path / "till.template.json"
    near = math.ceil(limit * WARN_AT)
    file.write_text(template(what, near - 1))
    assert check_limits(tmp_path) == []
    for count in (near, limit):
        file.write_text(template(what, count))
        (warning,) = check_limits(tmp_path)
        assert warning.startswith(f"till has {count:,} of {limit:,} {what}.")
    file.write_text(template(what, limit + 1))
    with pytest.raises(LimitError, match=f"till has {limit + 1:,} of {limit:,} {what}"):
        check_limits(tmp_path)


def test_every_limit_is_tried() -> None:
    assert {one.what: one.limit for one in usages("till", "{}")} == LIMITS
