"""Pictures that blocks name by `slack_file`: they have to be there, a picture, the app's own, and processed.

Slack looks a file over after its upload, beside everything else, and knows no `mimetype` before that; a block that names it
too early is refused like one that names a file which is not there. Sources: docs.slack.dev/reference/block-kit/composition-objects/
slack-file-object; slackapi/bolt-python#1251 and slackapi/java-slack-sdk#1335 for what happens too early.
"""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.checks import check_message, check_view
from bot.sandbox.limits import LIMITS
from bot.sandbox.records import StoredFile
from bot.sandbox.shapes import Json, Problem
from bot.sandbox.state import State

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})
_NAME = "slack_file"


def check_message_in(
    state: State, text: str, blocks: list[Any], *, longest_text: int = LIMITS["message.text"]
) -> list[Problem]:
    """What Slack would refuse about a message, the files that it names included."""
    return [*check_message(text, blocks, longest_text=longest_text), *_check_files(state, blocks, "/blocks")]


def check_view_in(state: State, view: Json) -> list[Problem]:
    """What Slack would refuse about a modal or an App Home, the files that it names included."""
    named = _check_files(state, view.get("blocks", []), "/view/blocks")
    return [*check_view(view), *(Problem(each.pointer, each.reason, "invalid_arguments") for each in named)]


def _check_files(state: State, value: object, at: str) -> Iterator[Problem]:
    """Yield each place below `value` that names a file which cannot be shown."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _check_files(state, entry, f"{at}/{index}")
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == _NAME and not _can_be_shown(state, entry):
                yield Problem(f"{at}/{key}", "invalid slack file")
            else:
                yield from _check_files(state, entry, f"{at}/{key}")


def _can_be_shown(state: State, named: object) -> bool:
    if not isinstance(named, dict) or ("id" in named) == ("url" in named):
        return False
    file = state.files.get(str(named["id"] if "id" in named else named["url"]).rpartition("/")[2])
    return (
        file is not None
        and _is_ours(state, file)
        and file.mimetype in _PICTURES
        and state.has_processed(file)
    )


def _is_ours(state: State, file: StoredFile) -> bool:
    """Tell whether the app may hand the file on: Slack asks whether whoever posts the blocks has access to it."""
    return file.user == state.workspace.bot_user_id
