"""The back office where people reach it: S3 behind CloudFront, with the API on the same origin.

One origin means that the browser needs no CORS, the policy of the page can name ``'self'``, and
what runs on one's own machine is the same shape: there ``vite preview`` does all of this.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aws_cdk import (
    CfnElement,
    CfnOutput,
    Duration,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from infra import ROOT
from infra.checks import accept
from infra.names import add_records
from infra.settings import DeploymentSettings, StageSettings
from infra.written_down import WrittenDown
from till.http.routes import BASE_PATH

BACKOFFICE: Final = ROOT / "backoffice"
BUILT: Final = BACKOFFICE / "dist"
HASHED: Final = "assets"
"""The folder of those files that have a hash of their content in their name."""

ERROR_STATUSES: Final = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
"""Every status for which CloudFront takes a setting."""

_HEADERS: Final = BACKOFFICE / "security-headers.json"
"""The one place of these headers: the local server of the back office reads it, too."""

_PAGE_OF_AN_ADDRESS: Final = """\
function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') === -1) {
    request.uri = '/index.html';
  }
  return request;
}
"""
"""Every address within the application is its one page. Not done by CloudFront's error pages:
those would also answer for the API, whose 404s are problem documents."""


class BackofficeNotBuiltError(Exception):
    """There is nothing to put into the bucket. The message is for the person who tried."""


class EdgeStack(Stack):
    """The built application, and the API under ``/v1``, behind one CloudFront address."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        built: Path = BUILT,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Till, stage {settings.stage}: the back office.",
        )
        if not (built / "index.html").is_file():
            raise BackofficeNotBuiltError(
                "The back office is not built: run npm ci and npm run build in backoffice/."
            )
        bucket = s3.Bucket(
            self,
            "Files",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            # All that is in it is built from this repository.
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        accept(
            bucket,
            {"S1": "Only CloudFront reads it, and what is in it is there for all to read."},
        )
        distribution = self._make_distribution(settings, bucket)
        self._put_files(settings, bucket, built)
        domain_name = settings.deployment.domain_name
        if domain_name:
            add_records(
                self,
                settings.deployment,
                domain_name,
                route53_targets.CloudFrontTarget(distribution),
                ipv6=True,
            )
        host = domain_name or distribution.distribution_domain_name
        CfnOutput(self, "BackofficeUrl", value=f"https://{host}")

    def _make_distribution(
        self, settings: StageSettings, bucket: s3.Bucket
    ) -> cloudfront.Distribution:
        headers = self._make_headers(settings)
        api_id = WrittenDown.API_ID.look_up(self, settings)
        to_page = cloudfront.Function(
            self,
            "PageOfAnAddress",
            code=cloudfront.FunctionCode.from_inline(_PAGE_OF_AN_ADDRESS),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            comment="Every address of the application is its one page.",
        )
        deployment = settings.deployment
        certificate = (
            acm.Certificate.from_certificate_arn(self, "Certificate", deployment.certificate_arn)
            if deployment.domain_name
            else None
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{settings.prefix}: the back office",
            default_root_object="index.html",
            domain_names=[deployment.domain_name] if certificate else None,
            certificate=certificate,
            # Under CloudFront's own name its certificate says what is spoken.
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021
            if certificate
            else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=headers,
                function_associations=[
                    cloudfront.FunctionAssociation(
                        event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=to_page
                    )
                ],
            ),
            additional_behaviors={
                # The API's own stage name is the path: nothing has to be rewritten.
                f"/{BASE_PATH}/*": cloudfront.BehaviorOptions(
                    origin=origins.HttpOrigin(
                        f"{api_id}.execute-api.{self.region}.{self.url_suffix}",
                        protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                        read_timeout=Duration.seconds(30),
                    ),
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                    allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                    cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                    origin_request_policy=(
                        cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER
                    ),
                    response_headers_policy=headers,
                )
            },
            # By default CloudFront keeps these for 10 s, whatever the behaviour's cache policy
            # says, and gives them to other callers: neither token nor query is in its key.
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=Duration.seconds(0))
                for status in ERROR_STATUSES
            ],
        )
        accept(
            distribution,
            {
                "CFR1": "Reps work from where they are. Who may do what is said by their tokens.",
                "CFR2": "What it serves itself is files that are public. The API behind it has a "
                "web ACL, which CloudFront's callers come through as well.",
                "CFR3": "Its log would hold whole addresses, and in those reps search customers by "
                "name. The API writes its own log of every request, without them.",
            }
            | (
                {}
                if certificate
                else {
                    "CFR4": "It cannot be chosen for CloudFront's own name. With a domain_name it "
                    "is TLS 1.2."
                }
            ),
        )
        return distribution

    def _make_headers(self, settings: StageSettings) -> cloudfront.ResponseHeadersPolicy:
        headers = security_headers(settings.deployment)
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            comment=f"{settings.prefix}: what every answer of the back office carries",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=headers.pop("Content-Security-Policy"), override=True
                ),
                content_type_options=_content_type_options(headers),
                frame_options=_frame_options(headers),
                referrer_policy=_referrer_policy(headers),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(730),
                    include_subdomains=True,
                    preload=True,
                    override=True,
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=name, value=value, override=True)
                    for name, value in headers.items()
                ]
            ),
        )

    def _put_files(
        self,
        settings: StageSettings,
        bucket: s3.Bucket,
        built: Path,
    ) -> None:
        """Browsers keep files with a hash in their name, and ask for all others each time.

        So nothing has to be invalidated at CloudFront, and a deploy need not wait for that.
        """
        # Of the CDK's own function that copies the files. It would be kept without end by default.
        log_group = logs.LogGroup(
            self,
            "CopyLog",
            retention=settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        hashed = s3_deployment.BucketDeployment(
            self,
            "HashedFiles",
            sources=[s3_deployment.Source.asset(str(built / HASHED))],
            destination_bucket=bucket,
            destination_key_prefix=HASHED,
            cache_control=[
                s3_deployment.CacheControl.from_string("public, max-age=31536000, immutable")
            ],
            # A page that is open still asks for the files of the release before.
            prune=False,
            log_group=log_group,
        )
        page = s3_deployment.BucketDeployment(
            self,
            "Page",
            sources=[
                s3_deployment.Source.asset(
                    str(built), exclude=[HASHED, f"{HASHED}/**", ".vite", ".vite/**"]
                ),
                s3_deployment.Source.json_data("config.json", configuration(settings)),
            ],
            destination_bucket=bucket,
            cache_control=[s3_deployment.CacheControl.from_string("no-cache")],
            prune=False,
            log_group=log_group,
        )
        # The page must not name files that are not there yet.
        page.node.add_dependency(hashed)
        self._accept_cdks_own_function(hashed, bucket)

    def _accept_cdks_own_function(
        self, deployment: s3_deployment.BucketDeployment, bucket: s3.Bucket
    ) -> None:
        """CDK's function that copies the files: its rights are CDK's, and so is its code."""
        function = deployment.handler_role.node.scope
        if function is None or not isinstance(bucket.node.default_child, CfnElement):
            raise AssertionError("the role is the function's, and the bucket is one")
        name = self.get_logical_id(bucket.node.default_child)
        qualifier = self.synthesizer.bootstrap_qualifier
        assets = f"cdk-{qualifier}-assets-<AWS::AccountId>-<AWS::Region>"
        wildcards = (
            *(
                f"Action::s3:{a}*"
                for a in ("Abort", "DeleteObject", "GetBucket", "GetObject", "List")
            ),
            f"Resource::arn:<AWS::Partition>:s3:::{assets}/*",
            f"Resource::<{name}.Arn>/*",
        )
        accept(
            function,
            {
                "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AWSLambdaBasicExecutionRole]": "CDK's own function, which runs when the stack is "
                "deployed: it is CDK that gives it this.",
                **{
                    f"IAM5[{wildcard}]": "CDK's own function copies whole folders, between the "
                    "bucket of CDK's assets and this one, which it does not know by name."
                    for wildcard in wildcards
                },
                "L1": "CDK's own function: its runtime is CDK's to choose.",
            },
        )


def configuration(settings: StageSettings) -> dict[str, str]:
    """What the application asks for before anything else."""
    deployment = settings.deployment
    return {
        "issuer": deployment.issuer,
        "client_id": deployment.backoffice_client_id,
        "resource": deployment.audience,
        "roles_claim": deployment.roles_claim,
    }


def security_headers(deployment: DeploymentSettings) -> dict[str, str]:
    """The headers of every answer: the page may ask its own host and the issuer's, no others."""
    addresses = (deployment.issuer, deployment.sign_in_url)
    parts = [urlsplit(address) for address in addresses if address]
    issuer = " ".join(dict.fromkeys(f"{one.scheme}://{one.netloc}" for one in parts))
    texts: dict[str, str | list[str]] = json.loads(_HEADERS.read_text(encoding="utf-8"))
    return {
        name: ("; ".join(text) if isinstance(text, list) else text).replace("{issuer}", issuer)
        for name, text in texts.items()
    }


def _content_type_options(headers: dict[str, str]) -> cloudfront.ResponseHeadersContentTypeOptions:
    del headers["X-Content-Type-Options"]  # CloudFront knows the one value that there is.
    return cloudfront.ResponseHeadersContentTypeOptions(override=True)


def _frame_options(headers: dict[str, str]) -> cloudfront.ResponseHeadersFrameOptions:
    option = cloudfront.HeadersFrameOption[headers.pop("X-Frame-Options")]
    return cloudfront.ResponseHeadersFrameOptions(frame_option=option, override=True)


def _referrer_policy(headers: dict[str, str]) -> cloudfront.ResponseHeadersReferrerPolicy:
    name = headers.pop("Referrer-Policy").replace("-", "_").upper()
    return cloudfront.ResponseHeadersReferrerPolicy(
        referrer_policy=cloudfront.HeadersReferrerPolicy[name], override=True
    )
