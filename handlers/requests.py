"""What Slack sent, boiled down to what is needed to answer it later, in another thread or process."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from audit.actor import Actor
from audit.errors import InputError
from handlers.blocks.names import EXCEPTION_OWNER, EXCEPTION_UNTIL, REASON
from remediation.ports import Request

Body = Mapping[str, object]
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")


def command_request(body: Body, *, now: datetime) -> Request:
    """Return a slash command as a request."""
    keys = ("command", "text", "channel_id", "channel_name")
    return _request("command", body, {key: _text(body, key) for key in keys}, now=now)


def action_request(body: Body, *, now: datetime) -> Request:
    """Return a click on a button as a request."""
    action = clicked(body)
    payload = {
        "action_id": _text(action, "action_id"),
        "value": _text(action, "value"),
        "channel_id": channel_of(body),
    }
    return _request("action", body, payload, now=now)


def view_request(body: Body, *, now: datetime) -> Request:
    """Return a submitted form as a request."""
    view = _part(body, "view")
    carried = _carried(view)
    payload = {
        "callback_id": _text(view, "callback_id"),
        "value": _text(carried, "card"),
        "channel_id": _text(carried, "channel"),
        "reason": typed_reason(body),
        "until": _picked(body, EXCEPTION_UNTIL, "selected_date"),
        "owner": _picked(body, EXCEPTION_OWNER, "selected_user"),
    }
    return _request("view", body, payload, now=now)


def shortcut_request(body: Body, *, now: datetime) -> Request:
    """Return a message shortcut as a request. Of the message's files it keeps the ids: all else is asked of Slack."""
    files = _part(body, "message").get("files")
    entries = files if isinstance(files, list) else []
    ids = [_text(entry, "id") for entry in entries if isinstance(entry, Mapping)]
    payload = {
        "callback_id": _text(body, "callback_id"),
        "channel_id": channel_of(body),
        "files": list(filter(None, ids)),
    }
    return _request("shortcut", body, payload, now=now)


def form_request(body: Body, command: str, words: Sequence[str], *, now: datetime) -> Request:
    """Return what a form asks for, as the command that somebody would have typed."""
    carried = carried_by(body)
    payload = {
        "command": command,
        "words": list(words),
        "channel_id": _text(carried, "channel"),
        "channel_name": _text(carried, "channel_name"),
    }
    return replace(_request("view", body, payload, now=now), kind="command")


def carried_by(body: Body) -> Body:
    """Return what a submitted form carries."""
    return _carried(_part(body, "view"))


def chosen(body: Body, name: str) -> str:
    """Return what was picked or typed in a form's field, stripped; empty where nothing was."""
    field = _part(_part(_part(_part(_part(body, "view"), "state"), "values"), name), name)
    texts = (_text(field, key) for key in ("value", "selected_time", "selected_conversation"))
    return (_text(_part(field, "selected_option"), "value") or next(filter(None, texts), "")).strip()


def chosen_all(body: Body, name: str) -> list[str]:
    """Return everything that was picked in a form's field."""
    field = _part(_part(_part(_part(_part(body, "view"), "state"), "values"), name), name)
    options = field.get("selected_options")
    picked = [each for each in options if isinstance(each, Mapping)] if isinstance(options, list) else []
    return list(filter(None, (_text(option, "value").strip() for option in picked)))


def actor_of(body: Body) -> Actor:
    """Return who did it. In a channel shared between workspaces a person belongs to their own, not to the channel's."""
    user = _part(body, "user")
    team = _text(user, "team_id") or _text(_part(body, "team"), "id") or _text(body, "team_id")
    return Actor(workspace=team, slack_id=_text(user, "id") or _text(body, "user_id"))


def clicked(body: Body) -> Body:
    """Return the action of a click; Slack sends exactly one."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    return first if isinstance(first, Mapping) else {}


def channel_of(body: Body) -> str:
    """Return the id of the channel that a click happened in."""
    return _text(_part(body, "channel"), "id") or _text(_part(body, "container"), "channel_id")


def opener_of(body: Body) -> Actor | None:
    """Return who has opened their home; None where an event says something else."""
    event = _part(body, "event")
    slack_id, tab = _text(event, "user"), _text(event, "tab")
    return (
        Actor(workspace=_text(body, "team_id"), slack_id=slack_id)
        if _PERSON.fullmatch(slack_id) and tab == "home"
        else None
    )


def trigger_of(body: Body) -> str:
    """Return what opens a window."""
    return _text(body, "trigger_id")


def response_url_of(body: Body) -> str:
    """Return where a private answer may be posted to: a secret, and no part of the request."""
    return _text(body, "response_url")


def typed_reason(body: Body) -> str:
    """Return the reason that was typed into the form."""
    values = _part(_part(_part(body, "view"), "state"), "values")
    return _text(_part(_part(values, REASON), REASON), "value")


def _picked(body: Body, name: str, kind: str) -> str:
    """Return the date or the person that was picked in a form's field; empty where none was."""
    values = _part(_part(_part(body, "view"), "state"), "values")
    return _text(_part(_part(values, name), name), kind)


def request_id_of(kind: str, body: Body) -> str:
    """Return an id that is the same for a repeated delivery: Slack gives each interaction one `trigger_id`, each event an id.

    A form closes once it is taken, so one that is submitted twice is one request: it is known by its own id.
    """
    form = _text(_part(body, "view"), "id") if kind == "view" else ""
    unique = form or _text(body, "trigger_id") or _text(body, "event_id") or uuid.uuid4().hex
    return f"q-{_digest(kind, unique)[:24]}"


def execution_id_for(request: Request) -> str:
    """Return the id of the execution that a request asks for: asked again, it is the same one."""
    return f"x-{_digest(request.request_id)[:12]}"


def batch_id_for(request: Request) -> str:
    """Return the id of the batch that a request asks for: asked again, it is the same one."""
    return f"b-{_digest(request.request_id)[:12]}"


def said(request: Request, name: str) -> str:
    """Return a text of a request's payload; empty where it is missing."""
    return _text(request.payload, name)


def said_list(request: Request, name: str) -> list[str]:
    """Return the texts of a list in a request's payload; empty where it is missing."""
    value = request.payload.get(name)
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _request(kind: str, body: Body, payload: Mapping[str, object], *, now: datetime) -> Request:
    return Request(
        request_id=request_id_of(kind, body),
        kind=kind,
        actor=actor_of(body),
        received_at=now,
        payload=payload,
    )


def _carried(view: Body) -> Body:
    """Return what our own form carries, as JSON that we wrote ourselves."""
    try:
        carried = json.loads(_text(view, "private_metadata") or "{}")
    except (ValueError, RecursionError) as error:
        raise InputError(
            "This form is not one of ours, or from another version. Nothing was done."
        ) from error
    return carried if isinstance(carried, Mapping) else {}


def _part(body: Body, name: str) -> Body:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
