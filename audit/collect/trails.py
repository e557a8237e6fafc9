"""CloudTrail's trails: those of the account, and the organization's that cover it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from audit.collect.facts import Facts, Unread
from audit.collect.reader import Answer, Ask, Reader, unread
from audit.errors import ActionError

TRAILS: Final = Ask("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails")
STATUS: Final = Ask("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus")
SELECTORS: Final = Ask("cloudtrail", "get_event_selectors", "cloudtrail:GetEventSelectors")
ASKS: Final = (TRAILS, STATUS, SELECTORS)


def read_trails(reader: Reader, regions: Iterable[str]) -> list[Answer] | Unread:
    """Return each trail seen from these regions once; beside what AWS says of it, whether it `records` who changed what.

    One region that cannot be asked makes the answer `Unread`: it might have the very trail that all others lack.
    """
    trails: dict[str, Answer] = {}
    try:
        for region in regions:
            answer = reader.read(replace(TRAILS, region=region), includeShadowTrails=True) or {}
            trails |= {str(trail["TrailARN"]): trail for trail in answer.get("trailList", ())}
    except ActionError as error:
        return unread(error, TRAILS)
    return [{**trail, "records": _records(reader, trail)} for trail in trails.values()]


def _records(reader: Reader, trail: Answer) -> object:
    """Tell whether a trail is on and takes all management events; `Unread` where that cannot be read."""
    home, arn = str(trail.get("HomeRegion", "")), trail["TrailARN"]
    is_on = reader.value(replace(STATUS, region=home), lambda answer: bool(answer.get("IsLogging")), Name=arn)
    if is_on is not True:
        return is_on
    return reader.value(replace(SELECTORS, region=home), _takes_management_events, TrailName=arn)


def _takes_management_events(answer: Answer) -> bool:
    """Tell whether reads and writes alike are recorded, by selectors of either kind (CloudTrail API, `GetEventSelectors`)."""
    plain = any(
        selector.get("IncludeManagementEvents") and selector.get("ReadWriteType") == "All"
        for selector in answer.get("EventSelectors") or ()
    )
    advanced = (selector.get("FieldSelectors", ()) for selector in answer.get("AdvancedEventSelectors") or ())
    return plain or any(_is_all_of_management(fields) for fields in advanced)


def _is_all_of_management(fields: Iterable[Answer]) -> bool:
    """Tell whether an advanced selector takes management events and narrows them by nothing."""
    by_name = {str(field.get("Field")): field for field in fields}
    category = by_name.pop("eventCategory", {})
    return category.get("Equals") == ["Management"] and not by_name


def account_facts(trails: list[Answer] | Unread) -> Facts:
    """Return the trails that record in all regions, for the check on the account.

    Where none is known to, and of one nobody knows whether it records, nobody knows.
    """
    if isinstance(trails, Unread):
        return {"recording_trails": trails}
    everywhere = [trail for trail in trails if trail.get("IsMultiRegionTrail")]
    known = [{"name": trail["Name"]} for trail in everywhere if trail["records"] is True]
    unknown = [trail["records"] for trail in everywhere if isinstance(trail["records"], Unread)]
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
