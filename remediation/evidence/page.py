"""The evidence as a page to read: no script, no picture, nothing from elsewhere."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from audit.trail import TrailEntry
from remediation.actions.contract import show_value
from remediation.batches import Members
from remediation.evidence.files import read_event
from remediation.execution import PlaybookExecution, Verdict
from remediation.journal import plans_of

if TYPE_CHECKING:
    from jinja2 import Template

# What a page is drawn from: decoded JSON and what the template shows, of any shape.
Row = Mapping[str, Any]
_TOLD = (
    ("reason", "Reason"),
    ("error", "Error"),
    ("review_due_at", "To be reviewed by a second person until"),
    ("rollback_digest", "Digest signed"),
    ("set_digest", "Digest of the set"),
)
_VERDICTS = {
    Verdict.APPROVE: "Approved",
    Verdict.REJECT: "Rejected",
    Verdict.ROLL_BACK: "Ordered the rollback",
    Verdict.DONE: "Found that it was done",
    Verdict.NOT_DONE: "Found that it was not done",
    Verdict.TRY_AGAIN: "Had it tried again",
    Verdict.ASK_ROLLBACK: "Asked for the rollback",
    Verdict.SIGN_ROLLBACK: "Signed the rollback",
    Verdict.REFUSE_ROLLBACK: "Refused the rollback",
    Verdict.BREAK_GLASS: "Broke the glass",
    Verdict.REVIEWED: "Reviewed the broken glass",
}


_SET_WORDS = {
    "batch.approved": "Approved",
    "batch.signed": "Signed",
    "batch.rejected": "Rejected",
    "batch.break_glass": "Broke the glass",
    "batch.rollback": "Ordered or signed the rollback",
}


def build_page(execution: PlaybookExecution, own: Iterable[TrailEntry], *, head: str, now: datetime) -> str:
    """Return the page."""
    return _template("evidence.html.j2").render(
        execution=execution,
        finding=execution.finding,
        digest=execution.plan.digest if execution.plan else "",
        actions=_actions(execution),
        decisions=[
            {"at": moment(decision.at), "verdict": _VERDICTS[decision.verdict], "decision": decision}
            for decision in execution.decisions
        ],
        glass=_glass(execution),
        sets=_sets(own),
        story=_story(own),
        head=head,
        made_at=moment(now),
    )


def build_batch_page(members: Members, about: Iterable[TrailEntry], *, head: str, now: datetime) -> str:
    """Return the page of a batch: what was signed as a set, and where each item stands, with its own page one folder down."""
    about = list(about)
    return _template("batch.html.j2").render(
        batch=members.batch,
        items=members.executions,
        sets=_sets(about),
        story=_story(about),
        head=head,
        made_at=moment(now),
    )


def _story(own: Iterable[TrailEntry]) -> list[Row]:
    return [row for entry in own if (row := _event(entry))]


def _sets(own: Iterable[TrailEntry]) -> list[Row]:
    """Return the words that people said about a batch: each was about a set of items, which its digest names."""
    rows: list[Row] = []
    for entry in own:
        event, row = read_event(entry), _event(entry)
        detail = event.get("detail")
        if row and event.get("kind") in _SET_WORDS and isinstance(detail, Mapping):
            items = [
                str(each[0] if isinstance(each, list) else each) for each in detail.get("executions", [])
            ]
            verdict = _SET_WORDS[str(event["kind"])]
            rows.append({**row, "verdict": verdict, "digest": detail.get("set_digest", ""), "items": items})
    return rows


def _glass(execution: PlaybookExecution) -> Row | None:
    """Return who broke the glass last, why, and who has reviewed it since."""
    row: dict[str, object] | None = None
    for decision in execution.decisions:
        if decision.verdict is Verdict.BREAK_GLASS:
            row = {
                "who": decision.actor.label,
                "reason": decision.reason,
                "at": moment(decision.at),
                "reviewer": "",
            }
        elif decision.verdict is Verdict.REVIEWED and row:
            row |= {"reviewer": decision.actor.label, "reviewed_at": moment(decision.at)}
    return row


def moment(at: datetime) -> str:
    """Return a time to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _actions(execution: PlaybookExecution) -> list[Row]:
    pairs = zip(plans_of(execution), execution.actions, strict=False)
    return [
        {
            "plan": plan,
            "result": result,
            "changes": [
                (change.setting, show_value(change.before), show_value(change.after))
                for change in plan.changes()
            ],
        }
        for plan, result in pairs
    ]


def _event(entry: TrailEntry) -> Row | None:
    """Return an entry in words; None where somebody edited it so that it cannot be read."""
    try:
        event = json.loads(entry.body)
        at = moment(datetime.fromisoformat(event["at"]))
        who = event["actor"]["email"] or event["actor"]["slack_id"] or event["actor"]["origin"]
        told = list(_told(event["detail"]))
        return {
            "seq": entry.seq,
            "at": at,
            "kind": event["kind"],
            "who": who,
            "told": told,
            "hash": entry.entry_hash.hex(),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _told(detail: Row) -> Iterator[str]:
    """Yield what an entry says beside who and when: reasons, times, exceptions, what a rollback puts back."""
    exception = detail.get("exception") or (detail if "exception_id" in detail else None)
    if isinstance(exception, Mapping):
        owner = exception["owner"]["email"] or exception["owner"]["slack_id"]
        yield f"Exception {exception['exception_id']} until {exception['until']}, {owner} answers for it"
    for name, words in _TOLD:
        if value := detail.get(name):
            yield f"{words}: {value}"
    settings = detail.get("settings")
    for each in settings if isinstance(settings, list) else []:
        was, we_set, now = (show_value(each[state]) for state in ("was", "we_set", "now"))
        yield f"{each['setting']}: was {was}, we set {we_set}, then {now}"


@cache
def _template(name: str) -> "Template":
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    source = (resources.files("remediation.evidence") / name).read_text(encoding="utf-8")
    style = (resources.files("remediation.evidence") / "style.css.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(source, globals={"style": Markup(style)})  # noqa: S704 - a file of ours
