"""The page about what is deployed is of all that is deployed."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, cast

import pytest

from infra import ROOT, architecture
from infra.permissions import PERMISSIONS
from infra.templates import ResourcePart, TemplateError, Templates
from till.http.routes import PROBE

if TYPE_CHECKING:
    from pathlib import Path

    from infra.settings import StageSettings
    from infra.templates import Json
    from tests.infra.synthesized import Synthesized
    from tests.infra.templates import Json as Document

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


def page_of(documents: dict[str, Document]) -> str:
    return architecture.page(cast("dict[str, Json]", documents))


def row_of(page: str, operation: str) -> dict[str, str]:
    """What the page says that an operation may do."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    heads = next(row for row in rows if row[0] == "functions")
    (row,) = [row for row in rows if f"`{operation}`" in row[0].split(", ")]
    return {head: cell for head, cell in zip(heads, row, strict=True) if cell}


def test_the_committed_page_is_what_is_deployed_now(prod: Synthesized) -> None:
    assert architecture.PAGE.read_text(encoding="utf-8") == page_of(templates_of(prod)), (
        "run `make architecture` and commit what it writes"
    )


def test_the_page_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prod: Synthesized
) -> None:
    documents = templates_of(prod)
    monkeypatch.setattr(architecture, "synthesize", lambda: documents)
    monkeypatch.setattr(architecture, "PAGE", tmp_path / "deployed.md")
    architecture.main()
    assert (tmp_path / "deployed.md").read_text(encoding="utf-8") == page_of(documents)


def test_every_function_has_its_row_and_its_box(prod: Synthesized) -> None:
    page = page_of(templates_of(prod))
    for operation in PERMISSIONS.keys() - {PROBE}:
        assert row_of(page, operation)
        diagram = page.partition("```mermaid")[2].partition("```")[0]
        assert len(re.findall(rf"\b{operation}\b", diagram)) == 1


def test_a_row_says_what_the_roles_allow(prod: Synthesized) -> None:
    page = page_of(templates_of(prod))
    buy = row_of(page, "create_purchase")
    assert (buy["ledger"], buy["purchases"], buy["external APIs"]) == ("append", "write", "call")
    assert row_of(page, "get_credit")["ledger"] == "read"
    assert row_of(page, "list_purchases")["purchases state-index"] == "read"
    assert row_of(page, "get_health").keys() == {"functions"}


def test_every_arrow_leads_from_a_box_to_a_box(prod: Synthesized) -> None:
    diagram = page_of(templates_of(prod)).partition("```mermaid")[2].partition("```")[0]
    boxes = set(re.findall(r"^ +(\w+)[\[(]", diagram, re.MULTILINE))
    arrows = [line.strip() for line in diagram.splitlines() if "-->" in line]
    ends = {end for line in arrows for end in re.split(r" -->(?:\|[^|]+\|)? ", line)}
    assert len(arrows) > 40
    assert ends <= boxes


def test_every_resource_is_counted(prod: Synthesized) -> None:
    documents = templates_of(prod)
    resources = documents["till-prod-data"]["Resources"]
    before = page_of(documents)
    resources["Copy"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "till-prod-copy"}}
    after = page_of(documents)
    assert "3 SQS::Queue," in before
    assert "4 SQS::Queue," in after
    assert 'Copy["copy"]' in after


def test_a_function_that_nothing_runs_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    resources = documents["till-prod-compute"]["Resources"]
    for method in ("GET", "HEAD"):
        del resources[prod.compute.methods()[method, "/health"].logical_id]
    with pytest.raises(TemplateError, match=r"Nothing runs the function gethealth"):
        page_of(documents)


@pytest.mark.parametrize(
    ("effect", "action", "said"),
    [
        ("Allow", "DeleteTable", r"no word .* gethealth.* Ledger.*DeleteTable"),
        ("Deny", "GetItem", "does not allow"),
    ],
)
def test_a_right_without_a_word_is_an_error(
    prod: Synthesized, effect: str, action: str, said: str
) -> None:
    documents = templates_of(prod)
    role = prod.compute.role_of(prod.compute.functions()["get_health"])
    resource = documents["till-prod-compute"]["Resources"][role.logical_id]
    (policy,) = resource["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append(
        {
            "Effect": effect,
            "Action": f"dynamodb:{action}",
            "Resource": "arn:aws:dynamodb:eu-west-1:1:table/till-prod-ledger",
        }
    )
    with pytest.raises(TemplateError, match=said):
        page_of(documents)


def test_a_right_that_is_not_in_the_role_itself_is_an_error(prod: Synthesized) -> None:
    documents = templates_of(prod)
    role = prod.compute.role_of(prod.compute.functions()["get_health"])
    resources = documents["till-prod-compute"]["Resources"]
    resources["More"] = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": role.logical_id}]},
    }
    with pytest.raises(TemplateError, match="rights that are not in the role itself"):
        page_of(documents)


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
    assert found == ResourcePart(found.resource, part)
    assert found.resource.logical_id == logical_id


@pytest.mark.parametrize(
    "value",
    [{"Ref": "Nothing"}, {"Ref": "KeyArn"}, "arn:aws:s3:::t", {"Fn::Sub": "${It}"}, 1],
)
def test_a_reference_that_leads_nowhere_is_an_error(value: Json) -> None:
    with pytest.raises(TemplateError, match=r"leads|which KeyArn of compute reads"):
        SMALL.resolve(value, "compute")


def test_the_page_on_architecture_links_to_what_there_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page)
    assert "deployed.md" in links
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
