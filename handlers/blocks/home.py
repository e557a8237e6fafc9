"""The home: what waits for a person, what they asked for, what ran lately, and how things stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    DividerBlock,
    ImageBlock,
    SectionBlock,
)
from slack_sdk.models.blocks.basic_components import SlackFile
from slack_sdk.models.views import View

from audit.findings import Severity
from audit.lifecycle import RowHead
from handlers.blocks.batch_home import home_batch
from handlers.blocks.buttons import execution_button
from handlers.blocks.executions import execution_lines, rollback_entry
from handlers.blocks.names import HOME_DETAILS, HOME_REVIEW, HOME_ROLL_BACK, REJECT
from handlers.blocks.parts import context, header, mrkdwn, section
from handlers.blocks.texts import code, escape, moment, severity_words
from remediation.batches import Members
from remediation.execution import PlaybookExecution

MOST_WAITING, MOST_ROLLBACKS, MOST_OTHERS = 20, 5, 10
"""All that waits shares one number, with two blocks each; the rest of the home takes 57 of the 100 at the most."""
_ROOM = 150
_MOST_ROWS, _LONGEST_ROW = 5, 80
_BARS = "▁▂▃▄▅▆▇█"
_HIGHEST_SCORE = 100
_EMPTY = "Nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An uploaded picture of the trend, and in words what it shows; `digest` is what it was drawn from."""

    file_id: str
    alt_text: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand: scores of the first of `rows` oldest first, the last one is now. `overdue` is None where nobody keeps due dates.

    `picture` shows the reports that the scores are of, and among them the `unscored` ones that have none.
    """

    open: Mapping[Severity, int]
    overdue: Mapping[Severity, int] | None = None
    rows: Sequence[RowHead] = ()
    scores: Sequence[float] = ()
    unscored: int = 0
    picture: Picture | None = None
    report_name: str = ""
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """All that a person's home shows: `waiting` has fixes that stand alone, and batches. `problem` says why what waits cannot be told."""

    standing: Standing
    waiting: Sequence[PlaybookExecution | Members] = ()
    rollbacks: Sequence[PlaybookExecution] = ()
    rollback_approvals: int = 1
    requests: Sequence[PlaybookExecution] = ()
    recent: Sequence[PlaybookExecution] = ()
    problem: str = ""
    drawn_at: datetime


def build_home(page: HomePage) -> View:
    """Return the home, in at most 100 blocks."""
    return View(
        type="home",
        blocks=[
            header("How things stand"),
            *_standing(page.standing),
            DividerBlock(),
            *_part("Waiting for you", _pending(page)),
            DividerBlock(),
            *_part("What you asked for", _others(page.requests, name="request")),
            DividerBlock(),
            *_part("What ran lately", _others(page.recent, name="recent")),
            context(f"Drawn {moment(page.drawn_at)}  ·  `/report` and `/playbook` do the rest"),
        ],
    )


def build_plain_home(at: datetime) -> View:
    """Return a home in words alone, for when Slack refuses the other one."""
    words = "Your home could not be shown. `/playbook pending` and `/report show` say the same in a channel."
    return View(type="home", blocks=[section(words), context(f"Drawn {moment(at)}")])


def draw_trend(scores: Sequence[float]) -> str:
    """Return scores (0 to 100) as bars, oldest first."""
    steps = len(_BARS) - 1
    return "".join(
        _BARS[round(max(0.0, min(score, _HIGHEST_SCORE)) / _HIGHEST_SCORE * steps)] for score in scores
    )


def _standing(standing: Standing) -> list[Block]:
    if standing.reported_at is None:
        return [
            section(
                "There are no reports yet. Whoever runs me takes one in with `countersign report ingest FILE`."
            )
        ]
    counts = (
        f"*Open now*, without what was fixed or excepted since\n{_counts(standing.open, standing.overdue)}"
    )
    about = f"Newest report: {escape(standing.report_name, _ROOM)}, {moment(standing.reported_at)}"
    drawn = [_image(standing.picture)] if standing.picture else []
    return [section(_score_words(standing)), *drawn, section(counts), context(about)]


def _image(picture: Picture) -> Block:
    """Return the picture; whoever is not shown it reads the same in the bars above, the numbers, and here."""
    return ImageBlock(alt_text=picture.alt_text, slack_file=SlackFile(id=picture.file_id))


def _score_words(standing: Standing) -> str:
    """Return the score with its trend in bars and in words, and below it the scores of other rows."""
    whose = f" ({_whose(standing.rows[0])})" if standing.rows else ""
    others = [f"{_whose(row)}: {_score(row)}" for row in standing.rows[1:]]
    more = f"  ·  {len(others) - _MOST_ROWS} more" if len(others) > _MOST_ROWS else ""
    beside = f"\nElsewhere: {'  ·  '.join(others[:_MOST_ROWS])}{more}" if others else ""
    return f"{_course_words(standing, whose)}{beside}"


def _whose(row: RowHead) -> str:
    return escape(", ".join(filter(None, (row.scanner, row.account_id))), _LONGEST_ROW)


def _score(row: RowHead) -> str:
    return "not known" if row.score is None else f"*{row.score:g}*"


def _course_words(standing: Standing, whose: str) -> str:
    """Return the score with its trend in bars and in words: nobody has to read the bars."""
    scores = standing.scores
    if not scores:
        return f"*Security score*{whose}: not known, no passing checks were reported."
    now = f"*Security score*{whose}: *{scores[-1]:g}* of 100"
    if len(scores) == 1:
        return now
    change = scores[-1] - scores[-2]
    told = f"{abs(change):.3g} {'higher' if change > 0 else 'lower'} than" if change else "the same as"
    course = f"lowest {min(scores):g}, highest {max(scores):g}; `/report trend` draws it in a channel"
    which = "reports with a score" if standing.unscored else "reports"
    bars = code(draw_trend(scores), 60)
    return (
        f"{now}, {told} before\n{bars}  the last {len(scores)} {which} from {scores[0]:g} to {scores[-1]:g}, "
        f"oldest first, each bar out of 100: {course}"
    )


def _counts(open_ones: Mapping[Severity, int], overdue: Mapping[Severity, int] | None) -> str:
    late = overdue or {}
    lines = [
        f"{severity_words(level)} {open_ones[level]:,}"
        + (f", *{late[level]:,} overdue*" if late.get(level) else "")
        for level in Severity
        if open_ones.get(level)
    ]
    return "\n".join(lines) or "Nothing is open."


def _part(title: str, blocks: Sequence[Block]) -> list[Block]:
    return [header(title), *(blocks or [section(_EMPTY)])]


def _pending(page: HomePage) -> list[Block]:
    if page.problem:
        return [section(f"This cannot be told: {escape(page.problem, 500)}")]
    rollbacks = page.rollbacks[:MOST_ROLLBACKS]
    room = MOST_WAITING - len(rollbacks)
    blocks = [block for number, each in enumerate(page.waiting[:room]) for block in _entry(each, number)]
    if len(page.waiting) > room:
        blocks.append(context("There are more: `/playbook pending mine`"))
    for number, execution in enumerate(rollbacks):
        blocks += rollback_entry(execution, needed=page.rollback_approvals, room=_ROOM, number=number)
    if len(page.rollbacks) > len(rollbacks):
        blocks.append(context("There are more: `/playbook rollback`"))
    return blocks


def _entry(entry: PlaybookExecution | Members, number: int) -> list[Block]:
    return _fix(entry, number) if isinstance(entry, PlaybookExecution) else home_batch(entry)


def _fix(execution: PlaybookExecution, number: int) -> list[Block]:
    buttons = [
        execution_button(execution, HOME_REVIEW, "Review and approve", style="primary"),
        execution_button(execution, REJECT, "Reject…", style="danger"),
    ]
    lines = section(execution_lines(execution, _ROOM))
    return [lines, ActionsBlock(block_id=f"pending-{number}", elements=buttons)]


def _others(executions: Sequence[PlaybookExecution], *, name: str) -> list[Block]:
    blocks: list[Block] = []
    for number, execution in enumerate(executions[:MOST_OTHERS]):
        buttons = [execution_button(execution, HOME_DETAILS, "Details")]
        if execution.can_roll_back:
            buttons.append(execution_button(execution, HOME_ROLL_BACK, "Roll back…"))
        blocks.append(
            SectionBlock(text=mrkdwn(execution_lines(execution, _ROOM)), accessory=buttons[0])
            if len(buttons) == 1
            else section(execution_lines(execution, _ROOM))
        )
        if len(buttons) > 1:
            blocks.append(ActionsBlock(block_id=f"{name}-{number}", elements=buttons))
    if len(executions) > MOST_OTHERS:
        blocks.append(context("There are more: `/playbook history`"))
    return blocks
