"""Each of Slack's limits: what stands exactly at it passes, what stands just beyond it is refused."""

from collections.abc import Callable

import pytest

from bot.sandbox.checks import check_blocks, check_message, check_options, check_view
from bot.sandbox.limits import LIMITS
from tests.unit.bot.sandbox.sandbox_kit import Json, button, modal, section, text_input

Blocks = list[Json]
SURFACES = {"modal": "modal", "home": "home"}


def plain(length: int) -> Json:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def options(count: int, text: int = 5, value: int = 5) -> Blocks:
    return [{"text": plain(text), "value": f"{n:0{value}d}"} for n in range(count)]


def actions(*elements: Json) -> Blocks:
    return [{"type": "actions", "elements": list(elements)}]


def confirming(**lengths: int) -> Blocks:
    sizes = {"title": 5, "text": 5, "confirm": 5, "deny": 5} | lengths
    return actions(button("go", confirm={key: plain(size) for key, size in sizes.items()}))


def select(**fields: object) -> Blocks:
    return actions({"type": "static_select", "action_id": "s", **fields})


def picture(**fields: object) -> Blocks:
    return [{"type": "image", "image_url": "https://x.example/a.png", "alt_text": "A chart", **fields}]


def labelled(label: int, hint: int = 1) -> Blocks:
    element = {"type": "plain_text_input", "action_id": "a"}
    return [{"type": "input", "label": plain(label), "hint": plain(hint), "element": element}]


def table(kind: str, rows: int, columns: int, **fields: object) -> Blocks:
    row = [{"type": "raw_text", "text": "x"}] * columns
    return [{"type": kind, "rows": [row] * rows, **fields}]


AT_LIMITS: dict[str, tuple[str, int, Callable[[int], Blocks]]] = {
    "blocks in a message": ("message", 50, lambda n: [{"type": "divider"}] * n),
    "blocks in a modal": ("modal", 100, lambda n: [{"type": "divider"}] * n),
    "blocks in a home": ("home", 100, lambda n: [{"type": "divider"}] * n),
    "block_id": ("message", 255, lambda n: [{"type": "divider", "block_id": "x" * n}]),
    "action_id": ("message", 255, lambda n: actions(button("x" * n))),
    "header": ("message", 150, lambda n: [{"type": "header", "text": plain(n)}]),
    "section text": ("message", 3000, lambda n: [section("x" * n)]),
    "section fields": ("message", 10, lambda n: [{"type": "section", "fields": [mrkdwn(5)] * n}]),
    "section field": ("message", 2000, lambda n: [{"type": "section", "fields": [mrkdwn(n)]}]),
    "context elements": ("message", 10, lambda n: [{"type": "context", "elements": [mrkdwn(5)] * n}]),
    "actions elements": ("message", 25, lambda n: actions(*[button(f"b{i}") for i in range(n)])),
    "button text": ("message", 75, lambda n: actions(button("b", "x" * n))),
    "button value": ("message", 2000, lambda n: actions(button("b", value="x" * n))),
    "button url": ("message", 3000, lambda n: actions(button("b", url="x" * n))),
    "button label": ("message", 75, lambda n: actions(button("b", accessibility_label="x" * n))),
    "confirm title": ("message", 100, lambda n: confirming(title=n)),
    "confirm text": ("message", 300, lambda n: confirming(text=n)),
    "confirm button": ("message", 30, lambda n: confirming(confirm=n)),
    "deny button": ("message", 30, lambda n: confirming(deny=n)),
    "select options": ("message", 100, lambda n: select(options=options(n))),
    "option text": ("message", 75, lambda n: select(options=options(1, text=n))),
    "option value": ("message", 150, lambda n: select(options=options(1, value=n))),
    "select groups": (
        "message",
        100,
        lambda n: select(option_groups=[{"label": plain(5), "options": options(1)}] * n),
    ),
    "placeholder": ("message", 150, lambda n: select(options=options(1), placeholder=plain(n))),
    "overflow options": ("message", 5, lambda n: actions({"type": "overflow", "options": options(n)})),
    "checkboxes": ("message", 10, lambda n: actions({"type": "checkboxes", "options": options(n)})),
    "radio buttons": ("message", 10, lambda n: actions({"type": "radio_buttons", "options": options(n)})),
    "input label": ("modal", 2000, labelled),
    "input hint": ("modal", 2000, lambda n: labelled(5, n)),
    "max_length": ("modal", 3000, lambda n: [text_input("reason", max_length=n)]),
    "alt_text": ("message", 2000, lambda n: picture(alt_text="x" * n)),
    "image url": ("message", 3000, lambda n: picture(image_url="x" * n)),
    "markdown": ("message", 12_000, lambda n: [{"type": "markdown", "text": "x" * n}]),
    "table rows": ("message", 100, lambda n: table("table", n, 1)),
    "table columns": ("message", 20, lambda n: table("table", 1, n)),
    "data_table rows": ("message", 101, lambda n: table("data_table", n, 1, caption="Found")),
    "data_table columns": ("message", 20, lambda n: table("data_table", 2, n, caption="Found")),
    "data_table page": ("message", 100, lambda n: table("data_table", 2, 2, caption="Found", page_size=n)),
    "alert": ("modal", 200, lambda n: [{"type": "alert", "text": plain(n)}]),
}


@pytest.mark.parametrize("name", AT_LIMITS)
def test_at_the_limit_passes_and_one_more_fails(name: str) -> None:
    surface, limit, build = AT_LIMITS[name]
    assert check_blocks(build(limit), surface=surface, at="/blocks") == []
    assert check_blocks(build(limit + 1), surface=surface, at="/blocks") != []


REFUSED: dict[str, tuple[str, Blocks, str]] = {
    "mrkdwn in a button": (
        "message",
        actions({"type": "button", "action_id": "b", "text": mrkdwn(3)}),
        "/elements/0/text/type",
    ),
    "mrkdwn in a header": ("message", [{"type": "header", "text": mrkdwn(3)}], "/0/text/type"),
    "an unknown block": ("message", [{"type": "carousel"}], "/0/type"),
    "an unknown field": ("message", [{"type": "divider", "colour": "red"}], "/0/colour"),
    "an alert in a message": ("message", [{"type": "alert", "text": plain(3)}], "/0/type"),
    "a table in a modal": ("modal", table("table", 1, 1), "/0/type"),
    "markdown at home": ("home", [{"type": "markdown", "text": "x"}], "/0/type"),
    "an input element among actions": ("message", actions({"type": "plain_text_input"}), "/elements/0/type"),
    "an unknown style": ("message", actions(button("b", style="red")), "/style"),
    "an empty section": ("message", [{"type": "section"}], "/0"),
    "empty text": ("message", [section("")], "/0/text/text"),
    "a picture without words": (
        "message",
        [{"type": "image", "image_url": "https://x.example/a.png"}],
        "/0",
    ),
    "the same block_id twice": ("message", [{"type": "divider", "block_id": "a"}] * 2, "/1/block_id"),
    "the same action_id twice": ("message", actions(button("a"), button("a")), "/elements/1/action_id"),
    "no options": ("message", select(), "/elements/0"),
    "an initial option not offered": (
        "message",
        select(options=options(2), initial_option={"text": plain(5), "value": "zzz"}),
        "/elements/0",
    ),
    "a data_table without a caption": ("message", table("data_table", 2, 2), "/0"),
    "a data_table with one row": ("message", table("data_table", 1, 2, caption="Found"), "/0/rows"),
    "a ragged data_table": (
        "message",
        [
            {
                "type": "data_table",
                "caption": "Found",
                "rows": [[{"type": "raw_text", "text": "x"}] * n for n in (2, 1)],
            }
        ],
        "/0/rows/1",
    ),
    "a data_table with too many characters": (
        "message",
        [
            {
                "type": "data_table",
                "caption": "Found",
                "rows": [[{"type": "raw_text", "text": "x" * 2600}]] * 4,
            }
        ],
        "/0/rows",
    ),
    "not an object": ("message", ["divider"], "/0/type"),  # type: ignore[list-item]
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_pointer(name: str) -> None:
    surface, blocks, pointer = REFUSED[name]
    assert any(p.pointer.endswith(pointer) for p in check_blocks(blocks, surface=surface, at="/blocks")), (
        check_blocks(blocks, surface=surface, at="/blocks")
    )


def test_the_action_id_may_repeat_in_another_block() -> None:
    rows = [section("One", accessory=button("open")), section("Two", accessory=button("open"))]
    assert check_message("Two rows", rows) == []


def test_all_blocks_together_have_a_limit() -> None:
    roomy = [section("x" * 2900) for _ in range(4)]
    assert check_message("Four sections", roomy) == []
    assert [p.code for p in check_message("Five", [*roomy, section("x" * 400)])] == ["msg_blocks_too_long"]


def test_text_has_a_limit() -> None:
    assert check_message("x" * LIMITS["message.text"], []) == []
    assert check_message("x" * (LIMITS["message.text"] + 1), [])[0].code == "msg_too_long"


@pytest.mark.parametrize("text", ["", " ", "…", "message", "<@U0ANA>", ":bell:"])
def test_blocks_need_meaningful_words_beside_them(text: str) -> None:
    assert any(p.pointer == "/text" for p in check_message(text, [section("Hello")]))


@pytest.mark.parametrize("mention", ["<!channel>", "<!here>", "<!everyone|all>"])
def test_nobody_is_pinged_unasked(mention: str) -> None:
    assert check_message(f"Hello {mention}", [])[0].pointer == "/text"
    assert check_message("Hello", [section(f"Hello {mention}")])[0].pointer == "/blocks/0/text/text"
    assert check_message("Hello &lt;!channel&gt; and <!subteam^S0SEC>", []) == []


def test_a_rich_text_broadcast_is_a_ping() -> None:
    part = {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}
    assert check_message("Hello", [{"type": "rich_text", "elements": [part]}])[0].reason.startswith("pings")


@pytest.mark.parametrize(
    ("field", "limit"),
    [("title", 24), ("submit", 24), ("close", 24), ("private_metadata", 3000), ("callback_id", 255)],
)
def test_view_fields(field: str, limit: int) -> None:
    def value(length: int) -> object:
        return plain(length) if limit == 24 else "x" * length

    assert check_view(modal(section("Hi"), **{field: value(limit)})) == []
    problems = check_view(modal(section("Hi"), **{field: value(limit + 1)}))
    assert [(p.pointer.split("/")[2], p.code) for p in problems] == [(field, "invalid_arguments")]


def test_a_modal_with_inputs_needs_submit() -> None:
    view = modal(text_input("reason"))
    del view["submit"]
    assert "submit" in check_view(view)[0].reason


def test_a_view_is_a_modal_or_a_home() -> None:
    assert check_view({"type": "home", "blocks": [section("Here")]}) == []
    assert check_view({"type": "sheet", "blocks": []})[0].pointer == "/view/type"


def test_options_answer() -> None:
    assert check_options({"options": options(100)}) == []
    assert check_options({"options": options(101)}) != []
    assert check_options({"option_groups": [{"label": plain(3), "options": options(2)}]}) == []
    assert check_options({}) != []


def test_one_of_each_kind_passes() -> None:
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "Hi", "style": {"bold": True}}],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U0ANA"}]}
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}]},
        ],
    }
    number = {"type": "raw_number", "value": 3, "text": "3"}
    words = {"type": "raw_text", "text": "Open"}
    found = {"type": "data_table", "caption": "Found", "rows": [[words, words], [words, number]]}
    pickers = [{"type": kind, "action_id": kind} for kind in ("datepicker", "timepicker", "users_select")]
    everything = [rich, found, *actions(*pickers), *picture(title=plain(3)), *table("table", 2, 2)]
    assert check_message("One of each", everything) == []
