"""The checks a payload must pass before the stand-in accepts it.

Slack rejects bad payloads when they arrive, and a developer sees it only in production. The stand-in
rejects the same payloads, and some that Slack would let through but people would regret: a
channel-wide mention, or blocks without words for screen readers. What our own tables let through,
slack_sdk's models see as well (`models.py`).
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.sandbox.blockkit import block_check, elements_of
from bot.sandbox.blockparts import GROUP, OPTION, plain
from bot.sandbox.limits import LIMITS
from bot.sandbox.models import check_blocks_by_models, check_options_by_models, check_view_by_models
from bot.sandbox.shapes import Check, Json, Problem, array, boolean, obj, one_of, string

_BROADCAST = re.compile(r"<!(channel|here|everyone)\b[^>]*>")
_PLACEHOLDER_WORDS = {"", "text", "message", "fallback", "blocks", "notification", "untitled"}
_FEWEST_LETTERS = 3


def check_message(
    text: str, blocks: list[Any], *, longest_text: int = LIMITS["message.text"]
) -> list[Problem]:
    """What Slack (or a careful reader) would refuse about a message; empty when it is fine."""
    return [
        *_check_text(text, blocks, longest_text),
        *_check_block_size(blocks),
        *check_blocks(blocks, surface="message", at="/blocks"),
        *_check_broadcasts({"text": text, "blocks": blocks}, ""),
    ]


def check_blocks(blocks: list[Any], *, surface: str, at: str) -> list[Problem]:
    """Check a list of blocks for `surface` (`message`, `modal`, `home`); pointers begin with `at`."""
    most = LIMITS["message.blocks" if surface == "message" else "view.blocks"]
    found = list(array(block_check(surface), 0, most)(blocks, at))
    return [*(found or check_blocks_by_models(blocks, at)), *_check_duplicates(blocks, at)]


def check_view(view: Json) -> list[Problem]:
    """What Slack would refuse about a modal or an App Home; pointers begin with /view."""
    kind = view.get("type")
    if kind not in ("modal", "home"):
        return [Problem("/view/type", f"unsupported type: {kind}", "invalid_arguments")]
    shape = list(_view_shape(kind)(view, "/view"))
    found = [
        *(shape or check_view_by_models(view)),
        *check_blocks(view.get("blocks", []), surface=kind, at="/view/blocks"),
        *_check_view_whole(view, kind),
        *_check_broadcasts(view, "/view"),
    ]
    return [Problem(p.pointer, p.reason, "invalid_arguments") for p in found]


def check_options(answer: Json) -> list[Problem]:
    """Check the answer to a block_suggestion: `options` or `option_groups`, at most 100 of each."""
    if ("options" in answer) == ("option_groups" in answer):
        return [Problem("", "must have exactly one of options, option_groups")]
    if "options" in answer:
        found = list(array(OPTION, 0, LIMITS["select.options"])(answer["options"], "/options"))
    else:
        found = list(array(GROUP, 0, LIMITS["select.groups"])(answer["option_groups"], "/option_groups"))
    return found or list(check_options_by_models(answer))


def _view_shape(kind: str) -> Check:
    title = plain(LIMITS["view.title"])
    common: dict[str, Check] = {
        "callback_id": string(LIMITS["id"], shortest=0),
        "external_id": string(LIMITS["id"], shortest=0),
        "private_metadata": string(LIMITS["view.private_metadata"], shortest=0),
    }
    modal = {"submit": title, "close": title, "clear_on_close": boolean, "notify_on_close": boolean}
    required: dict[str, Check] = {"type": one_of("modal", "home"), "blocks": array(_anything, 0, 10_000)}
    if kind == "home":
        return obj(required, common)
    return obj({**required, "title": title}, {**common, **modal, "submit_disabled": boolean})


def _anything(_value: object, _at: str) -> Iterator[Problem]:
    return iter(())


def _check_view_whole(view: Json, kind: str) -> Iterator[Problem]:
    blocks = [block for block in view.get("blocks", []) if isinstance(block, dict)]
    if len(json.dumps(view)) > LIMITS["view.characters"]:
        yield Problem("/view", "view is too large")
    if kind == "modal" and "submit" not in view and any(block.get("type") == "input" for block in blocks):
        yield Problem("/view", "missing required field: submit (a modal with inputs needs one)")


def _check_text(text: str, blocks: list[Any], longest: int) -> Iterator[Problem]:
    if len(text) > longest:
        yield Problem("/text", f"must be less than {longest + 1} characters", "msg_too_long")
    if not text and not blocks:
        yield Problem("/text", "neither text nor blocks", "no_text")
    letters = re.sub(r"<[^>]*>|:[\w+-]+:|[\W_]", "", text)
    if blocks and (len(letters) < _FEWEST_LETTERS or letters.lower() in _PLACEHOLDER_WORDS):
        yield Problem(
            "/text", "blocks need a meaningful text beside them: screen readers and notifications read it"
        )


def _check_block_size(blocks: list[Any]) -> Iterator[Problem]:
    most = LIMITS["blocks.characters"]
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > most:
        yield Problem("/blocks", f"must be less than {most + 1} characters as JSON", "msg_blocks_too_long")


def _check_duplicates(blocks: list[Any], at: str) -> Iterator[Problem]:
    known = [(index, block) for index, block in enumerate(blocks) if isinstance(block, dict)]
    for index in _repeated((index, block.get("block_id")) for index, block in known):
        yield Problem(f"{at}/{index}/block_id", "block_id already used in this list of blocks")
    for index, block in known:
        elements = list(elements_of(block))
        for place in _repeated((n, element.get("action_id")) for n, element in enumerate(elements)):
            yield Problem(f"{at}/{index}/elements/{place}/action_id", "action_id already used in this block")


def _repeated(pairs: Iterable[tuple[int, object]]) -> Iterator[int]:
    seen: set[object] = set()
    for index, name in pairs:
        if name is not None and name in seen:
            yield index
        seen.add(name)


def _check_broadcasts(value: object, at: str) -> Iterator[Problem]:
    """Yield each place that would ping everybody in a channel."""
    if isinstance(value, str) and _BROADCAST.search(value):
        yield Problem(at, "pings the whole channel: escape foreign text, or do not mention everybody")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _check_broadcasts(entry, f"{at}/{index}")
    elif isinstance(value, dict):
        if value.get("type") == "broadcast":
            yield Problem(at, "pings the whole channel")
        for key, entry in value.items():
            yield from _check_broadcasts(entry, f"{at}/{key}")
