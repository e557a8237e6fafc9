"""The evidence as a page to read: no script, no picture, nothing from elsewhere."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from audit.trail import TrailEntry
from remediation.actions.contract import show_value
from remediation.execution import PlaybookExecution
from remediation.journal import plans_of

if TYPE_CHECKING:
    from jinja2 import Template

Row = Mapping[str, object]


def build_page(execution: PlaybookExecution, own: Iterable[TrailEntry], *, head: str, now: datetime) -> str:
    """Return the page."""
    return _template().render(
        execution=execution,
        finding=execution.finding,
        digest=execution.plan.digest if execution.plan else "",
        actions=_actions(execution),
        decisions=[
            {"at": moment(decision.at), "verdict": decision.verdict.value, "decision": decision}
            for decision in execution.decisions
        ],
        story=[row for entry in own if (row := _event(entry))],
        head=head,
        made_at=moment(now),
    )


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
        return {"seq": entry.seq, "at": at, "kind": event["kind"], "who": who, "hash": entry.entry_hash.hex()}
    except (ValueError, KeyError, TypeError):
        return None


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    source = (resources.files("remediation.evidence") / "evidence.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(source)
