"""The words that say what to fetch: `aws eu-central-1 123456789012 critical high archived since:7`.

Slack, schedules and the command line read them here, so that all understand the same; a schedule is stored as these words.
"""

import re
from collections.abc import Sequence
from typing import Final

from audit.errors import InputError
from audit.findings import Severity
from audit.pulling import PullRequest

USAGE: Final = "aws [REGION] [ACCOUNT] [SEVERITY…]"
_AWS: Final = "aws"
_ARCHIVED: Final = "archived"
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d", re.ASCII)
_SINCE: Final = re.compile(r"since:(\d{1,4})", re.ASCII)


def read_pull(words: Sequence[str]) -> PullRequest:
    """Return what the words ask for: `aws`, then a region, an account, severities, `archived`, `since:DAYS`, in any order.

    Raises:
        InputError: a word is none of these, or not from AWS.
    """
    service, *others = words or [""]
    if service.lower() != _AWS:
        raise InputError(f"Findings come from aws, not from “{service[:40]}”. Try pull aws")
    regions = [word for word in others if _REGION.fullmatch(word)]
    accounts = [word for word in others if _ACCOUNT.fullmatch(word)]
    since = [match[1] for word in others if (match := _SINCE.fullmatch(word.lower()))]
    if max(len(regions), len(accounts), len(since)) > 1:
        raise InputError("Name one region and one account at most: pull aws eu-central-1 123456789012")
    rest = [
        word for word in others if word not in {*regions, *accounts} and not _SINCE.fullmatch(word.lower())
    ]
    request = PullRequest(
        region=regions[0] if regions else "",
        account_id=accounts[0] if accounts else "",
        severities=tuple(Severity.parse(word) for word in rest if word.lower() != _ARCHIVED),
        with_archived=any(word.lower() == _ARCHIVED for word in rest),
        since_days=int(since[0]) if since else 0,
    )
    request.check()
    return request


def spell_pull(request: PullRequest) -> str:
    """Return the words that ask for this, as `read_pull` reads them back."""
    levels = sorted(set(request.severities), key=lambda severity: severity.rank)
    words = [_AWS, request.region, request.account_id, *(level.value.lower() for level in levels)]
    words.append(_ARCHIVED if request.with_archived else "")
    words.append(f"since:{request.since_days}" if request.since_days else "")
    return " ".join(filter(None, words))
