"""LocalStack's stage asks for nothing that its community image lacks (docs/localstack.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.lasting import EMULATED_API_ID
from infra.layers import LayersError, Machine
from tests.infra.synthesized import Synthesized, synthesize
from till.http.routes import AUTHORIZER, OPERATIONS, SCHEDULED_OPERATIONS, STREAM_OPERATIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "localstack.md"
TYPE = re.compile(r"^\| `(AWS::[A-Za-z0-9:]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def documented() -> set[str]:
    """The resource types that the document says the image can create."""
    found = TYPE.findall(DOCUMENT.read_text())
    assert len(found) == len(set(found)), "a type is listed twice"
    return set(found)


def test_the_image_can_create_every_resource_and_the_document_says_so(
    localstack: Synthesized, documented: set[str]
) -> None:
    used = {one.type for template in localstack.templates() for one in template.all()}
    assert used == documented


def test_the_api_has_the_same_id_each_time_on_emulators_alone(
    localstack: Synthesized, local: Synthesized, prod: Synthesized
) -> None:
    tag = {"Key": "_custom_id_", "Value": EMULATED_API_ID}
    for emulated in (localstack, local):
        assert tag in emulated.data.one("AWS::ApiGateway::RestApi").properties["Tags"]
    assert EMULATED_API_ID.islower(), "LocalStack refuses it"
    assert "_custom_id_" not in str(prod.data.all())


def test_there_is_no_layer_and_no_authorizer(localstack: Synthesized) -> None:
    """Both are accepted there and not applied: a layer's code would be missing, and with an
    authorizer everybody would be let in."""
    compute = localstack.compute
    assert compute.all("AWS::Lambda::LayerVersion") == []
    assert compute.all("AWS::ApiGateway::Authorizer") == []
    for function in compute.functions().values():
        assert "Layers" not in function.properties
    for method in compute.methods().values():
        assert method.properties["AuthorizationType"] == "NONE"
        assert "AuthorizerId" not in method.properties


def test_every_function_asks_for_the_token_itself(localstack: Synthesized) -> None:
    functions = localstack.compute.functions()
    assert sorted(functions) == sorted([*OPERATIONS, *SCHEDULED_OPERATIONS, *STREAM_OPERATIONS])
    assert AUTHORIZER not in functions
    for function in functions.values():
        variables = function.properties["Environment"]["Variables"]
        assert variables["TILL_IDENTITY_FROM"] == "function"
        assert variables["TILL_STAGE"] == "localstack"


def test_every_function_carries_a_bundle_of_its_own(localstack: Synthesized) -> None:
    functions = localstack.compute.functions()
    keys = {operation: one.properties["Code"]["S3Key"] for operation, one in functions.items()}
    assert len(set(keys.values())) == len(functions)
    assert all(key.endswith(".zip") for key in keys.values())
    for function in functions.values():
        # What the image runs them in: containers of the machine that it is on itself.
        assert function.properties["Runtime"] == "python3.13"
        assert function.properties["Architectures"] == [Machine.of_this_machine()]


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")],
)
def test_the_functions_are_for_the_machine_that_it_is_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, architecture: str
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    there = synthesize("localstack", "http://upstream:9000/api", tmp_path)
    for function in there.compute.functions().values():
        assert function.properties["Architectures"] == [architecture]


def test_another_machine_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(LayersError, match=r"^Functions run on arm64 or x86_64, and .* riscv64\.$"):
        synthesize("localstack", "http://upstream:9000/api", tmp_path)


@pytest.mark.parametrize(
    "feature",
    [
        "AccessLogSetting",  # of an API's stage
        "MethodSettings",  # throttling
        "KMSMasterKeyId",
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled: True",
        "ReservedConcurrentExecutions",
        "SnapStart",
        "VpcConfig",
    ],
)
def test_what_the_image_would_ignore_is_not_asked_for(
    localstack: Synthesized, feature: str
) -> None:
    name, _, wanted = feature.partition(": ")
    for template in localstack.templates():
        for resource in template.all():
            value: object = resource.properties
            for part in name.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            assert value is None or (wanted and str(value) != wanted), resource.logical_id


def test_it_is_no_aws_stage(localstack: Synthesized) -> None:
    assert localstack.account is None
    assert localstack.edge is None
    for table in localstack.data.all("AWS::DynamoDB::Table"):
        assert table.document["DeletionPolicy"] == "Delete"
