"""The two places that catch everything tell it here: our own errors in their words, anything else as a reference.

`answer` (the worker's boundary) and Bolt's `app.error` call `to_words`; nobody else catches broadly.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt import App, BoltResponse

from audit.errors import CountersignError, RefusedError
from handlers.blocks.parts import Message
from handlers.blocks.texts import escape, linkify, to_sentence
from handlers.blocks.views import build_words_view
from handlers.replies import reply
from handlers.requests import action_request, command_request, response_url_of
from handlers.services import Services

log = structlog.get_logger()
_LONGEST = 2900
# Who is told by the acknowledgement itself, or typed nothing that would wait for an answer.
_SEES_THE_RESPONSE = frozenset({"view_submission", "block_suggestion", "event_callback"})


def to_words(error: Exception) -> Message:
    """Return what to tell the person: an error's own text, or a reference id that stands in the log."""
    if isinstance(error, RefusedError):
        return Message(linkify(escape(to_sentence(str(error)), _LONGEST)))
    if isinstance(error, CountersignError):
        return Message(escape(to_sentence(error.explain()), _LONGEST))
    return refer("unexpected error", exc_info=error)


def refer(event: str, **about: object) -> Message:
    """Log what a person cannot do anything about; return a reference id that leads to it."""
    reference = uuid.uuid4().hex[:8]
    log.error(event, reference=reference, **about)
    return Message(
        f"Something went wrong on our side. Reference {reference}: tell it to whoever runs me; my log says more."
    )


def tell_back(services: Services, body: Mapping[str, Any], words: Message) -> None:
    """Tell whoever clicked or typed, and nobody else. Calls Slack, so no acknowledgement may wait for it."""
    to_request = command_request if "command" in body else action_request
    request = to_request(body, now=services.clock())
    reply(services.client, request, words, url=response_url_of(body))


def register_error_handler(app: App, services: Services) -> None:
    """Answer people whose request could not even be written down."""

    def on_error(
        error: Exception, body: dict[str, Any], response: BoltResponse | None
    ) -> BoltResponse | None:
        words = to_words(error)
        if body.get("type") not in _SEES_THE_RESPONSE:
            services.aside.tell(lambda: tell_back(services, body, words))
        if response is None:  # acknowledged already
            return None
        return BoltResponse(status=200, body=_in_form(body, words))

    app.error(on_error)


def _in_form(body: Mapping[str, object], words: Message) -> str:
    """Return the acknowledgement: for a form, one that shows the words in it; for a picker, no choice."""
    if body.get("type") == "block_suggestion":
        return json.dumps({"options": []})
    if body.get("type") != "view_submission":
        return ""
    if field := _first_input(body):
        return json.dumps({"response_action": "errors", "errors": {field: words.text}})
    # Slack shows no error that names no field: the words take the window's place
    return json.dumps({"response_action": "update", "view": build_words_view(words.text).to_dict()})


def _first_input(body: Mapping[str, object]) -> str:
    """Return the field of a form that words can stand below, or nothing where it has none."""
    view = body.get("view")
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Mapping) and block.get("type") == "input":
            return str(block.get("block_id"))
    return ""
