"""`/report pull aws`: findings straight from Security Hub."""

from collections.abc import Sequence

from audit.errors import RefusedError
from audit.ports import Ingested
from audit.pull_words import read_pull
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape
from handlers.services import Services
from remediation.ports import Request

_LONGEST_REASON = 300


def pull_report(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Fetch findings into a report; say privately what came.

    Raises:
        InputError: a word means nothing here.
        RefusedError: this bot is not set up to fetch.
        HandedOverError: this process is stopping; the pages that came are kept.
        CountersignError: Security Hub cannot be asked, or has nothing.
    """
    wanted = read_pull(words)
    if services.pull is None:
        raise RefusedError("This bot is not set up to fetch findings.")
    done = services.pull(
        wanted, actor=request.actor, now=services.clock(), say=lambda _pages: services.go_on()
    )
    return describe(done, "Security Hub")


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
