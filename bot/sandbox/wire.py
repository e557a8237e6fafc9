"""Our frozen records as Slack's JSON objects: message, file, view."""

from collections.abc import Iterable

from bot.sandbox.records import Message, StoredFile, View
from bot.sandbox.shapes import Json
from bot.sandbox.state import State


def message_json(state: State, message: Message, *, with_metadata: bool = True) -> Json:
    """The message object of conversations.history and of interaction payloads."""
    found: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    found["team"] = state.workspace.team_id
    found["blocks"] = list(message.blocks)
    if message.user == state.workspace.bot_user_id:
        found |= {"bot_id": state.workspace.bot_id, "app_id": state.workspace.app_id}
    if message.edited_ts:
        found["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.metadata and with_metadata:
        found["metadata"] = message.metadata
    if message.files:
        found["files"] = [
            file_json(state, state.files[ident]) for ident in message.files if ident in state.files
        ]
    if message.reactions:
        found["reactions"] = _reactions(message.reactions)
    return found | _thread_fields(state, message)


def _reactions(pairs: Iterable[tuple[str, str]]) -> list[Json]:
    by_name: dict[str, list[str]] = {}
    for name, user in pairs:
        by_name.setdefault(name, []).append(user)
    return [{"name": name, "users": users, "count": len(users)} for name, users in by_name.items()]


def _thread_fields(state: State, message: Message) -> Json:
    if message.is_reply:
        return {"thread_ts": message.thread_ts}
    replies = [m for m in state.messages.thread(message.channel, message.ts)[1:] if not m.only_for]
    if not replies:
        return {}
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": sorted({reply.user for reply in replies}),
        "latest_reply": replies[-1].ts,
    }


def file_json(state: State, file: StoredFile, base_url: str = "") -> Json:
    """The file object; its private URL needs the bot's token or the page's cookie. Its type is told once it was processed."""
    is_known = state.has_processed(file)
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype if is_known else "",
        "filetype": file.name.rpartition(".")[2] if is_known else "",
        "size": file.size,
        "user": file.user,
        "alt_txt": file.alt_text,
        "channels": list(file.channels),
        "is_external": False,
        "mode": "hosted",
        "url_private": f"{base_url}/files/{file.id}",
        "url_private_download": f"{base_url}/files/{file.id}?download",
        "permalink": f"{base_url}/files/{file.id}",
    }


def view_json(state: State, view: View) -> Json:
    """The view object of views.* answers and of interaction payloads."""
    defaults: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "close": None,
        "submit": None,
        "clear_on_close": False,
        "notify_on_close": False,
    }
    return {
        **defaults,
        **view.payload,
        "id": view.id,
        "hash": view.hash,
        "team_id": state.workspace.team_id,
        "app_id": state.workspace.app_id,
        "bot_id": state.workspace.bot_id,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": view.values or {}},
    }
