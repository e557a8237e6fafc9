"""A bucket's tags protect it, say who keeps it, and count as protecting it where they cannot be read."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from audit.errors import RefusedError
from audit.findings import Finding
from remediation.library import PlaybookLibrary
from remediation.plan import ActionPlan
from remediation.planning import Planner
from remediation.policy import Policy
from remediation.protection import Protection
from tests.contract.cases.contract import OneClient, aws_registry

PROTECTED = Protection(tags=("countersign:protected=true",))
BOOK = PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"]


class NoTags:
    """A client that may not read tags."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        if name == "get_bucket_tagging":
            raise_denied = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {}}
            return lambda **_: (_ for _ in ()).throw(ClientError(raise_denied, "GetBucketTagging"))  # type: ignore[arg-type]
        return getattr(self._client, name)


def draw(client: object, finding: Finding, rules: Protection | None = None) -> ActionPlan:
    planner = Planner(aws_registry(OneClient(client)), Policy(protection=rules or Protection()))
    return planner.draw_up(BOOK, finding).actions[0]


def tag(s3: Any, bucket: str, **tags: str) -> None:
    tagging = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tagging)


def test_a_protected_tag_refuses(s3: Any, bucket: str, finding: Finding) -> None:
    draw(s3, finding, PROTECTED)  # no tags at all
    tag(s3, bucket, owner="ana")
    draw(s3, finding, PROTECTED)
    tag(s3, bucket, **{"countersign:protected": "true"})
    with pytest.raises(RefusedError, match="is protected by its tag countersign:protected"):
        draw(s3, finding, PROTECTED)


def test_tags_that_may_not_be_read_refuse_only_where_tags_protect(s3: Any, finding: Finding) -> None:
    draw(NoTags(s3), finding)
    with pytest.raises(RefusedError, match="could not be read"):
        draw(NoTags(s3), finding, PROTECTED)


def test_what_terraform_keeps_is_said(s3: Any, bucket: str, finding: Finding) -> None:
    tag(s3, bucket, ManagedBy="terraform")
    assert (
        "Managed by terraform; the change may be reverted by the next deployment." in draw(s3, finding).notes
    )


def test_the_bare_name_of_a_bucket_is_protected_by_its_arn(s3: Any, bucket: str, finding: Finding) -> None:
    from dataclasses import replace

    rules = Protection(resources=(f"arn:aws:s3:::{bucket}",))
    with pytest.raises(RefusedError, match="is protected"):
        draw(s3, replace(finding, resource=bucket), rules)
