"""What a scheduled fetch found: counts in one message, and a button to the findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, PlainTextObject

from audit.lifecycle import Comparison
from audit.report import ReportHeader
from handlers.blocks.digest import late_words
from handlers.blocks.lists import failing_words
from handlers.blocks.names import SHOW_FINDINGS
from handlers.blocks.paging import FINDINGS, PageRef
from handlers.blocks.parts import Message, context, fields, fit, header, section
from handlers.blocks.texts import code, escape, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched. `report` is None where there was nothing of the kind; `change` is None where there is no earlier fetch.

    `source` is what was asked for, as it was typed, and `query` the words of the search that shows it. `missed` earlier
    ones came to nothing; `due_at` is None where it is in time.
    """

    schedule_id: str
    when: str
    source: str
    report: ReportHeader | None
    change: Comparison | None
    query: Sequence[str] = ()
    missed: int = 0
    due_at: datetime | None = None


def build_fetched(fetched: Fetched) -> Message:
    """Return the message."""

    def build(_room: int) -> list[Block]:
        blocks: list[Block] = [header("Findings fetched"), section(_in_words(fetched))]
        if fetched.missed or fetched.due_at:
            blocks.append(section(late_words(fetched.missed, "run", fetched.due_at)))
        if fetched.change:
            blocks.append(fields([(name, f"{count:,}") for name, count in _counts(fetched.change)]))
        if fetched.report:
            blocks.append(ActionsBlock(block_id="fetched", elements=[_button(fetched)]))
        return [*blocks, context(_small_print(fetched))]

    return Message(_in_short(fetched), fit(build))


def _counts(change: Comparison) -> list[tuple[str, int]]:
    return [
        ("New", change.new.count),
        ("Came back", change.regressed.count),
        ("Closed", change.fixed.count),
        ("Still open", change.still_open.count),
    ]


def _in_short(fetched: Fetched) -> str:
    if not fetched.change:
        return f"Findings fetched from Security Hub. {_in_words(fetched)}"
    counts = ", ".join(f"{count:,} {name.lower()}" for name, count in _counts(fetched.change))
    missed = f" {fetched.missed:,} earlier missed." if fetched.missed else ""
    return f"Findings fetched from Security Hub: {counts}.{missed}"


def _in_words(fetched: Fetched) -> str:
    """Return how things stand after it."""
    if fetched.report is None:
        return "Security Hub has no findings of this kind. What was open before is not taken for fixed by that alone."
    failing = failing_words(fetched.report)
    if fetched.change is None:
        return f"{failing} There is no earlier fetch of this schedule to compare with."
    is_same = fetched.change.before.report_id == fetched.change.after.report_id
    return f"{failing} Nothing has changed since the last fetch." if is_same else failing


def _button(fetched: Fetched) -> ButtonElement:
    return ButtonElement(
        text=PlainTextObject(text="Show the findings", emoji=False),
        action_id=SHOW_FINDINGS,
        value=PageRef(FINDINGS, tuple(fetched.query)).value,
        accessibility_label="Show the findings, to you alone",
    )


def _small_print(fetched: Fetched) -> str:
    report = fetched.report
    about = f"{code(report.report_id, 60)}  ·  {moment(report.generated_at)}  ·  " if report else ""
    left_out = (
        f"{len(report.rejected):,} lines about what was left out  ·  " if report and report.rejected else ""
    )
    return (
        f"{about}{left_out}{escape(fetched.source, 200)}  ·  schedule {code(fetched.schedule_id, 70)}, "
        f"{escape(fetched.when, 120)}"
    )
