"""Which of AWS's resources are protected by their tags: those whose tags an action reads. All others count as protected."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from audit.errors import RefusedError
from remediation.protection import Protection
from tests.contract.cases.aws_account_public_access import AccountPublicAccessCase
from tests.contract.cases.aws_ebs import EbsDefaultEncryptionCase, EncryptedCopyCase
from tests.contract.cases.aws_identity import MfaGroupCase, RotateKeyCase, UserCase
from tests.contract.cases.aws_logging import (
    BucketLoggingCase,
    CreateTrailCase,
    FlowLogsCase,
    StartLoggingCase,
)
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.contract.cases.aws_security_group import SecurityGroupCase
from tests.contract.cases.contract import ActionCase

OWN = {"Key": "countersign:protected", "Value": "true"}
RULES = Protection(tags=("countersign:protected=true",))


def tag_instance(case: Any, resource: str) -> None:
    case.ec2.create_tags(Resources=[resource], Tags=[OWN])


def tag_bucket(s3: Any, bucket: str) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [OWN]})


def tag_user(case: UserCase) -> None:
    case.iam.tag_user(UserName=case.user, Tags=[OWN])


TAGGED: Mapping[type[ActionCase], Callable[[Any], None]] = {
    SecurityGroupCase: lambda case: tag_instance(case, case.group),
    EncryptedCopyCase: lambda case: tag_instance(case, case.volume),
    FlowLogsCase: lambda case: tag_instance(case, case.vpc),
    StartLoggingCase: lambda case: case.trails.add_tags(ResourceId=case.arn, TagsList=[OWN]),
    MfaGroupCase: tag_user,
    RotateKeyCase: tag_user,
    BucketLoggingCase: lambda case: tag_bucket(case.s3, case.bucket),
    S3PublicAccessCase: lambda case: tag_bucket(case.s3, case.bucket),
}
UNTAGGED = (AccountPublicAccessCase, EbsDefaultEncryptionCase, CreateTrailCase)


def tags_of(case: ActionCase, *, wrap: Any = None) -> Mapping[str, str] | None:
    return case.registry(wrap=wrap).resolve(case.written).draft(case.target()).tags


@pytest.mark.parametrize("kind", TAGGED, ids=lambda kind: kind.__name__)
def test_its_tags_are_read_and_protect_it(request: pytest.FixtureRequest, kind: type[ActionCase]) -> None:
    case = kind.prepare(request)
    case.set_state(case.unsettled)
    RULES.refuse_tags("x", tags_of(case))
    TAGGED[kind](case)
    assert tags_of(case) == {OWN["Key"]: OWN["Value"]}
    with pytest.raises(RefusedError, match="protected by its tag"):
        RULES.refuse_tags("x", tags_of(case))


@pytest.mark.parametrize("kind", UNTAGGED, ids=lambda kind: kind.__name__)
def test_a_setting_has_no_tags_that_anybody_could_read(
    request: pytest.FixtureRequest, kind: type[ActionCase]
) -> None:
    case = kind.prepare(request)
    case.set_state(case.unsettled)
    assert tags_of(case) is None
    with pytest.raises(RefusedError, match="could not be read"):
        RULES.refuse_tags("x", tags_of(case))


class Denying:
    """A client that may not read tags where that takes a call of its own."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        if name not in {"list_tags", "get_bucket_tagging"}:
            return getattr(self._client, name)

        def deny(**_: object) -> None:
            raise self._client.exceptions.ClientError(
                {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {}}, name
            )

        return deny


@pytest.mark.parametrize("kind", [StartLoggingCase, BucketLoggingCase, S3PublicAccessCase])
def test_tags_that_may_not_be_read_stop_nothing_but_where_tags_protect(
    request: pytest.FixtureRequest, kind: type[ActionCase]
) -> None:
    case = kind.prepare(request)
    case.set_state(case.unsettled)
    assert tags_of(case, wrap=Denying) is None
