"""cfn-lint, which knows the schema of each resource type, over the templates of every stage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App

from infra.ci_stack import CiSettings, CiStack

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized

CFN_LINT = Path(sys.executable).with_name("cfn-lint")
NOT_FOR_US = "W3005"
"""A dependency that a reference implies as well: the CDK writes both, and it does no harm."""


def findings(folder: Path) -> list[str]:
    """What is wrong with the templates of a folder; warnings count."""
    templates = sorted(str(path) for path in folder.glob("*.template.json"))
    assert templates
    done = subprocess.run(
        [CFN_LINT, "--format", "json", "--ignore-checks", NOT_FOR_US, "--", *templates],
        capture_output=True,
        text=True,
        check=False,
    )
    found: list[dict[str, dict[str, object]]] = json.loads(done.stdout)
    return [f"{Path(str(one['Filename'])).name}: {one['Message']}" for one in found]


@pytest.mark.parametrize("stage", ["local", "localstack", "dev", "staging", "prod", "named"])
def test_cfn_lint_finds_nothing(stage: str, request: pytest.FixtureRequest) -> None:
    synthesized: Synthesized = request.getfixturevalue(stage)
    assert findings(synthesized.assembly) == []


def test_it_finds_nothing_in_the_roles_of_ci_either(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    CiStack(app, "till-ci", settings=CiSettings(repository="owner/till"))
    app.synth()
    assert findings(tmp_path) == []


def test_it_finds_what_no_resource_can_have(tmp_path: Path) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "soon"}}
    (tmp_path / "one.template.json").write_text(json.dumps({"Resources": {"Queue": queue}}))
    (found,) = findings(tmp_path)
    assert "'soon' is not of type 'integer'" in found
