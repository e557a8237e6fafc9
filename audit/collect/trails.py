"""CloudTrail's trails: those of the account, and the organization's that cover it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from audit.collect.facts import Facts, Unread
from audit.collect.reader import Answer, Ask, Reader, unread
from audit.errors import ActionError

TRAILS: Final = Ask("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails")
STATUS: Final = Ask("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus")
ASKS: Final = (TRAILS, STATUS)


def read_trails(reader: Reader, regions: Iterable[str]) -> list[Answer] | Unread:
    """Return each trail seen from these regions once, its `is_logging` beside what AWS says of it.

    One region that cannot be asked makes the answer `Unread`: it might have the very trail that all others lack.
    """
    trails: dict[str, Answer] = {}
    try:
        for region in regions:
            answer = reader.read(replace(TRAILS, region=region), includeShadowTrails=True) or {}
            trails |= {str(trail["TrailARN"]): trail for trail in answer.get("trailList", ())}
    except ActionError as error:
        return unread(error, TRAILS)
    return [{**trail, "is_logging": _is_logging(reader, trail)} for trail in trails.values()]


def _is_logging(reader: Reader, trail: Answer) -> object:
    ask = replace(STATUS, region=str(trail.get("HomeRegion", "")))
    return reader.value(ask, lambda answer: bool(answer.get("IsLogging")), Name=trail["TrailARN"])


def account_facts(trails: list[Answer] | Unread) -> Facts:
    """Return the trails that record in all regions, for the check on the account.

    Where none is known to, and of one nobody knows whether it records, nobody knows.
    """
    if isinstance(trails, Unread):
        return {"recording_trails": trails}
    everywhere = [trail for trail in trails if trail.get("IsMultiRegionTrail")]
    known = [{"name": trail["Name"]} for trail in everywhere if trail["is_logging"] is True]
    unknown = [trail["is_logging"] for trail in everywhere if isinstance(trail["is_logging"], Unread)]
    return {"recording_trails": unknown[0] if unknown and not known else known}


def trail_facts(trails: list[Answer] | Unread) -> Iterator[tuple[Answer, Facts]]:
    """Yield each trail with what the checks on trails are asked of."""
    for trail in [] if isinstance(trails, Unread) else trails:
        yield (
            trail,
            {
                "log_file_validation": bool(trail.get("LogFileValidationEnabled")),
                "kms_key": str(trail.get("KmsKeyId") or ""),
            },
        )
