"""The picture of what is deployed is of what is deployed, wholly, and can be read."""

from __future__ import annotations

import copy
import re
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree as ET

import pytest

from infra import ROOT, architecture, svg
from infra.architecture import ArchitectureError
from infra.permissions import PERMISSIONS
from infra.svg import Canvas, PictureError, Style
from infra.templates import Target, TemplateError, Templates
from till.http.routes import AUTHORIZER, PROBE, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.settings import StageSettings
    from infra.templates import Json
    from tests.infra.synthesized import Synthesized
    from tests.infra.templates import Json as Document

SVG = "{http://www.w3.org/2000/svg}"
PAGE = ROOT / "docs" / "architecture.md"


def templates_of(prod: Synthesized) -> dict[str, Document]:
    """A copy that a test may change."""
    assert prod.account is not None
    assert prod.edge is not None
    return {
        f"till-prod-{name}": copy.deepcopy(one.document)
        for name, one in (
            ("data", prod.data),
            ("account", prod.account),
            ("compute", prod.compute),
            ("edge", prod.edge),
        )
    }


def drawn(documents: dict[str, Document]) -> str:
    return architecture.draw(cast("dict[str, Json]", documents))


@pytest.fixture(scope="module")
def picture(prod: Synthesized) -> ET.Element:
    return ET.fromstring(drawn(templates_of(prod)))  # noqa: S314 - we have just drawn it


def texts(picture: ET.Element, style: str | None = None) -> Iterator[ET.Element]:
    for one in picture.iter(f"{SVG}text"):
        if style is None or style in one.attrib["class"].split():
            yield one


def words(picture: ET.Element, style: str | None = None) -> str:
    return " ".join(one.text or "" for one in texts(picture, style))


def test_the_committed_picture_is_what_is_drawn_now(prod: Synthesized) -> None:
    assert architecture.PICTURE.read_text(encoding="utf-8") == drawn(templates_of(prod)), (
        "run `make architecture` and commit what it writes"
    )


def test_what_is_written_is_what_is_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prod: Synthesized
) -> None:
    documents = templates_of(prod)
    monkeypatch.setattr(architecture, "synthesize", lambda: documents)
    monkeypatch.setattr(architecture, "PICTURE", tmp_path / "picture.svg")
    architecture.main()
    written = architecture.PICTURE.read_text(encoding="utf-8")
    assert written == drawn(documents)
    documents["till-prod-archive"] = {"Description": "Till: an archive.", "Resources": {}}
    with pytest.raises(SystemExit, match=r"^The picture in docs does not know the stack"):
        architecture.main()
    assert architecture.PICTURE.read_text(encoding="utf-8") == written


def test_every_function_is_in_it_once_and_no_other(prod: Synthesized, picture: ET.Element) -> None:
    names = [
        name
        for one in texts(picture, "code")
        for name in (one.text or "").split(" · ")
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    ]
    assert sorted(names) == sorted(prod.compute.functions())


def test_every_stack_table_index_queue_and_bus_is_in_it(
    prod: Synthesized, picture: ET.Element
) -> None:
    everything = words(picture)
    for stack in templates_of(prod):
        assert stack in everything
    for table in prod.data.all("AWS::DynamoDB::Table"):
        name = table.properties["TableName"].removeprefix("till-prod-")
        # Over its column, and where it is.
        assert words(picture, "name").split().count(name) == 2
    indexes = [
        index["IndexName"]
        for table in prod.data.all("AWS::DynamoDB::Table")
        for index in table.properties["GlobalSecondaryIndexes"]
    ]
    for index in indexes:
        assert words(picture, "tiny").count(index.replace("-", "- ")) == 2
    for queue in prod.data.all("AWS::SQS::Queue"):
        name = queue.properties["QueueName"].removeprefix("till-prod-")
        assert [one.text for one in texts(picture, "code")].count(name) == 1
    for kind in ("stream", "key", "secret", "bus", "AWS WAF", "CloudFront", "CodeDeploy"):
        assert kind in everything
    assert f"{len(ROUTES)} routes under" in everything
    assert f"{len(prod.compute.all('AWS::CloudWatch::Alarm'))} alarms" in everything


def rows(picture: ET.Element) -> dict[str, Counter[str]]:
    """The words on the line of each operation."""
    pills = [
        (float(one.attrib["y"]) - 3.5, one.attrib["class"].split()[-1])
        for one in texts(picture, "tiny")
        if one.attrib.get("text-anchor") == "middle" and " " in one.attrib["class"]
    ]
    boxes = [
        {name: float(one.attrib[name]) for name in ("x", "y", "width", "height")}
        for one in picture.iter(f"{SVG}rect")
        if one.attrib["class"] == "box compute"
    ]
    found = {}
    for one in texts(picture, "code"):
        y = float(one.attrib["y"])
        for name in (one.text or "").split(" · "):
            if name in PERMISSIONS:
                (box,) = (
                    box
                    for box in boxes
                    if box["x"] < float(one.attrib["x"]) < box["x"] + box["width"]
                    and box["y"] < y < box["y"] + box["height"]
                )
                middle = box["y"] + box["height"] / 2
                found[name] = Counter(word for at, word in pills if abs(at - middle) < 1)
    return found


def test_each_operation_has_the_words_for_its_rights_on_its_line(picture: ET.Element) -> None:
    found = rows(picture)
    # The picture shows a stage that is not told to have a probe.
    for operation in PERMISSIONS.keys() - {PROBE}:
        rights = PERMISSIONS[operation]
        tables = (rights.ledger, rights.purchases)
        written = [one for one in tables if "dynamodb:UpdateItem" in one]
        appended = [one for one in tables if "dynamodb:PutItem" in one and one not in written]
        read = [
            one
            for one in (*tables, rights.state_index, rights.opened_index)
            if one and one not in (*written, *appended)
        ]
        encrypts = bool(written or appended) or operation == "publish_events"
        assert found[operation] == +Counter(
            append=len(appended),
            write=len(written),
            read=len(read) + rights.calls_upstream,
            follow=bool(rights.ledger_stream),
            encrypt=encrypts,
            decrypt=not encrypts and bool(rights.key or rights.calls_upstream),
            call=rights.calls_upstream,
            publish=operation == "publish_events",
        ), operation
    assert not found[AUTHORIZER]


@pytest.mark.parametrize("variable", ["TILL_UPSTREAM_URL", "TILL_UPSTREAM_SECRET"])
def test_who_is_not_told_of_the_external_apis_does_not_call_them(
    prod: Synthesized, variable: str
) -> None:
    documents = templates_of(prod)
    function = prod.compute.functions()["get_credit"]
    resource = documents["till-prod-compute"]["Resources"][function.logical_id]
    del resource["Properties"]["Environment"]["Variables"][variable]
    found = rows(ET.fromstring(drawn(documents)))  # noqa: S314 - we have just drawn it
    assert found["get_credit"] == Counter(decrypt=1, read=2)
    assert found["list_entries"] == Counter(decrypt=1, read=2, call=1)


def test_a_type_that_the_picture_does_not_know_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    documents["till-prod-data"]["Resources"]["Copy"] = {"Type": "AWS::EC2::VPC"}
    with pytest.raises(
        ArchitectureError,
        match=r"does not know AWS::EC2::VPC \(till-prod-data, Copy\): draw it or list "
        r"it as furniture in infra/architecture\.py",
    ):
        drawn(documents)


def test_one_more_of_a_known_type_without_a_place_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    documents["till-prod-data"]["Resources"]["Copy"] = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": "till-prod-copy"},
    }
    with pytest.raises(ArchitectureError, match=r"AWS::SQS::Queue .*Copy"):
        drawn(documents)


def test_a_function_that_nothing_runs_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    resources = documents["till-prod-compute"]["Resources"]
    for method in ("GET", "HEAD"):
        del resources[prod.compute.methods()[method, "/health"].logical_id]
    with pytest.raises(ArchitectureError, match=r"AWS::Lambda::Function .*gethealth"):
        drawn(documents)


def test_a_stack_that_the_picture_does_not_know_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    documents["till-prod-archive"] = {"Description": "Till: an archive.", "Resources": {}}
    with pytest.raises(ArchitectureError, match="does not know the stack till-prod-archive"):
        drawn(documents)


@pytest.mark.parametrize(
    ("operation", "effect", "action", "said"),
    [
        ("get_health", "Allow", "DeleteItem", r"no word .* gethealth.* Ledger.*DeleteItem"),
        ("get_health", "Deny", "GetItem", "does not allow"),
        (AUTHORIZER, "Allow", "GetItem", "authorize_request has rights now"),
    ],
)
def test_a_right_that_the_picture_cannot_show_is_an_error(
    prod: Synthesized, operation: str, effect: str, action: str, said: str
) -> None:
    documents = templates_of(prod)
    role = prod.compute.role_of(prod.compute.functions()[operation])
    resource = documents["till-prod-compute"]["Resources"][role.logical_id]
    (policy,) = resource["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append(
        {
            "Effect": effect,
            "Action": f"dynamodb:{action}",
            "Resource": "arn:aws:dynamodb:eu-west-1:1:table/till-prod-ledger",
        }
    )
    with pytest.raises((ArchitectureError, TemplateError), match=said):
        drawn(documents)


def test_a_right_that_is_not_in_the_role_itself_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    role = prod.compute.role_of(prod.compute.functions()["get_health"])
    resources = documents["till-prod-compute"]["Resources"]
    resources["More"] = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": role.logical_id}]},
    }
    with pytest.raises(TemplateError, match="rights that are not in the role itself"):
        drawn(documents)


FUNCTION: Json = {"Type": "AWS::Lambda::Function"}
ALIAS: Json = {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "It"}}}
TABLE: Json = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t"}}
PARAMETER: Json = {
    "Type": "AWS::SSM::Parameter",
    "Properties": {"Name": "/t/stream", "Value": {"Fn::GetAtt": ["T", "StreamArn"]}},
}
LOOKED_UP: Json = {
    one: {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"/t/{name}"}
    for one, name in (("StreamArn", "stream"), ("KeyArn", "key"))
}
OUTPUT: Json = {"Api": {"Value": {"Ref": "Live"}}}
SMALL = Templates(
    {
        "compute": {
            "Parameters": LOOKED_UP,
            "Resources": {"It": FUNCTION, "Live": ALIAS},
            "Outputs": OUTPUT,
        },
        "data": {"Resources": {"T": TABLE, "Stream": PARAMETER}},
    }
)


@pytest.mark.parametrize(
    ("value", "logical_id", "part"),
    [
        ({"Fn::GetAtt": ["It", "Arn"]}, "It", ""),
        ({"Ref": "Live"}, "It", ""),
        (
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Region"}, ":", {"Ref": "Live"}, "/x"]]},
            "It",
            "",
        ),
        ({"Fn::GetStackOutput": {"StackName": "compute", "OutputName": "Api"}}, "It", ""),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Region"}, ":table/t"]]}, "T", ""),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Region"}, ":table/t/index/i"]]}, "T", "i"),
        ({"Ref": "StreamArn"}, "T", "stream"),
    ],
)
def test_a_reference_leads_to_what_it_means(value: Json, logical_id: str, part: str) -> None:
    found = SMALL.resolve(value, "compute")
    assert found == Target(found.resource, part)
    assert found.resource.logical_id == logical_id


@pytest.mark.parametrize(
    "value",
    [{"Ref": "Nothing"}, {"Ref": "KeyArn"}, "arn:aws:s3:::t", {"Fn::Sub": "${It}"}, 1],
)
def test_a_reference_that_leads_nowhere_is_an_error(value: Json) -> None:
    with pytest.raises(TemplateError, match=r"leads|which KeyArn of compute reads"):
        SMALL.resolve(value, "compute")


STYLES = {
    one.name: one for one in (svg.TITLE, svg.HEADING, svg.NAME, svg.SMALL, svg.CODE, svg.TINY)
}


def extent(text: ET.Element) -> tuple[float, float, float, float]:
    style = STYLES[text.attrib["class"].split()[0]]
    x, y, width = float(text.attrib["x"]), float(text.attrib["y"]), style.width(text.text or "")
    left = (
        x - {"start": 0, "middle": width / 2, "end": width}[text.attrib.get("text-anchor", "start")]
    )
    return left, y - style.size * 0.75, left + width, y + style.size * 0.2


def test_no_text_lies_on_another_or_leaves_the_picture(picture: ET.Element) -> None:
    found = [(extent(one), one.text) for one in texts(picture)]
    height = float(picture.attrib["height"])
    for (left, top, right, bottom), text in found:
        assert 0 < left < right < architecture.WIDTH, text
        assert 0 < top < bottom < height, text
    for (one, text), (other, beside) in combinations(found, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (text, beside)


def test_no_box_lies_across_the_edge_of_another(picture: ET.Element) -> None:
    found = [
        (x, y, x + width, y + height)
        for one in picture.iter(f"{SVG}rect")
        for x, y, width, height in [
            tuple(float(one.attrib[name]) for name in ("x", "y", "width", "height"))
        ]
    ]
    for one, other in combinations(found, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart or within(one, other) or within(other, one), (one, other)


def within(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(PictureError, match="'deactivate_promo_code' does not fit into 60 px"):
        Canvas(100).paragraph(0, 0, 60, "get deactivate_promo_code", Style("code", 10, 0.6))


def test_text_is_text(picture: ET.Element) -> None:
    canvas = Canvas(100)
    canvas.text(1, 2, '<&">', svg.CODE)
    (text,) = texts(ET.fromstring(canvas.render(9, title="<", description="&")))  # noqa: S314
    assert text.text == '<&">'
    # The picture is shown as an image: a browser loads nothing for one, and says what it is.
    assert picture.find(f"{SVG}title") is not None
    assert "create_purchase: encrypt Key" in (picture.findtext(f"{SVG}desc") or "")


def test_the_page_shows_the_picture_and_links_to_what_there_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page)
    assert "architecture.svg" in links
    for link in links:
        assert (PAGE.parent / link).exists(), link


def test_the_page_says_what_differs_between_the_targets(
    local: Synthesized, localstack: Synthesized, prod: Synthesized
) -> None:
    def said(settings: StageSettings, name: str) -> str:
        match getattr(settings, name):
            case bool(value):
                return "yes" if value else "no"
            case None:
                return "none"
            case str(value):
                return value
            case _:
                return "yes"

    page = PAGE.read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \| ([\w-]+) \| ([\w-]+) \| ([\w-]+) \|", page, re.MULTILINE)
    assert [name for name, *_ in table] == [
        "is_aws",
        "packaging",
        "identity_from",
        "release",
        "has_key",
        "throttle",
    ]
    for name, *cells in table:
        assert cells == [said(one.settings, name) for one in (local, localstack, prod)], name
