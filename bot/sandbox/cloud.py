"""A small AWS account for the demo: moto's server with the buckets that the demo report is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.sandbox.account import aws_account
from bot.sandbox.pagesetup import PanelRow

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ACCOUNT = "123456789012"
PUBLIC_BUCKET = "northwind-customer-exports"
UNGUARDED = "northwind-press-kit"
BUCKETS = (PUBLIC_BUCKET, "northwind-backups", UNGUARDED, "northwind-web-assets")
REGION = "us-east-1"
FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class DemoCloud:
    """The account as the demo's page shows it and as somebody else may change it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="demo",
            aws_secret_access_key="demo",  # noqa: S106 - opens nothing
            config=Config(retries={"total_max_attempts": 1}),
        )

    def plant(self) -> None:
        """Create the buckets as the demo report describes them: two open to everyone, one with no block, one half closed."""
        for bucket in (PUBLIC_BUCKET, "northwind-web-assets"):
            self.client.create_bucket(Bucket=bucket)
            self.client.put_bucket_acl(Bucket=bucket, ACL="public-read")
        self.client.create_bucket(Bucket=UNGUARDED)
        for bucket in (PUBLIC_BUCKET, UNGUARDED):
            self.client.delete_public_access_block(Bucket=bucket)
        self._block("northwind-web-assets")
        self.client.create_bucket(
            Bucket="northwind-backups", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        self._block("northwind-backups", BlockPublicAcls=True, IgnorePublicAcls=True)

    def change_from_outside(self) -> None:
        """Flip one switch of the public bucket, as a colleague in the console might."""
        block = self._read_block(PUBLIC_BUCKET) or {}
        self._block(PUBLIC_BUCKET, **{**block, "BlockPublicAcls": not block.get("BlockPublicAcls", False)})

    def rows(self) -> list[PanelRow]:
        """Return every bucket's four switches as they are now."""
        return [row for bucket in BUCKETS for row in self._rows_of(bucket)]

    def _rows_of(self, bucket: str) -> Iterator[PanelRow]:
        block = self._read_block(bucket)
        for flag in FLAGS:
            value = "not set" if block is None else "on" if block.get(flag) else "off"
            yield PanelRow(group=bucket, label=flag, value=value, tone="good" if value == "on" else "bad")

    def _read_block(self, bucket: str) -> dict[str, bool] | None:
        try:
            answer = self.client.get_public_access_block(Bucket=bucket)
        except ClientError:
            return None
        found = answer["PublicAccessBlockConfiguration"]
        return {flag: bool(found.get(flag)) for flag in FLAGS}

    def _block(self, bucket: str, **flags: bool) -> None:
        self.client.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={flag: flags.get(flag, False) for flag in FLAGS},  # type: ignore[arg-type]
        )


@contextmanager
def demo_cloud() -> Iterator[DemoCloud]:
    """Start the account with everything planted; end it."""
    with aws_account() as endpoint:
        cloud = DemoCloud(endpoint)
        cloud.plant()
        yield cloud
