"""Whom AWS lets in from GitHub Actions, and what they may do there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from aws_cdk import App, assertions

from infra.cdk import QUALIFIER_CONTEXT
from infra.ci import settings_from
from infra.ci_stack import DEPLOY_ROLE, DIFF_ROLE, CiSettings, CiSettingsError, CiStack
from tests.infra.templates import Json, Resource, Template, as_list, render

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "octo@101/till@202"
ROLE = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-hnb659fds-"


def template(**context: str) -> Template:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    stack = CiStack(app, "ci", settings=settings_from(context.get))
    return Template(cast("Json", assertions.Template.from_stack(stack).to_json()))


@pytest.fixture(scope="module")
def ci() -> Template:
    return template(repository=REPOSITORY)


def role(found: Template, name: str) -> Resource:
    (one,) = (r for r in found.all("AWS::IAM::Role") if r.properties["RoleName"] == name)
    return one


def trusted(one: Resource) -> Json:
    (statement,) = one.properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    found: Json = statement
    return found


def subjects(one: Resource) -> list[str]:
    operator = trusted(one)["Condition"]["StringEquals"]
    return as_list(operator["token.actions.githubusercontent.com:sub"])


def taken(one: Resource) -> list[str]:
    """The roles that a role may take: the one thing that it may do."""
    assert "ManagedPolicyArns" not in one.properties
    (policy,) = one.properties["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
    return [render(resource) for resource in as_list(statement["Resource"])]


def test_nobody_holds_a_key(ci: Template) -> None:
    assert {one.type for one in ci.all()} == {"AWS::IAM::OIDCProvider", "AWS::IAM::Role"}


def test_the_provider_is_githubs_and_its_tokens_are_for_aws(ci: Template) -> None:
    provider = ci.one("AWS::IAM::OIDCProvider")
    assert provider.properties["Url"] == "https://token.actions.githubusercontent.com"
    assert provider.properties["ClientIdList"] == ["sts.amazonaws.com"]
    for one in ci.all("AWS::IAM::Role"):
        assert trusted(one)["Principal"] == {"Federated": {"Ref": provider.logical_id}}


@pytest.mark.parametrize("name", [DEPLOY_ROLE, DIFF_ROLE])
def test_only_tokens_of_this_repository_are_believed_to_the_letter(ci: Template, name: str) -> None:
    condition = trusted(role(ci, name))["Condition"]
    assert list(condition) == ["StringEquals"]
    assert condition["StringEquals"]["token.actions.githubusercontent.com:aud"] == (
        "sts.amazonaws.com"
    )
    for subject in subjects(role(ci, name)):
        assert subject.startswith(f"repo:{REPOSITORY}:")
        assert "*" not in subject


def test_deploying_takes_an_environment(ci: Template) -> None:
    assert subjects(role(ci, DEPLOY_ROLE)) == [
        f"repo:{REPOSITORY}:environment:staging",
        f"repo:{REPOSITORY}:environment:production",
    ]


def test_deploying_takes_the_workflow_that_deploys_as_it_is_on_main(ci: Template) -> None:
    """A branch could change the workflow, or name the environment in one of its own."""
    claims = trusted(role(ci, DEPLOY_ROLE))["Condition"]["StringEquals"]
    issuer = "token.actions.githubusercontent.com"
    assert claims[f"{issuer}:ref"] == "refs/heads/main"
    assert claims[f"{issuer}:job_workflow_ref"] == (
        "octo/till/.github/workflows/deploy.yml@refs/heads/main"
    )
    assert (ROOT / ".github" / "workflows" / "deploy.yml").is_file()
    # A pull request has a ref of its own.
    assert f"{issuer}:ref" not in trusted(role(ci, DIFF_ROLE))["Condition"]["StringEquals"]


def test_comparing_takes_a_pull_request(ci: Template) -> None:
    assert subjects(role(ci, DIFF_ROLE)) == [f"repo:{REPOSITORY}:pull_request"]


def test_a_role_may_only_take_roles_of_the_bootstrap(ci: Template) -> None:
    here = "-${AWS::AccountId}-${AWS::Region}"
    assert taken(role(ci, DEPLOY_ROLE)) == [
        f"{ROLE}deploy-role{here}",
        f"{ROLE}file-publishing-role{here}",
        f"{ROLE}lookup-role{here}",
    ]
    assert taken(role(ci, DIFF_ROLE)) == [f"{ROLE}lookup-role{here}"]


def test_a_role_is_lent_for_an_hour(ci: Template) -> None:
    for one in ci.all("AWS::IAM::Role"):
        assert one.properties["MaxSessionDuration"] == 3600


def test_an_account_may_be_for_one_environment_and_without_pull_requests() -> None:
    prod = template(repository=REPOSITORY, environments="production", diff="no")
    (one,) = prod.all("AWS::IAM::Role")
    assert subjects(one) == [f"repo:{REPOSITORY}:environment:production"]


def test_a_bootstrap_of_ones_own_and_two_regions() -> None:
    found = template(
        **{QUALIFIER_CONTEXT: "till"}, repository=REPOSITORY, regions="eu-west-1, us-east-1"
    )
    assert taken(role(found, DIFF_ROLE)) == [
        f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/"
        f"cdk-till-lookup-role-${{AWS::AccountId}}-{region}"
        for region in ("eu-west-1", "us-east-1")
    ]


def test_an_account_that_has_the_provider_keeps_it() -> None:
    found = template(repository=REPOSITORY, provider="existing")
    assert found.all("AWS::IAM::OIDCProvider") == []
    principal = trusted(role(found, DIFF_ROLE))["Principal"]["Federated"]
    assert render(principal) == (
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/"
        "token.actions.githubusercontent.com"
    )


@pytest.mark.parametrize(
    "repository",
    ["", "till", "octo/*", "octo/till:ref", "octo@1/till", "octo/till@2", "a/b/c", "octo@x/till@2"],
)
def test_what_is_no_repository_is_refused(repository: str) -> None:
    with pytest.raises(CiSettingsError, match="OWNER/NAME"):
        settings_from({"repository": repository}.get)


def test_repositories_from_before_the_numbers_have_names_only() -> None:
    assert settings_from({"repository": "octo/till"}.get) == CiSettings(repository="octo/till")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("environments", "staging,dev", "environments must be some of staging, production"),
        ("regions", "eu-west-1,*", "no region"),
        (QUALIFIER_CONTEXT, "*", "no qualifier"),
        ("provider", "yes", "provider must be"),
        ("diff", "maybe", "diff must be"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(name: str, value: str, said: str) -> None:
    with pytest.raises(CiSettingsError, match=said):
        settings_from({"repository": REPOSITORY, name: value}.get)


def test_the_app_says_what_is_missing() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "infra.ci"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.strip().endswith("No repository was named: pass -c repository=OWNER/NAME.")
