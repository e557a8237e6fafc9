"""What becomes of a modal after the bot acknowledged its submission."""

from bot.sandbox.blockkit import with_ids
from bot.sandbox.delivery import Ack
from bot.sandbox.namedfiles import check_view_in
from bot.sandbox.records import View
from bot.sandbox.results import SubmitResult
from bot.sandbox.shapes import Json, Problem
from bot.sandbox.state import State
from bot.sandbox.views import STACK_LIMIT

_WHERE = "view_submission acknowledgement"


def apply_answer(state: State, view: View, ack: Ack) -> SubmitResult:
    """Close, update or stack the modal as the acknowledgement asks; it stays open on any failure."""
    if ack.error:
        return SubmitResult.of(ack)
    answer = ack.body or {}
    action = answer.get("response_action")
    if action == "errors":
        return SubmitResult.of(ack, errors=_errors(state, view, answer))
    if action in ("update", "push"):
        _show_next(state, view, answer)
        return SubmitResult.of(ack)
    with state.change():
        if action == "clear":
            state.views.clear(view.user)
        else:
            state.views.close(view)
    return SubmitResult.of(ack)


def _errors(state: State, view: View, answer: Json) -> dict[str, str]:
    """The bot's words per block; Slack shows none that names no input block, so that breaks a rule."""
    errors = answer.get("errors") or {}
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    strangers = sorted(set(errors) - inputs)
    problems = [Problem(f"/errors/{name}", "names no input block of the view") for name in strangers]
    if not errors:
        problems.append(Problem("/errors", "must not be empty"))
    state.record_problems(_WHERE, problems)
    return dict(errors)


def _show_next(state: State, view: View, answer: Json) -> None:
    payload = answer.get("view") or {}
    problems = check_view_in(state, payload)
    if answer["response_action"] == "push" and len(state.views.stack(view.user)) >= STACK_LIMIT:
        problems.append(Problem("/view", "no more than 3 views may be stacked"))
    state.record_problems(_WHERE, problems)
    if problems:
        return
    payload |= {"blocks": list(with_ids(payload["blocks"]))}
    with state.change():
        if answer["response_action"] == "push":
            state.views.push(view, payload)
        else:
            state.views.update(view, payload)
