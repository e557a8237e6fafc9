"""Block Kit as a table: which fields each block has, how long they are, and where it may stand.

Sources: docs.slack.dev/reference/block-kit/blocks and the limits collected in `limits.LIMITS`. Block
types that this bot has no use for (video, card, carousel, call …) are missing on purpose: using one
is reported as an unsupported type.
"""

import copy
from collections.abc import Iterator, Mapping

from bot.sandbox.blockparts import (
    ANY_TEXT,
    ID,
    IMAGE,
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    PICTURE,
    URL,
    plain,
    text,
    typed,
)
from bot.sandbox.limits import LIMITS
from bot.sandbox.shapes import (
    Check,
    Json,
    Problem,
    any_of,
    array,
    boolean,
    both,
    exactly_one,
    integer,
    number,
    obj,
    one_of,
    string,
    tagged,
)

_STYLE = obj({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
_RICH_LEAF = tagged(
    {
        "text": typed({"text": ANY_TEXT}, {"style": _STYLE}),
        "link": typed({"url": URL}, {"text": ANY_TEXT, "style": _STYLE, "unsafe": boolean}),
        "emoji": typed({"name": string(100)}, {"unicode": string(40), "style": _STYLE}),
        "user": typed({"user_id": ID}, {"style": _STYLE}),
        "usergroup": typed({"usergroup_id": ID}, {"style": _STYLE}),
        "channel": typed({"channel_id": ID}, {"style": _STYLE}),
        "date": typed(
            {"timestamp": integer(0, 10**11), "format": string(200)}, {"fallback": ANY_TEXT, "url": URL}
        ),
        "broadcast": typed({"range": one_of("here", "channel", "everyone")}),
    }
)
_LEAVES = array(_RICH_LEAF, 0, 1000)
_RICH_SECTION = typed({"elements": _LEAVES})
_RICH_PART = tagged(
    {
        "rich_text_section": _RICH_SECTION,
        "rich_text_preformatted": typed(
            {"elements": _LEAVES}, {"border": integer(0, 1), "language": string(40)}
        ),
        "rich_text_quote": typed({"elements": _LEAVES}, {"border": integer(0, 1)}),
        "rich_text_list": typed(
            {
                "style": one_of("bullet", "ordered"),
                "elements": array(tagged({"rich_text_section": _RICH_SECTION}), 1, 1000),
            },
            {"indent": integer(0, 8), "border": integer(0, 1), "offset": integer(0, 10**6)},
        ),
    }
)
_RICH_TEXT = {"elements": array(_RICH_PART, 1, 1000)}

_RAW: dict[str, Check] = {
    "raw_text": typed({"text": ANY_TEXT}),
    "raw_number": typed({"value": number, "text": ANY_TEXT}),
}
_CELLS: dict[str, Check] = {**_RAW, "rich_text": typed(_RICH_TEXT)}
_ROW = array(tagged(_CELLS), 1, LIMITS["table.columns"])
_COLUMN = obj({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _rectangular(value: object, at: str) -> Iterator[Problem]:
    """Every row of a data_table is as long as its heading, and the heading holds no rich text."""
    rows = value.get("rows") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            yield Problem(f"{at}/rows/{index}", f"must have {len(rows[0])} cells like the heading row")
    yield from array(tagged(_RAW), 1, LIMITS["table.columns"])(rows[0], f"{at}/rows/0")


def _table_length(value: object, at: str) -> Iterator[Problem]:
    """All cells of a data_table together have a limit."""
    rows = value.get("rows") if isinstance(value, dict) else None
    cells = [cell for row in rows or [] if isinstance(row, list) for cell in row]
    length = sum(len(str(cell.get("text", ""))) for cell in cells if isinstance(cell, dict))
    if length > LIMITS["data_table.characters"]:
        yield Problem(
            f"{at}/rows", f"must be less than {LIMITS['data_table.characters'] + 1} characters in all"
        )


def _block(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    return typed(required, {"block_id": ID, **(optional or {})})


BLOCKS: dict[str, Check] = {
    "actions": _block({"elements": array(tagged(IN_ACTIONS), 1, LIMITS["actions.elements"])}),
    "alert": _block(
        {"text": text(LIMITS["alert.text"])},
        {"level": one_of("default", "info", "warning", "error", "success")},
    ),
    "context": _block(
        {
            "elements": array(
                tagged(
                    {
                        "image": IMAGE,
                        "plain_text": plain(LIMITS["context.text"]),
                        "mrkdwn": text(LIMITS["context.text"]),
                    }
                ),
                1,
                LIMITS["context.elements"],
            )
        }
    ),
    "data_table": both(
        _block(
            {
                "caption": string(LIMITS["data_table.caption"]),
                "rows": array(_ROW, 2, LIMITS["data_table.rows"]),
            },
            {
                "page_size": integer(1, 100),
                "row_header_column_index": integer(0, LIMITS["table.columns"] - 1),
            },
        ),
        _rectangular,
        _table_length,
    ),
    "divider": _block({}),
    "header": _block({"text": plain(LIMITS["header.text"])}),
    "image": both(
        _block(
            {"alt_text": string(LIMITS["image.alt_text"])},
            {**PICTURE, "title": plain(LIMITS["image.title"])},
        ),
        exactly_one("image_url", "slack_file"),
    ),
    "input": _block(
        {"label": plain(LIMITS["input.label"]), "element": tagged(IN_INPUT)},
        {"hint": plain(LIMITS["input.hint"]), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": _block({"text": string(LIMITS["markdown.text"])}),
    "rich_text": _block(_RICH_TEXT),
    "section": both(
        _block(
            {},
            {
                "text": text(LIMITS["section.text"]),
                "fields": array(text(LIMITS["section.field"]), 1, LIMITS["section.fields"]),
                "accessory": tagged(IN_SECTION),
                "expand": boolean,
            },
        ),
        any_of("text", "fields"),
    ),
    "table": _block(
        {"rows": array(_ROW, 1, LIMITS["table.rows"])},
        {
            "column_settings": array(
                lambda value, at: iter(()) if value is None else _COLUMN(value, at),
                1,
                LIMITS["table.columns"],
            )
        },
    ),
}
_EVERYWHERE = {"actions", "context", "divider", "header", "image", "input", "rich_text", "section"}
SURFACES: dict[str, set[str]] = {
    "message": {*_EVERYWHERE, "markdown", "table", "data_table"},
    "modal": {*_EVERYWHERE, "alert"},
    "home": _EVERYWHERE,
}


def block_check(surface: str) -> Check:
    """The checker for one block on a surface: `message`, `modal` or `home`."""
    return tagged({kind: check for kind, check in BLOCKS.items() if kind in SURFACES[surface]})


def elements_of(block: Json) -> Iterator[Json]:
    """The interactive elements of one block, in the order shown."""
    inside = block.get("elements", []) if block.get("type") == "actions" else []
    for element in (block.get("accessory"), block.get("element"), *inside):
        if isinstance(element, dict) and element.get("type") != "image":
            yield element


def with_ids(blocks: list[Json]) -> tuple[Json, ...]:
    """A copy in which every block and interactive element has an id, as Slack gives them."""
    named = copy.deepcopy(blocks)
    for place, block in enumerate(named):
        block.setdefault("block_id", f"auto-{place}")
        for index, element in enumerate(elements_of(block)):
            element.setdefault("action_id", f"auto-{place}-{index}")
    return tuple(named)
