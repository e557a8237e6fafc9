"""Slack's limits in one table; `blockparts.py`, `blockkit.py` and `checks.py` read them from here.

Sources: docs.slack.dev/reference/block-kit unless a comment names another.
"""

LIMITS: dict[str, int] = {
    # Where Slack counts: characters for text, items for lists.
    "message.text": 40_000,
    "update.text": 4_000,
    "message.blocks": 50,
    "view.blocks": 100,
    "blocks.characters": 12_000,  # undocumented: about 13,200 in practice (bolt-js#2509)
    "view.characters": 250_000,
    "id": 255,
    "url": 3_000,
    "header.text": 150,
    "section.text": 3_000,
    "section.fields": 10,
    "section.field": 2_000,
    "context.elements": 10,
    "context.text": 3_000,
    "actions.elements": 25,
    "button.text": 75,
    "button.value": 2_000,
    "button.label": 75,
    "confirm.title": 100,
    "confirm.text": 300,
    "confirm.button": 30,
    "option.text": 75,
    "option.value": 150,
    "select.options": 100,
    "select.groups": 100,
    "overflow.options": 5,
    "checkboxes.options": 10,
    "placeholder": 150,
    "plain_text_input": 3_000,
    "input.label": 2_000,
    "input.hint": 2_000,
    "image.alt_text": 2_000,
    "image.title": 2_000,
    "markdown.text": 12_000,
    "table.rows": 100,
    "table.columns": 20,
    "data_table.rows": 101,  # the heading row included
    "data_table.caption": 2_000,
    "data_table.characters": 10_000,
    "alert.text": 200,
    "view.title": 24,
    "view.private_metadata": 3_000,
    "response_url.uses": 5,
    "response_url.seconds": 1_800,
}
