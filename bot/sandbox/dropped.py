"""A scan that a colleague has dropped into the demo's channel, for somebody to take in."""

import json

from bot.sandbox.cloud import ACCOUNT, PUBLIC_BUCKET, REGION
from bot.sandbox.standin import SlackStandIn

_SCAN = (
    (
        PUBLIC_BUCKET,
        "s3_bucket_level_public_access_block",
        "Public access to the bucket is not blocked",
        "CRITICAL",
    ),
    ("northwind-backups", "s3_bucket_object_versioning", "The bucket keeps no earlier versions", "MEDIUM"),
)


def drop_scan(slack: SlackStandIn) -> None:
    """Let a colleague drop a scan of their own into the channel, for somebody to take in."""
    findings = [
        {
            "id": f"scan-{number}",
            "title": title,
            "severity": severity,
            "category": "Storage",
            "resource": f"arn:aws:s3:::{bucket}",
            "check_id": check,
            "provider": "aws",
            "account_id": ACCOUNT,
            "region": REGION,
        }
        for number, (bucket, check, title, severity) in enumerate(_SCAN, start=1)
    ]
    text = "Scan of our buckets from this morning. Can somebody take it in?"
    content = json.dumps({"findings": findings}, indent=2).encode()
    slack.share("ana", "#security", name="bucket-scan.json", content=content, text=text)
