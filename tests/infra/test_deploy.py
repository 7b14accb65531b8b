"""``make deploy`` up to where npm and the CDK take over: stand-ins tell what they were asked."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from infra.cdk import QUALIFIER_CONTEXT, DeployError
from infra.deploy import context_for, describe_outputs, variable_of
from infra.settings import AWS_STAGES, DeploymentSettings, SettingsError

ROOT = Path(__file__).resolve().parents[2]
TOLD = {
    "TILL_UPSTREAM_URL": "https://shop.example.com/api",
    "TILL_ISSUER": "https://id.example.com",
    "TILL_AUDIENCE": "https://till.example/api",
    "TILL_JWKS_URL": "https://id.example.com/jwks",
}
REGION = {"AWS_REGION": "eu-west-1"}
OUTPUTS = {
    "till-dev-compute": {"ApiId": "abc", "ApiUrl": "https://abc.example.com/v1/"},
    "till-dev-edge": {"BackofficeUrl": "https://d1.example.com"},
}
STAND_IN = """\
#!/bin/sh
echo "{name} $*" >> {log}
case "$*" in {fails}) exit 1 ;; esac
case "$*" in
  ci*) mkdir node_modules ;;
  'run build') mkdir -p dist && echo page > dist/index.html ;;
esac
previous=
for argument do
  if [ "$previous" = --outputs-file ]; then
    mkdir -p "${{argument%/*}}" && echo {outputs} > "$argument"
  fi
  previous=$argument
done
"""


@pytest.mark.parametrize("stage", AWS_STAGES)
def test_a_stage_is_told_by_the_environment(stage: str) -> None:
    told = {**TOLD, "TILL_ROLES_CLAIM": "cognito:groups", "TILL_RELEASE": "at-once"}
    told["TILL_BOOTSTRAP_QUALIFIER"] = "tillown"
    assert context_for(stage, told) == {
        "stage": stage,
        "upstream_url": "https://shop.example.com/api",
        "issuer": "https://id.example.com",
        "audience": "https://till.example/api",
        "jwks_url": "https://id.example.com/jwks",
        "roles_claim": "cognito:groups",
        "release": "at-once",
        QUALIFIER_CONTEXT: "tillown",
    }


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("", "No stage was named: pass STAGE= with one of dev, staging, prod."),
        ("local", "There is no stage 'local' on AWS: pass STAGE= with one of dev, staging, prod."),
        ("production", "There is no stage 'production' on AWS"),
    ],
)
def test_there_is_no_other_stage(stage: str, said: str) -> None:
    with pytest.raises(DeployError, match=said):
        context_for(stage, TOLD)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_all_that_is_missing_is_one_sentence(value: str | None) -> None:
    told = {**TOLD, "TILL_ISSUER": value, "TILL_AUDIENCE": value}
    with pytest.raises(DeployError, match="set TILL_ISSUER, TILL_AUDIENCE ") as raised:
        context_for("dev", {name: text for name, text in told.items() if text is not None})
    assert "docs/runbooks/deploying.md" in str(raised.value)


def test_what_makes_no_sense_is_said_before_anything_is_built() -> None:
    with pytest.raises(SettingsError, match="issuer must be a plain https address"):
        context_for("dev", {**TOLD, "TILL_ISSUER": "http://id.example.com"})


def test_the_runbook_says_what_each_setting_is() -> None:
    runbook = (ROOT / "docs" / "runbooks" / "deploying.md").read_text()
    for field in fields(DeploymentSettings):
        assert f"| `{variable_of(field.name)}` | `<STAGE>_{field.name.upper()}` | " in runbook


def test_outputs_that_do_not_say_where_it_is_are_told(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"till-dev-compute": OUTPUTS["till-dev-compute"]}))
    with pytest.raises(DeployError, match="is deployed, but its outputs do not say where"):
        describe_outputs("dev", outputs)


@dataclass(frozen=True, slots=True)
class Ran:
    status: int
    stdout: str
    stderr: str
    asked: list[str]
    """What npm and node were asked, in order."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The command's own modules in a folder of their own, with stand-ins for npm and node."""

    folder: Path

    @property
    def cdk(self) -> Path:
        return self.folder / "infra" / "node_modules" / "aws-cdk" / "bin" / "cdk"

    @property
    def page(self) -> Path:
        return self.folder / "backoffice" / "dist" / "index.html"

    def stand_in(self, *, fails_at: str = "nothing") -> None:
        programs = self.folder / "programs"
        programs.mkdir(exist_ok=True)
        for name in ("node", "npm"):
            program = programs / name
            program.write_text(
                STAND_IN.format(
                    name=name,
                    log=shlex.quote(str(self.folder / "asked")),
                    outputs=shlex.quote(json.dumps(OUTPUTS)),
                    fails=fails_at,
                )
            )
            program.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> Ran:
        log = self.folder / "asked"
        log.unlink(missing_ok=True)
        cleared = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TILL_", "AWS_", "PYTHONPATH"))
        }
        node = shutil.which("node")
        assert node is not None
        path = f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [sys.executable, "-m", "infra.deploy", *arguments],
            cwd=self.folder,
            # The CDK's library has a node of its own to run on: the real one.
            env={
                **cleared,
                "PATH": path,
                "PYTHONPATH": str(ROOT / "layers" / "till" / "python"),
                "JSII_NODE": node,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        asked = log.read_text().splitlines() if log.exists() else []
        return Ran(done.returncode, done.stdout, done.stderr, asked)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    (tmp_path / "infra").mkdir()
    for module in (ROOT / "infra").glob("*.py"):
        shutil.copy(module, tmp_path / "infra")
    made.cdk.parent.mkdir(parents=True)
    made.cdk.touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "openapi.json").write_text("{}")
    (tmp_path / "backoffice" / "src").mkdir(parents=True)
    (tmp_path / "backoffice" / "src" / "main.tsx").write_text("the page")
    made.stand_in()
    return made


def test_what_is_deployed_is_what_was_synthesized_and_where_it_is_is_said(
    checkout: Checkout,
) -> None:
    ran = checkout.run("deploy", "dev", **TOLD, **REGION)
    assert ran.status == 0, ran.stderr
    install, build, synth, deploy = ran.asked
    assert install == "npm ci --ignore-scripts --no-audit --no-fund"
    assert build == "npm run build"
    assembly = checkout.folder / "cdk.out" / "dev"
    assert synth.startswith(f"node {checkout.cdk} synth --quiet --output {assembly} ")
    for context in ("stage=dev", "jwks_url=https://id.example.com/jwks"):
        assert f" --context={context} " in synth
    assert deploy.startswith(f"node {checkout.cdk} deploy --app {assembly} --all ")
    assert " --require-approval never " in deploy
    assert "API:         https://abc.example.com/v1\n" in ran.stdout
    assert "Back office: https://d1.example.com\n" in ran.stdout


def test_comparing_asks_for_no_more_than_reading(checkout: Checkout) -> None:
    ran = checkout.run("diff", "staging", **TOLD, **REGION)
    assert ran.status == 0, ran.stderr
    assembly = checkout.folder / "cdk.out" / "staging"
    assert ran.asked[-1].startswith(f"node {checkout.cdk} diff --app {assembly} --method=template")


def test_synthesizing_asks_aws_for_nothing(checkout: Checkout) -> None:
    ran = checkout.run("synth", "prod", **TOLD)
    assert ran.status == 0, ran.stderr
    assert [line.split()[2] for line in ran.asked] == ["--ignore-scripts", "build", "synth"]
    assert "Stage prod is in cdk.out/prod." in ran.stdout


@pytest.mark.parametrize("action", ["deploy", "diff"])
@pytest.mark.parametrize(
    ("region", "said"), [(None, "it is not set"), ("Ireland", "'Ireland' is no region")]
)
def test_the_region_has_to_be_named(
    checkout: Checkout, action: str, region: str | None, said: str
) -> None:
    environment = TOLD if region is None else {**TOLD, "AWS_REGION": region}
    ran = checkout.run(action, "dev", **environment)
    assert (ran.status, ran.asked) == (1, [])
    assert f"AWS_REGION has to name the region of stage dev for a {action}" in ran.stderr
    assert said in ran.stderr


@pytest.mark.parametrize("arguments", [("deploy",), ("deploy", "local"), ("synth", "dev")])
def test_nothing_is_begun_that_cannot_be_done(
    checkout: Checkout, arguments: tuple[str, ...]
) -> None:
    ran = checkout.run(*arguments, **REGION)
    assert (ran.status, ran.asked) == (1, [])
    (line,) = ran.stderr.splitlines()
    assert line.startswith("till: ")


def test_a_cdk_that_is_not_there_is_one_sentence(checkout: Checkout) -> None:
    checkout.cdk.unlink()
    ran = checkout.run("synth", "dev", **TOLD)
    assert (ran.status, ran.asked) == (1, [])
    assert "The CDK command line is not installed: make synth does that." in ran.stderr


def built(ran: Ran) -> bool:
    assert ran.status == 0, ran.stderr
    return "npm run build" in ran.asked


def test_the_back_office_is_built_when_it_has_changed(checkout: Checkout) -> None:
    assert built(checkout.run("synth", "dev", **TOLD))
    assert not built(checkout.run("synth", "prod", **TOLD))
    (checkout.folder / "backoffice" / "src" / "main.tsx").write_text("another page")
    assert built(checkout.run("synth", "dev", **TOLD))
    (checkout.folder / "docs" / "openapi.json").write_text('{"paths": {}}')
    assert built(checkout.run("synth", "dev", **TOLD))


def test_the_back_office_is_built_when_somebody_else_built_another(checkout: Checkout) -> None:
    assert built(checkout.run("synth", "dev", **TOLD))
    checkout.page.write_text("built by make run, from other sources")
    assert built(checkout.run("synth", "dev", **TOLD))
    assert not built(checkout.run("synth", "dev", **TOLD))


@pytest.mark.parametrize(
    ("fails_at", "said"),
    [
        ("'run build'", "npm run build failed in backoffice/"),
        ("*synth*", "The stage could not be synthesized"),
        ("*' deploy '*", "The stage could not be deployed"),
    ],
)
def test_what_fails_ends_it(checkout: Checkout, fails_at: str, said: str) -> None:
    checkout.stand_in(fails_at=fails_at)
    ran = checkout.run("deploy", "dev", **TOLD, **REGION)
    assert ran.status == 1
    assert said in ran.stderr
    assert "https://abc.example.com" not in ran.stdout


def test_a_build_that_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.stand_in(fails_at="'run build'")
    assert checkout.run("synth", "dev", **TOLD).status == 1
    checkout.stand_in()
    assert built(checkout.run("synth", "dev", **TOLD))


def test_a_qualifier_that_is_none_is_refused_before_anything_is_built() -> None:
    with pytest.raises(DeployError, match="'Not-One' is no qualifier of a CDK bootstrap"):
        context_for("dev", {**TOLD, "TILL_BOOTSTRAP_QUALIFIER": "Not-One"})


def test_destroying_takes_compute_down_and_nothing_else(checkout: Checkout) -> None:
    ran = checkout.run("destroy", "dev", "--confirm", "dev", **TOLD, **REGION)
    assert ran.status == 0, ran.stderr
    assembly = checkout.folder / "cdk.out" / "dev"
    assert ran.asked[-1].startswith(
        f"node {checkout.cdk} destroy --app {assembly} till-dev-compute --exclusively --force"
    )
    assert "make deploy STAGE=dev brings it back" in ran.stdout


@pytest.mark.parametrize("confirmed", [(), ("--confirm", "yes"), ("--confirm", "staging")])
def test_nothing_is_destroyed_that_is_not_named_twice(
    checkout: Checkout, confirmed: tuple[str, ...]
) -> None:
    ran = checkout.run("destroy", "prod", *confirmed, **TOLD, **REGION)
    assert (ran.status, ran.asked) == (1, [])
    assert "Pass CONFIRM=prod if you mean it. Nothing was changed." in ran.stderr
