"""Short Block Kit pieces for the tests of the stand-in."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def button(action_id: str, words: str = "Go", **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": words}, **more}


def section(words: str, **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}, **more}


def text_input(block_id: str, **more: object) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": block_id.title()},
        "element": {"type": "plain_text_input", "action_id": "text", **more},
    }


def modal(*blocks: Json, **more: object) -> Json:
    return {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "Form"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": list(blocks),
        **more,
    }
