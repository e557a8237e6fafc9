"""A resource's tags: from an answer that has them, or by a call of their own where they are only good to know."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from audit.errors import ActionError
from remediation.actions.aws.errors import aws_errors, error_code

Tags = Mapping[str, str]
_NO_TAGS = "NoSuchTagSet"


def to_tags(entries: Iterable[Mapping[str, Any]] | None) -> Tags:
    """Return tags as AWS lists them, `Key` and `Value` each, as a mapping. AWS leaves the list out where there are none."""
    return {str(entry["Key"]): str(entry["Value"]) for entry in entries or ()}


def read_or_none(doing: str, read: Callable[[], Tags]) -> Tags | None:
    """Return what a call says; None where it cannot be made: then whoever protects by tag has to refuse."""
    try:
        with aws_errors(doing):
            return read()
    except ActionError:
        return None


def bucket_tags(s3: Any, where: Mapping[str, str]) -> Tags | None:  # noqa: ANN401 - see `AwsClients`
    """Return a bucket's tags, None where they cannot be read; `where` are the arguments that name the bucket."""

    def read() -> Tags:
        try:
            return to_tags(s3.get_bucket_tagging(**where)["TagSet"])
        except s3.exceptions.ClientError as error:
            if error_code(error) != _NO_TAGS:
                raise
            return {}

    return read_or_none(f"read the tags of {where['Bucket']}", read)
