"""Buckets: who gets in, and what becomes of what they store. Each is asked in its own region."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from audit.collect.facts import Facts, Unread
from audit.collect.reader import Answer, Ask, Reader, unread
from audit.errors import ActionError

BUCKETS: Final = Ask("s3", "list_buckets", "s3:ListAllMyBuckets")
LOCATION: Final = Ask("s3", "get_bucket_location", "s3:GetBucketLocation")
_EVERYONE: Final = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
# What `get_bucket_location` says of the two oldest regions.
_OLD_NAMES: Final = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}


@dataclass(frozen=True, slots=True)
class _Question:
    """A call about one bucket, and what its answer means; `none` is what it means where there is none."""

    ask: Ask
    get: Callable[[Answer], object]
    none: object = None


def _is_public(answer: Answer) -> bool:
    return bool(answer["PolicyStatus"].get("IsPublic"))


def _is_granted(answer: Answer) -> bool:
    return any(grant.get("Grantee", {}).get("URI") in _EVERYONE for grant in answer.get("Grants", ()))


def _algorithm(answer: Answer) -> str:
    rules = answer["ServerSideEncryptionConfiguration"].get("Rules", ())
    named = (rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules)
    return next(filter(None, named), "")


def _log_place(answer: Answer) -> str:
    return str(answer.get("LoggingEnabled", {}).get("TargetBucket", ""))


def _block(answer: Answer) -> Mapping[str, object]:
    return dict(answer["PublicAccessBlockConfiguration"])


_QUESTIONS: Final[Mapping[str, _Question]] = {
    "public_access_block": _Question(
        Ask(
            "s3",
            "get_public_access_block",
            "s3:GetBucketPublicAccessBlock",
            absent=frozenset({"NoSuchPublicAccessBlockConfiguration"}),
        ),
        _block,
    ),
    "policy_is_public": _Question(
        Ask(
            "s3",
            "get_bucket_policy_status",
            "s3:GetBucketPolicyStatus",
            absent=frozenset({"NoSuchBucketPolicy"}),
        ),
        _is_public,
        none=False,
    ),
    "acl_is_public": _Question(Ask("s3", "get_bucket_acl", "s3:GetBucketAcl"), _is_granted),
    "encryption": _Question(
        Ask(
            "s3",
            "get_bucket_encryption",
            "s3:GetEncryptionConfiguration",
            absent=frozenset({"ServerSideEncryptionConfigurationNotFoundError"}),
        ),
        _algorithm,
    ),
    "logging": _Question(Ask("s3", "get_bucket_logging", "s3:GetBucketLogging"), _log_place),
    "versioning": _Question(
        Ask("s3", "get_bucket_versioning", "s3:GetBucketVersioning"),
        lambda answer: str(answer.get("Status", "")),
    ),
}
ASKS: Final = (BUCKETS, LOCATION, *(question.ask for question in _QUESTIONS.values()))


def read_buckets(reader: Reader, *, home: str) -> Iterator[Facts]:
    """Yield each bucket of the account, of whatever region; `home` is the region to list them from.

    Raises:
        ActionError: they cannot be listed.
    """
    for bucket in reader.entries(replace(BUCKETS, region=home), key="Buckets"):
        yield _facts(reader, str(bucket["Name"]), home=home)


def _facts(reader: Reader, name: str, *, home: str) -> Facts:
    try:
        answer = reader.read(replace(LOCATION, region=home), Bucket=name) or {}
    except ActionError as error:
        reason = unread(error, LOCATION)
        return {"name": name, **dict.fromkeys(_QUESTIONS, reason)}
    region = _OLD_NAMES.get(answer.get("LocationConstraint"), "") or str(answer["LocationConstraint"])
    said = {key: _answer(reader, question, name, region) for key, question in _QUESTIONS.items()}
    return {"name": name, "region": region, **said}


def _answer(reader: Reader, question: _Question, name: str, region: str) -> object:
    found = reader.value(replace(question.ask, region=region), question.get, Bucket=name)
    return question.none if found is None and not isinstance(found, Unread) else found
