"""`/report pull aws`: findings straight from Security Hub."""

import re
from collections.abc import Sequence

from audit.errors import InputError, RefusedError
from audit.findings import Severity
from audit.ports import Ingested
from audit.pulling import PullRequest
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape
from handlers.services import Services
from remediation.ports import Request

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_LONGEST_REASON = 300


def pull_report(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Fetch findings into a report; say privately what came.

    Raises:
        InputError: a word means nothing here.
        RefusedError: this bot is not set up to fetch.
        CountersignError: Security Hub cannot be asked, or has nothing.
    """
    wanted = read_request(words)
    if services.pull is None:
        raise RefusedError("This bot is not set up to fetch findings.")
    return describe(services.pull(wanted, actor=request.actor, now=services.clock()), "Security Hub")


def read_request(words: Sequence[str]) -> PullRequest:
    """Return what the words ask for: a region, an account, severities, in any order.

    Raises:
        InputError: a word is none of these, or not from AWS.
    """
    service, *others = words
    if service.lower() != "aws":
        raise InputError(f"Findings come from aws, not from “{service[:40]}”. Try /report pull aws")
    regions = [word for word in others if _REGION.fullmatch(word)]
    accounts = [word for word in others if _ACCOUNT.fullmatch(word)]
    rest = [word for word in others if word not in {*regions, *accounts}]
    if len(regions) > 1 or len(accounts) > 1:
        raise InputError(
            "Name one region and one account at most: /report pull aws eu-central-1 123456789012"
        )
    return PullRequest(
        region=regions[0] if regions else "",
        account_id=accounts[0] if accounts else "",
        severities=tuple(map(Severity.parse, rest)),
    )


def describe(done: Ingested, source: str) -> Message:
    """Return what became of a report: its id, its counts, and what was left out."""
    header, counts = done.header, done.header.summary
    failing = ", ".join(f"{counts[level]} {level}" for level in ("critical", "high", "medium", "low"))
    said = f"{code(header.report_id, 40)}: {counts['total_findings']:,} findings from {escape(source, 150)}. Failing: {failing}."
    if not done.is_new:
        said += " The very same were here before; nothing changed."
    if header.rejected:
        first = escape(header.rejected[0], _LONGEST_REASON)
        said += f" {len(header.rejected):,} lines about what was left out, such as: {first}"
    return Message(said)
