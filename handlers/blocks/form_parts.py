"""What the forms of bare commands are made of: the frame, and a field of each kind."""

import json
from collections.abc import Mapping, Sequence

from slack_sdk.models.blocks import (
    ExternalDataMultiSelectElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from handlers.blocks.parts import context, section
from handlers.blocks.texts import plain
from handlers.vocabulary import CommandHelp

MOST_OPTIONS = 100
LONGEST_VALUE = 150
_LABEL = 75
_HINT = 300
_LONGEST_LINE = 1000


def build_form(
    form: str, command: CommandHelp, fields: Sequence[InputBlock], *, carries: Mapping[str, str]
) -> View:
    """Return the form of a command; it carries where it was opened."""
    lead = section(f"{command.description}. The answer is for your eyes alone.")
    hint = context(f"Everything here can be typed as well: `{command.name} help`")
    return View(
        type="modal",
        callback_id=form,
        title=words_of(command.name.removeprefix("/").capitalize(), 24),
        submit=words_of("Go", 24),
        close=words_of("Cancel", 24),
        private_metadata=json.dumps(dict(carries)),
        blocks=[lead, *fields, hint],
    )


def field(
    name: str, label: str, element: InputInteractiveElement, *, is_optional: bool = False, hint: str = ""
) -> InputBlock:
    """Return a field; its block and its element go by one name."""
    return InputBlock(
        block_id=name,
        label=words_of(label, _LABEL),
        element=element,
        optional=is_optional,
        hint=words_of(hint, _HINT) if hint else None,
    )


def choice(name: str, options: Sequence[Option], *, first: bool = True) -> StaticSelectElement:
    """Return a choice of a few, the `first` one chosen."""
    return StaticSelectElement(action_id=name, options=options, initial_option=options[0] if first else None)


def picker(name: str, placeholder: str) -> ExternalDataSelectElement:
    """Return a choice of many, searched while people type."""
    return ExternalDataSelectElement(
        action_id=name, placeholder=words_of(placeholder, _LABEL), min_query_length=0
    )


def pickers(name: str, placeholder: str, *, most: int) -> ExternalDataMultiSelectElement:
    """Return a choice of several among many, searched while people type."""
    return ExternalDataMultiSelectElement(
        action_id=name,
        placeholder=words_of(placeholder, _LABEL),
        min_query_length=0,
        max_selected_items=most,
    )


def line(name: str, placeholder: str) -> PlainTextInputElement:
    """Return a line to type into."""
    return PlainTextInputElement(
        action_id=name, placeholder=words_of(placeholder, _LABEL), max_length=_LONGEST_LINE
    )


def option(value: str, text: str, description: str = "") -> Option:
    """Return one of a choice."""
    about = plain(description, _LABEL)
    return Option(
        value=value, text=words_of(text, _LABEL), description=words_of(about, _LABEL) if about else None
    )


def words_of(text: str, limit: int) -> PlainTextObject:
    """Return plain words, cut to a limit."""
    return PlainTextObject(text=plain(text, limit) or "(no name)", emoji=False)
