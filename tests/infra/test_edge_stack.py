"""The back office behind CloudFront, and the one place of its headers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App

from infra.app import Deployment
from infra.edge_stack import BackofficeNotBuiltError, configuration, security_headers
from infra.layers import LayerFolders

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized
    from tests.infra.templates import Template


@pytest.fixture
def edge(prod: Synthesized) -> Template:
    assert prod.edge is not None
    return prod.edge


def behaviours(edge: Template) -> tuple[dict[str, Any], dict[str, Any]]:
    """What becomes of the application's addresses, and of the API's."""
    config = edge.one("AWS::CloudFront::Distribution").properties["DistributionConfig"]
    (api,) = config["CacheBehaviors"]
    return config["DefaultCacheBehavior"], api


def test_the_local_stage_has_none(local: Synthesized) -> None:
    assert local.edge is None


def test_nobody_reaches_the_bucket_but_cloudfront(edge: Template) -> None:
    bucket = edge.one("AWS::S3::Bucket")
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket.properties["BucketEncryption"]
    statements = edge.one("AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]
    readers = [
        s["Principal"]
        for s in statements
        if s["Effect"] == "Allow" and s["Action"] == "s3:GetObject"
    ]
    assert readers == [{"Service": "cloudfront.amazonaws.com"}]
    (refused,) = (s for s in statements if s["Effect"] == "Deny")
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_policy_of_the_page_is_strict(prod: Synthesized, edge: Template) -> None:
    config = edge.one("AWS::CloudFront::ResponseHeadersPolicy").properties[
        "ResponseHeadersPolicyConfig"
    ]
    security = config["SecurityHeadersConfig"]
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy == security_headers(prod.settings.deployment)["Content-Security-Policy"]
    directives = dict(d.strip().split(" ", 1) for d in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["connect-src"] == "'self' https://shop.example.com"
    assert "unsafe" not in policy
    assert security["StrictTransportSecurity"]["IncludeSubdomains"] is True
    assert security["FrameOptions"] == {"FrameOption": "DENY", "Override": True}
    assert security["ReferrerPolicy"] == {"ReferrerPolicy": "no-referrer", "Override": True}
    custom = {item["Header"] for item in config["CustomHeadersConfig"]["Items"]}
    assert custom == {"Permissions-Policy", "Cross-Origin-Opener-Policy"}
    policies = {b["ResponseHeadersPolicyId"]["Ref"] for b in behaviours(edge)}
    assert policies == {edge.one("AWS::CloudFront::ResponseHeadersPolicy").logical_id}


def test_where_people_sign_in_may_be_another_host_of_the_issuer(prod: Synthesized) -> None:
    deployment = replace(
        prod.settings.deployment, sign_in_url="https://sign-in.example.com/oauth2/token"
    )
    policy = security_headers(deployment)["Content-Security-Policy"]
    hosts = "https://shop.example.com https://sign-in.example.com"
    assert f"connect-src 'self' {hosts};" in policy
    assert f"form-action 'self' {hosts};" in policy


def test_the_api_is_on_the_same_origin_and_nothing_of_it_is_cached(edge: Template) -> None:
    page, api = behaviours(edge)
    assert api["PathPattern"] == "/v1/*"
    assert set(api["AllowedMethods"]) >= {"GET", "POST", "PATCH"}
    disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert api["CachePolicyId"] == disabled
    assert "FunctionAssociations" not in api, "its 404s are its own"
    assert page["FunctionAssociations"][0]["EventType"] == "viewer-request"
    assert {b["ViewerProtocolPolicy"] for b in (page, api)} == {"redirect-to-https", "https-only"}


def test_an_error_is_not_kept_for_the_next_caller(edge: Template) -> None:
    """Without this CloudFront answers 404 and 5xx for 10 s, also to who has another token."""
    config = edge.one("AWS::CloudFront::Distribution").properties["DistributionConfig"]
    # These are all that CloudFront takes; with a page of ours the API's own answer would be lost.
    assert config["CustomErrorResponses"] == [
        {"ErrorCode": status, "ErrorCachingMinTTL": 0}
        for status in (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
    ]


def test_the_page_comes_after_the_files_that_it_names(edge: Template) -> None:
    deployments = {
        one.properties["SystemMetadata"]["cache-control"]: one
        for one in edge.all("Custom::CDKBucketDeployment")
    }
    hashed = deployments["public, max-age=31536000, immutable"]
    page = deployments["no-cache"]
    assert any(hashed.logical_id in name for name in page.document["DependsOn"])
    assert hashed.properties["DestinationBucketKeyPrefix"] == "assets"
    assert "DestinationBucketKeyPrefix" not in page.properties
    # Files never change, or are asked for each time: there is nothing to invalidate.
    assert "DistributionId" not in page.properties


def test_the_log_of_what_copies_the_files_is_not_kept_without_end(edge: Template) -> None:
    (group,) = edge.all("AWS::Logs::LogGroup")
    assert group.properties["RetentionInDays"] == 365
    copying = [
        one
        for one in edge.all("AWS::Lambda::Function")
        if one.properties.get("LoggingConfig", {}).get("LogGroup") == {"Ref": group.logical_id}
    ]
    assert len(copying) == 1


def test_the_application_is_told_whom_to_ask(prod: Synthesized) -> None:
    assert configuration(prod.settings) == {
        "issuer": "https://shop.example.com/issuer",
        "client_id": "till-backoffice",
        "resource": "https://till.example/api",
        "roles_claim": "roles",
    }


def test_what_is_not_built_is_not_deployed(prod: Synthesized, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    folders = LayerFolders(till=layer, dependencies=layer, identity=layer)
    with pytest.raises(BackofficeNotBuiltError, match="npm run build"):
        Deployment(
            App(outdir=str(tmp_path / "out")),
            settings=prod.settings,
            layer_folders=folders,
            backoffice=tmp_path / "nowhere",
        )


def test_the_headers_are_written_once() -> None:
    headers = Path(__file__).parents[2] / "backoffice" / "security-headers.json"
    assert json.loads(headers.read_text())["Content-Security-Policy"][0] == "default-src 'none'"
