"""Golden messages, and the checks that every message must pass whatever it says."""

import json
import os
from pathlib import Path
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.sandbox.checks import check_message, check_view
from handlers.blocks.parts import Message

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "blocks"


def to_checked(message: Message, *, longest_text: int = 4000) -> dict[str, Any]:
    """Return a message as Slack gets it, once the stand-in and the SDK find nothing wrong with it."""
    sent: dict[str, Any] = json.loads(json.dumps(message.to_dict()))
    assert check_message(sent["text"], sent["blocks"], longest_text=longest_text) == []
    for block in sent["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()
    return sent


def check_golden(name: str, message: Message) -> None:
    """Compare a message with the one on file. `UPDATE_GOLDEN=1` writes the file instead."""
    _compare(name, to_checked(message))


def check_golden_view(name: str, view: View) -> None:
    """Compare a form with the one on file."""
    sent = json.loads(json.dumps(view.to_dict()))
    assert check_view(sent) == []
    _compare(name, sent)


def _compare(name: str, sent: dict[str, Any]) -> None:
    path, text = FOLDER / f"{name}.json", json.dumps(sent, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
