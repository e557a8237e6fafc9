"""The payloads Slack sends to an app, built from plain values. Pure.

Shapes: docs.slack.dev/reference/interaction-payloads and docs.slack.dev/interactivity.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

from bot.sandbox.records import Message, View
from bot.sandbox.shapes import Json
from bot.sandbox.state import State
from bot.sandbox.wire import message_json, view_json
from bot.sandbox.workspace import Channel, Person, Workspace

_VERIFICATION_TOKEN = "stand-in-verification-token"  # noqa: S105 - deprecated by Slack, sent all the same


@dataclass(frozen=True)
class Handles:
    """The one-time handles an interaction carries."""

    trigger_id: str
    response_url: str = ""


def escape_command(workspace: Workspace, text: str) -> str:
    """The text of a slash command as `should_escape` sends it: mentions as ids, links and `&<>` escaped."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for person in workspace.people:
        mention = f"<@{person.id}|{person.name}>"
        escaped = re.sub(rf"(?<![\w@])@{re.escape(person.name)}(?![\w-])", mention, escaped)
    for channel in workspace.channels:
        mention = f"<#{channel.id}|{channel.name}>"
        escaped = re.sub(rf"(?<![\w#])#{re.escape(channel.name)}(?![\w-])", mention, escaped)
    return re.sub(r"(?<!\S)https?://\S+", lambda found: f"<{found[0]}>", escaped)


def slash_command(
    workspace: Workspace, person: Person, channel: Channel, text: str, handles: Handles
) -> Json:
    """The form fields of a slash command; `text` begins with the command itself."""
    command, _, words = text.strip().partition(" ")
    words = words.strip()
    return {
        "token": _VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.id.startswith("D") else channel.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": escape_command(workspace, words) if workspace.should_escape else words,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": handles.response_url,
        "trigger_id": handles.trigger_id,
    }


def interaction(workspace: Workspace, person: Person, kind: str) -> Json:
    """What every interactive payload begins with."""
    return {
        "type": kind,
        "token": _VERIFICATION_TOKEN,
        "api_app_id": workspace.app_id,
        "team": {"id": workspace.team_id, "domain": workspace.team_domain},
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": workspace.team_of(person),
        },
        "enterprise": None,
        "is_enterprise_install": False,
    }


def where_of(state: State, target: Message | View) -> Json:
    """The part of an interaction that says where it happened: in a message or in a view."""
    if isinstance(target, View):
        return {
            "container": {"type": "view", "view_id": target.id},
            "view": view_json(state, target),
        }
    channel = state.channel(target.channel)
    container: Json = {
        "type": "message",
        "message_ts": target.ts,
        "channel_id": target.channel,
        "is_ephemeral": bool(target.only_for),
    }
    if target.thread_ts:
        container["thread_ts"] = target.thread_ts
    place: Json = {"container": container, "channel": {"id": channel.id, "name": channel.name}}
    return place | ({} if target.only_for else {"message": message_json(state, target)})


def block_action(block: Json, element: Json, chosen: Json) -> Json:
    """The entry of `actions` for one used element; `chosen` as in `state.values`."""
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": f"{time.time():.6f}",
    }
    if element["type"] == "button":
        action["text"] = element["text"]
        action |= {key: element[key] for key in ("value", "style") if key in element}
    return action | chosen


def event_callback(workspace: Workspace, event: Json, number: int) -> Json:
    """An Events API envelope around one event."""
    return {
        "token": _VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:08d}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": workspace.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }


def suggestion(element: Json, block: Json, query: str) -> Json:
    """The part of a block_suggestion that says what was typed where."""
    found: dict[str, Any] = {"action_id": element["action_id"], "block_id": block["block_id"], "value": query}
    return found
