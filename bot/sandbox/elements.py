"""Interactive elements from the person's side: find one, choose a value, keep `state.values`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.sandbox.blockkit import elements_of
from bot.sandbox.shapes import Json

_BUTTONS = {"button", "workflow_button"}
_STATELESS = {*_BUTTONS, "overflow", "image"}
# For each element type: the key of its value in `state.values`, and the key of its initial value.
_KEYS: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
}
_NOTHING = object()
Lookup = Callable[[Json, str], Json | None]


def interactive(blocks: tuple[Json, ...]) -> Iterator[tuple[Json, Json]]:
    """Each (block, element) a person can use, in the order shown."""
    for block in blocks:
        for element in elements_of(block):
            yield block, element


def find_element(
    blocks: tuple[Json, ...], action_id: str, *, value: object = None, block_id: str | None = None
) -> tuple[Json, Json]:
    """The (block, element) with this action_id; `value` tells buttons that share an id apart.

    Raises LookupError with the action ids that are there.
    """
    here = [(b, e) for b, e in interactive(blocks) if e.get("action_id") == action_id]
    if block_id is not None:
        here = [(b, e) for b, e in here if b.get("block_id") == block_id]
    if value is not None and len(here) > 1:
        here = [(b, e) for b, e in here if e.get("value") == value] or here
    if not here:
        there = [str(e.get("action_id")) for _, e in interactive(blocks)]
        raise LookupError(f"no element {action_id!r} to use; there are: {', '.join(there) or 'none'}")
    return here[0]


def options_of(element: Json) -> list[Json]:
    """The options an element offers by itself, those of its groups included."""
    groups = [element, *element.get("option_groups", [])]
    return [option for group in groups for option in group.get("options", [])]


def to_state(element: Json, choice: Any, lookup: Lookup) -> Json:  # noqa: ANN401 - a person's choice
    """The entry of `state.values` for a choice: an option's value, an id, a date, a text, or a list.

    `lookup` finds the option of an external select by its value. Raises LookupError for a choice that
    the element does not offer.
    """
    kind = element["type"]
    key, _ = _KEYS[kind]
    if key == "selected_option" and choice is not None:
        choice = _option(element, choice, lookup)
    elif key == "selected_options":
        choice = [_option(element, each, lookup) for each in choice or []]
    elif key == "value" and choice is not None:
        choice = str(choice)
    return {"type": kind, key: choice}


def _option(element: Json, choice: Any, lookup: Lookup) -> Json:  # noqa: ANN401
    wanted = choice.get("value") if isinstance(choice, dict) else choice
    for option in options_of(element):
        if option["value"] == wanted:
            return option
    found = lookup(element, str(wanted)) if "external" in element["type"] else None
    if found is None:
        raise LookupError(f"{element.get('action_id')} does not offer {wanted!r}")
    return found


def initial_state(blocks: tuple[Json, ...]) -> Json:
    """`state.values` before the person touched anything."""
    values: Json = {}
    for block, element in interactive(blocks):
        if element["type"] in _STATELESS:
            continue
        key, initial = _KEYS[element["type"]]
        empty: Any = [] if key.endswith("s") else None
        entry = {"type": element["type"], key: element.get(initial, empty)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return values


def merged_state(blocks: tuple[Json, ...], known: Json | None) -> Json:
    """The state of these blocks, keeping what is `known` where ids and types still agree."""
    values = initial_state(blocks)
    for block_id, entries in values.items():
        for action_id, fresh in entries.items():
            kept = (known or {}).get(block_id, {}).get(action_id)
            if kept and kept["type"] == fresh["type"]:
                entries[action_id] = kept
    return values


def filled_state(
    blocks: tuple[Json, ...], known: Json | None, choices: Mapping[str, Any], lookup: Lookup
) -> Json:
    """`state.values` after a person made `choices`: keyed by block_id or action_id.

    A choice may also be `{action_id: choice}` under a block_id. Raises LookupError for a key that
    names nothing.
    """
    named = {
        name for block, element in interactive(blocks) for name in (block["block_id"], element["action_id"])
    }
    if unknown := sorted(set(choices) - named):
        raise LookupError(
            f"there is no {', '.join(unknown)} to fill in; there are {', '.join(sorted(named))}"
        )
    values = merged_state(blocks, known)
    for block, element in interactive(blocks):
        if element["type"] not in _STATELESS:
            for choice in _choices_for(block, element, choices):
                values[block["block_id"]][element["action_id"]] = to_state(element, choice, lookup)
    return values


def _choices_for(block: Json, element: Json, choices: Mapping[str, Any]) -> Iterator[Any]:
    """What was chosen for one element, under its block's name or its own."""
    action_id = element["action_id"]
    siblings = {each["action_id"] for each in elements_of(block)}
    in_block = choices.get(block["block_id"], _NOTHING)
    if isinstance(in_block, dict) and in_block.keys() <= siblings:
        in_block = in_block.get(action_id, _NOTHING)
    shares_a_name = action_id == block["block_id"]
    by_action = _NOTHING if shares_a_name else choices.get(action_id, _NOTHING)
    for choice in (in_block, by_action):
        if choice is not _NOTHING:
            yield choice


def missing_inputs(blocks: tuple[Json, ...], values: Json) -> dict[str, str]:
    """What Slack's own client objects to before it sends a form: block_id to words."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        key, _ = _KEYS[element["type"]]
        given = values[block["block_id"]][element["action_id"]].get(key)
        if not given and not block.get("optional"):
            errors[block["block_id"]] = "Please complete this required field."
        elif isinstance(given, str) and len(given) > element.get("max_length", 3000):
            errors[block["block_id"]] = f"At most {element['max_length']} characters."
        elif isinstance(given, str) and 0 < len(given) < element.get("min_length", 0):
            errors[block["block_id"]] = f"At least {element['min_length']} characters."
    return errors
