"""What does not fit into a message, whole and as plain text: for a file that stands beside it."""

from collections.abc import Iterable, Iterator, Mapping

from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import ActionsBlock, TextObject

from handlers.blocks.changes import plans_of, spell
from handlers.blocks.parts import Message
from remediation.execution import PlaybookExecution
from remediation.plan import ActionPlan

_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def words_of(message: Message) -> str:
    """Return all words of a message's blocks, a paragraph each, in their order; its own text where there are none."""
    texts = [text for block in message.blocks for text in _texts(block)]
    return _unescape("\n\n".join(filter(None, texts)) or message.text)


def plan_in_words(execution: PlaybookExecution) -> str:
    """Return the plan with every setting and every value, however long."""
    lines = [
        f"{execution.playbook_name} ({execution.playbook_id})",
        f"Execution {execution.execution_id}, revision {execution.revision}",
        f"Finding: {execution.finding.title} ({execution.finding.handle})",
        "",
    ]
    return "\n".join([*lines, *(line for plan in plans_of(execution) for line in _action(plan))])


def _action(plan: ActionPlan) -> Iterator[str]:
    yield f"{plan.action_name} on {plan.target.resource}"
    for change in plan.changes():
        before, after = spell(change)
        yield f"  {change.setting}"
        yield f"    before: {before}"
        yield f"    after:  {after}"
    yield from (f"  stays as it is: {item}" for item in plan.untouched)
    yield from (f"  note: {note}" for note in plan.notes)
    yield ""


def _texts(part: object) -> Iterator[str]:
    """Yield the texts below a part of a block, read without the SDK's own checks: one of them may be why we are here."""
    if isinstance(part, TextObject):
        yield part.text
    elif isinstance(part, ActionsBlock):
        return
    elif isinstance(part, JsonObject):
        yield from _texts(vars(part))
    elif isinstance(part, Mapping):
        yield from _each(part.values())
    elif isinstance(part, (list, tuple)):
        yield from _each(part)


def _each(parts: Iterable[object]) -> Iterator[str]:
    for part in parts:
        yield from _texts(part)


def _unescape(text: str) -> str:
    for escaped, character in _ESCAPED:
        text = text.replace(escaped, character)
    return text
