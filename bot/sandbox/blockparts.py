"""The parts Block Kit blocks are made of: text, options, confirm dialogs and interactive elements.

Each is a checker (see `shapes.py`) with Slack's own field names. Source:
docs.slack.dev/reference/block-kit/block-elements and composition-objects.
"""

from collections.abc import Iterator, Mapping

from bot.sandbox.limits import LIMITS
from bot.sandbox.shapes import (
    Check,
    Problem,
    any_of,
    array,
    boolean,
    both,
    exactly_one,
    integer,
    obj,
    one_of,
    string,
    tagged,
)

ID = string(LIMITS["id"])
URL = string(LIMITS["url"])
ANY_TEXT = string(LIMITS["section.text"])
_DATE = string(10, pattern=r"\d{4}-\d{2}-\d{2}")
_TIME = string(5, pattern=r"\d{2}:\d{2}")


def plain(longest: int) -> Check:
    """A plain_text object of at most `longest` characters."""
    return tagged({"plain_text": obj({"type": string(20), "text": string(longest)}, {"emoji": boolean})})


def text(longest: int) -> Check:
    """A plain_text or mrkdwn object of at most `longest` characters."""
    return tagged(
        {
            "plain_text": obj({"type": string(20), "text": string(longest)}, {"emoji": boolean}),
            "mrkdwn": obj({"type": string(20), "text": string(longest)}, {"verbatim": boolean}),
        }
    )


def typed(required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None) -> Check:
    """An object with a `type` beside the given fields."""
    return obj({"type": string(40), **(required or {})}, optional)


CONFIRM = obj(
    {
        "title": plain(LIMITS["confirm.title"]),
        "text": text(LIMITS["confirm.text"]),
        "confirm": plain(LIMITS["confirm.button"]),
        "deny": plain(LIMITS["confirm.button"]),
    },
    {"style": one_of("primary", "danger")},
)


def _option(words: Check, extra: Mapping[str, Check] | None = None) -> Check:
    return obj(
        {"text": words, "value": string(LIMITS["option.value"])}, {"description": words, **(extra or {})}
    )


OPTION = _option(plain(LIMITS["option.text"]))
_RICH_OPTION = _option(text(LIMITS["option.text"]))
_LINK_OPTION = _option(plain(LIMITS["option.text"]), {"url": URL})
OPTIONS = array(OPTION, 1, LIMITS["select.options"])
GROUP = obj({"label": plain(LIMITS["option.text"]), "options": OPTIONS})
GROUPS = array(GROUP, 1, LIMITS["select.groups"])

_COMMON: Mapping[str, Check] = {"action_id": ID, "confirm": CONFIRM, "focus_on_load": boolean}
_PLACEHOLDER: Mapping[str, Check] = {**_COMMON, "placeholder": plain(LIMITS["placeholder"])}
_MANY: Mapping[str, Check] = {"max_selected_items": integer(1, 100)}
_DISPATCH = {"dispatch_action_config": obj({}, {"trigger_actions_on": array(string(40), 1, 2)})}


def _initial_among_options(value: object, at: str) -> Iterator[Problem]:
    """An initial choice must be one of the options, word for word."""
    if not isinstance(value, dict):
        return
    groups = [value, *(value.get("option_groups") or [])]
    offered = [option for group in groups for option in group.get("options") or []]
    chosen = [*(value.get("initial_options") or []), *filter(None, [value.get("initial_option")])]
    if any(option not in offered for option in chosen):
        yield Problem(at, "initial option not found among the options")


def _static(extra: Mapping[str, Check]) -> Check:
    shape = typed(optional={**_PLACEHOLDER, "options": OPTIONS, "option_groups": GROUPS, **extra})
    return both(shape, exactly_one("options", "option_groups"), _initial_among_options)


def _select(extra: Mapping[str, Check]) -> Check:
    return typed(optional={**_PLACEHOLDER, **extra})


def _boxes(extra: Mapping[str, Check]) -> Check:
    options = array(_RICH_OPTION, 1, LIMITS["checkboxes.options"])
    return both(typed({"options": options}, {**_COMMON, **extra}), _initial_among_options)


def _typing(extra: Mapping[str, Check] | None = None) -> Check:
    initial = string(LIMITS["plain_text_input"], shortest=0)
    return typed(optional={**_PLACEHOLDER, **_DISPATCH, "initial_value": initial, **(extra or {})})


_IDS = array(ID, 1, 100)
_SELECTS: dict[str, Check] = {
    "static_select": _static({"initial_option": OPTION}),
    "external_select": _select({"initial_option": OPTION, "min_query_length": integer(0, 100)}),
    "users_select": _select({"initial_user": ID}),
    "conversations_select": _select(
        {
            "initial_conversation": ID,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": obj({}, {"include": array(string(10), 1, 4), "exclude_bot_users": boolean}),
        }
    ),
    "channels_select": _select({"initial_channel": ID, "response_url_enabled": boolean}),
    "multi_static_select": _static({**_MANY, "initial_options": OPTIONS}),
    "multi_external_select": _select(
        {**_MANY, "initial_options": OPTIONS, "min_query_length": integer(0, 100)}
    ),
    "multi_users_select": _select({**_MANY, "initial_users": _IDS}),
    "multi_conversations_select": _select({**_MANY, "initial_conversations": _IDS}),
    "multi_channels_select": _select({**_MANY, "initial_channels": _IDS}),
}
_PICKERS: dict[str, Check] = {
    "datepicker": typed(optional={**_PLACEHOLDER, "initial_date": _DATE}),
    "timepicker": typed(optional={**_PLACEHOLDER, "initial_time": _TIME, "timezone": string(60)}),
    "checkboxes": _boxes({"initial_options": array(_RICH_OPTION, 1, LIMITS["checkboxes.options"])}),
    "radio_buttons": _boxes({"initial_option": _RICH_OPTION}),
}
_BUTTON = typed(
    {"text": plain(LIMITS["button.text"])},
    {
        "action_id": ID,
        "url": URL,
        "value": string(LIMITS["button.value"], shortest=0),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(LIMITS["button.label"]),
    },
)
_OVERFLOW = typed(
    {"options": array(_LINK_OPTION, 1, LIMITS["overflow.options"])}, {"action_id": ID, "confirm": CONFIRM}
)
PICTURE: Mapping[str, Check] = {"image_url": URL, "slack_file": obj({}, {"id": ID, "url": URL})}
IMAGE = both(
    typed({"alt_text": string(LIMITS["image.alt_text"])}, PICTURE), exactly_one("image_url", "slack_file")
)
_DATETIME = typed(optional={**_COMMON, "initial_date_time": integer(10**9, 10**10 - 1)})
_WRITTEN: dict[str, Check] = {
    "plain_text_input": _typing(
        {
            "multiline": boolean,
            "min_length": integer(0, LIMITS["plain_text_input"]),
            "max_length": integer(1, LIMITS["plain_text_input"]),
        }
    ),
    "email_text_input": _typing(),
    "url_text_input": _typing(),
    "number_input": both(
        _typing({"is_decimal_allowed": boolean, "min_value": string(40), "max_value": string(40)}),
        any_of("is_decimal_allowed"),
    ),
    "file_input": typed(
        optional={"action_id": ID, "filetypes": array(string(20), 1, 50), "max_files": integer(1, 10)}
    ),
}
IN_ACTIONS: dict[str, Check] = {
    "button": _BUTTON,
    "overflow": _OVERFLOW,
    "datetimepicker": _DATETIME,
    **_SELECTS,
    **_PICKERS,
}
IN_SECTION: dict[str, Check] = {
    "button": _BUTTON,
    "overflow": _OVERFLOW,
    "image": IMAGE,
    **_SELECTS,
    **_PICKERS,
}
IN_INPUT: dict[str, Check] = {"datetimepicker": _DATETIME, **_SELECTS, **_PICKERS, **_WRITTEN}
