"""What is left of botocore's data is all that the code calls, and works as the whole does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from infra.botocore_data import CALLED
from infra.layers import Machine, build_layers

ROOT = Path(__file__).resolve().parents[2]
CODE = (ROOT / "layers" / "till" / "python", ROOT / "functions")

NOT_OF_AWS = {"verify"}
"""Methods of our own that have the name of an operation: tokens are verified here, not by KMS."""

# What a client of each service makes of a request, with the botocore at hand: whole, or cut.
PROGRAM = """
import json, sys
sys.path[:0] = [folder for folder in sys.argv[1:2] if folder]
import botocore, botocore.session
made = {}
session = botocore.session.get_session()
for service, operations in json.loads(sys.argv[2]).items():
    client = session.create_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    model = client.meta.service_model
    made[service] = [
        client.meta.endpoint_url,
        client.meta.config.signature_version,
        model.protocol,
        sorted(name for name in dir(client.exceptions) if name[0].isupper()),
        [
            [p and [p.name, sorted(p.members)] for p in (op.input_shape, op.output_shape)]
            for op in map(model.operation_model, operations)
        ],
    ]
print(json.dumps([botocore.__file__, made]))
"""


def _called() -> set[str]:
    """The names of all methods that the code calls on anything."""
    return {
        node.func.attr
        for folder in CODE
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def _made_services() -> set[str]:
    """The services that the code makes clients of."""
    return {
        str(node.args[0].value)
        for folder in CODE
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "create_client"
        and isinstance(node.args[0], ast.Constant)
    }


def test_the_models_that_stay_are_those_of_the_clients() -> None:
    assert _made_services() == set(CALLED)


@pytest.mark.parametrize("service", CALLED)
def test_every_operation_that_the_code_calls_stays(service: str) -> None:
    operations = botocore.session.get_session().get_service_model(service).operation_names
    called = _called() - NOT_OF_AWS
    used = {name for name in operations if xform_name(name) in called}
    assert used == set(CALLED[service])


def test_a_client_of_the_layer_is_one_of_the_whole_botocore() -> None:
    layer = str(build_layers(Machine.LOCAL).dependencies / "python")
    (cut_at, cut), (whole_at, whole) = (_clients(layer), _clients(""))
    assert cut_at.startswith(layer)
    assert not whole_at.startswith(layer)
    assert cut == whole


def _clients(layer: str) -> tuple[str, object]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, layer, json.dumps(CALLED)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    place, made = json.loads(run.stdout)
    return str(place), made
