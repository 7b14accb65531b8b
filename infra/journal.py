"""The bucket in which every version of an account is kept, and none can be changed or deleted."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.checks import accept
from infra.settings import StageSettings
from infra.written_down import WrittenDown

WATCHER: Final = "watch_ledger"
"""The operation that alone writes to the journal."""


class Journal(Construct):
    """The bucket of the journal: docs/evidence.md.

    Object Lock in compliance mode: until its time has passed, no one can delete an object or
    shorten its time, the account's root user included.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(
                Duration.days(settings.journal_retention_days)
            ),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=settings.is_aws,
            encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=key is not None,
            removal_policy=removal_policy,
        )
        accept(
            bucket,
            {
                "S1": "Only one function writes to it, and what it wrote is there to be seen. "
                "CloudTrail's data events tell who read it, where an account has them."
            },
        )
        if settings.is_aws:
            _only_the_watcher_writes(bucket, settings)
        WrittenDown.JOURNAL.write(self, settings, bucket.bucket_name)
        CfnOutput(Stack.of(self), "JournalBucketName", value=bucket.bucket_name)


def _only_the_watcher_writes(bucket: s3.Bucket, settings: StageSettings) -> None:
    """No right in the account gets past this, an administrator's included, while it is there."""
    watcher = Stack.of(bucket).format_arn(
        service="iam",
        region="",
        resource="role",
        # CloudFormation makes the rest of the name up.
        resource_name=f"{settings.prefix}-compute-{WATCHER.replace('_', '')}*",
    )
    objects = bucket.arn_for_objects("*")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="OnlyTheWatcherAdds",
            effect=iam.Effect.DENY,
            principals=[iam.StarPrincipal()],
            actions=["s3:PutObject"],
            resources=[objects],
            conditions={"ArnNotLike": {"aws:PrincipalArn": watcher}},
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="NothingIsDeleted",
            effect=iam.Effect.DENY,
            principals=[iam.StarPrincipal()],
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            resources=[objects],
        )
    )
