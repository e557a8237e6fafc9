"""A second opinion: what slack_sdk's own models say of a payload that our tables let through.

The models were written from Slack's side and are older than our tables, so each sees what the other overlooks. A part that they do not
know is left out of what they write back; that too is reported, since it is a typing mistake or newer than the SDK.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block, Option, OptionGroup
from slack_sdk.models.views import View

from bot.sandbox.shapes import Json, Problem

UNKNOWN_TO_THE_SDK: Final = frozenset({"data_table"})
"""Blocks that Slack has and slack_sdk 3.47 has no model for."""
_NOT_A_BLOCK = (SlackObjectFormationError, TypeError, ValueError, AttributeError, KeyError)


def check_blocks_by_models(blocks: list[Any], at: str) -> Iterator[Problem]:
    """Yield what the models refuse about blocks that are each a dict with a type; pointers begin with `at`."""
    for index, block in enumerate(blocks):
        if block["type"] not in UNKNOWN_TO_THE_SDK:
            yield from _ask(lambda block=block: Block.parse(block), block, f"{at}/{index}")  # type: ignore[misc]


def check_view_by_models(view: Json) -> Iterator[Problem]:
    """Yield what the models refuse about a view; what its blocks hold is asked block by block."""
    outside = {**view, "blocks": [{"type": "divider"}] * len(view["blocks"])}
    yield from _ask(lambda: View(**outside), outside, "/view")


def check_options_by_models(answer: Json) -> Iterator[Problem]:
    """Yield what the models refuse about the answer to a block_suggestion."""
    for name, model in (("options", Option), ("option_groups", OptionGroup)):
        for index, entry in enumerate(answer.get(name) or []):
            yield from _ask(lambda m=model, e=entry: m.parse_all([e])[0], entry, f"/{name}/{index}")  # type: ignore[misc]


def _ask(parse: Callable[[], JsonObject | None], given: Json, at: str) -> Iterator[Problem]:
    try:
        parsed = parse()
        written = parsed.to_dict() if parsed is not None else {}
    except _NOT_A_BLOCK as error:
        yield Problem(at, f"slack_sdk.models refuses it: {error}")
        return
    for lost in _lost(given, written):
        yield Problem(f"{at}{lost}", "slack_sdk.models knows nothing of this")


def _lost(given: object, written: object) -> Iterator[str]:
    """Yield where something was given that was not written back; what is empty or None is written nowhere."""
    if isinstance(given, dict):
        known = written if isinstance(written, dict) else {}
        for key, value in given.items():
            if value in (None, "", [], {}):
                continue
            if key not in known:
                yield f"/{key}"
            else:
                yield from (f"/{key}{place}" for place in _lost(value, known[key]))
    elif isinstance(given, list):
        entries = written if isinstance(written, list) else []
        for index, value in enumerate(given):
            if index >= len(entries):
                yield f"/{index}"
            else:
                yield from (f"/{index}{place}" for place in _lost(value, entries[index]))
