"""response_url and acknowledgement bodies: how a bot answers right where it was asked."""

import time
from dataclasses import replace

from bot.sandbox.blockkit import with_ids
from bot.sandbox.namedfiles import check_message_in
from bot.sandbox.records import Message
from bot.sandbox.shapes import Json, Problem
from bot.sandbox.state import ResponseUrl, State

_WHERE = "response_url"


def use_response_url(state: State, token: str, body: Json) -> tuple[int, str]:
    """Take one post to a response_url; returns the HTTP status and Slack's word for the outcome."""
    url = state.response_urls.get(token)
    if url is None:
        return 404, "no_team"
    misuse = _misuse(url)
    if misuse:
        state.record_problems(_WHERE, [Problem("", misuse)])
        return 404, "expired_url" if url.uses_left else "used_url"
    with state.change():
        state.response_urls[token] = replace(url, uses_left=url.uses_left - 1)
    problems = place_response(state, url, body, _WHERE)
    return (400, problems[0].code) if problems else (200, "ok")


def _misuse(url: ResponseUrl) -> str:
    if not url.uses_left:
        return "a response_url may be used 5 times"
    return "a response_url expires after 30 minutes" if time.monotonic() > url.expires else ""


def place_response(state: State, url: ResponseUrl, body: Json, where: str) -> list[Problem]:
    """Show the answer to the person or the channel, or in place of the original message.

    Returns (and records under `where`) the broken rules; then nothing is shown.
    """
    if body.get("delete_original"):
        _delete_original(state, url)
        return []
    text, blocks = str(body.get("text") or ""), body.get("blocks") or []
    problems = check_message_in(state, text, blocks)
    state.record_problems(where, problems)
    if problems:
        return problems
    with state.change():
        if body.get("replace_original") and url.message_ts:
            stamp = state.messages.next_ts()
            state.messages.edit(
                url.channel, url.message_ts, text=text, blocks=with_ids(blocks), edited_ts=stamp
            )
        else:
            state.messages.post(_answer(state, url, body))
    return []


def _answer(state: State, url: ResponseUrl, body: Json) -> Message:
    is_public = body.get("response_type") == "in_channel"
    return Message(
        channel=url.channel,
        ts="",
        user=state.workspace.bot_user_id,
        text=str(body.get("text") or ""),
        blocks=with_ids(body.get("blocks") or []),
        thread_ts=body.get("thread_ts"),
        only_for=None if is_public else url.user,
    )


def _delete_original(state: State, url: ResponseUrl) -> None:
    if url.message_ts and state.messages.has(url.channel, url.message_ts):
        with state.change():
            state.messages.delete(url.channel, url.message_ts)
