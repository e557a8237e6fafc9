"""What the stand-in remembers, as frozen values: tests may keep and compare them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.blockkit import elements_of
from bot.sandbox.shapes import Json


@dataclass(frozen=True)
class Message:
    """A message as people see it.

    `channel` and `user` are ids; `ts` is Slack's timestamp and identity; `only_for` is the user id
    that alone sees an ephemeral message; `files` are file ids.
    """

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    thread_ts: str | None = None
    edited_ts: str | None = None
    only_for: str | None = None
    metadata: Json | None = None
    files: tuple[str, ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()  # (emoji name, user id)
    is_broadcast: bool = False

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def action_ids(self) -> tuple[str, ...]:
        """The action_id of every interactive element, in the order shown."""
        return tuple(e.get("action_id", "") for block in self.blocks for e in elements_of(block))

    @property
    def words(self) -> str:
        """Everything readable in the blocks (or the text, without blocks), one piece per line."""
        return "\n".join(_strings(list(self.blocks))) if self.blocks else self.text


@dataclass(frozen=True)
class View:
    """An open modal or a published App Home.

    `payload` is what the bot sent; `values` what the person chose so far, as Slack's
    `state.values`; `previous_id` and `root_id` place it in a stack of modals.
    """

    id: str
    user: str
    hash: str
    payload: Json
    root_id: str
    previous_id: str | None = None
    values: Json | None = None

    @property
    def blocks(self) -> tuple[Json, ...]:
        return tuple(self.payload.get("blocks", ()))

    @property
    def title(self) -> str:
        return str(self.payload.get("title", {}).get("text", ""))

    @property
    def action_ids(self) -> tuple[str, ...]:
        return tuple(e.get("action_id", "") for block in self.blocks for e in elements_of(block))

    @property
    def words(self) -> str:
        """Everything readable in the blocks, one piece per line."""
        return "\n".join(_strings(list(self.blocks)))


@dataclass(frozen=True)
class StoredFile:
    """An uploaded file; `content` is None until the bytes arrive, `size` is what the bot announced.

    `completed_at` (seconds since the epoch) is when its upload was: until Slack has processed it, a little later, its
    type is known to us and told to nobody.
    """

    id: str
    name: str
    title: str
    size: int
    mimetype: str
    user: str
    alt_text: str = ""
    content: bytes | None = None
    channels: tuple[str, ...] = ()
    completed_at: float | None = None


@dataclass(frozen=True)
class Call:
    """One Web API call of the bot: when (seconds since the epoch), with what, and how it was answered."""

    method: str
    args: Json
    at: float
    error: str = ""


@dataclass(frozen=True)
class Violation:
    """One broken rule of Slack: where it was sent (`chat.postMessage` …) and Slack's words for it."""

    where: str
    message: str


_READABLE = ("text", "caption", "alt_text", "title", "label", "hint", "placeholder", "description")
_STRUCTURE = ("elements", "element", "accessory", "fields", "rows", "options", "option_groups")


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Each readable string of a Block Kit tree, in order."""
    if isinstance(value, list):
        for entry in value:
            yield from _strings(entry)
    elif isinstance(value, dict):
        for key in (*_READABLE, *_STRUCTURE):
            entry = value.get(key)
            if isinstance(entry, str):
                yield entry
            elif isinstance(entry, dict | list):
                yield from _strings(entry)
