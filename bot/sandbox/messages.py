"""Messages by channel, in order, each with an id that is also its time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.sandbox.records import Message

_MICROSECONDS = 1_000_000


class MessageStore:
    """Every message of the workspace. The owner's lock protects it (see `state.State`)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0
        self._by_ts: dict[tuple[str, str], Message] = {}

    def next_ts(self) -> str:
        """A new timestamp such as 1760000000.000100; never twice the same, always growing."""
        self._last = max(int(self._now() * _MICROSECONDS), self._last + 1)
        seconds, fraction = divmod(self._last, _MICROSECONDS)
        return f"{seconds}.{fraction:06d}"

    def post(self, message: Message) -> Message:
        """Store a message under a new timestamp and return it with that timestamp."""
        posted = replace(message, ts=self.next_ts())
        self._by_ts[posted.channel, posted.ts] = posted
        return posted

    def get(self, channel: str, ts: str) -> Message:
        """The message; raises LookupError when it never existed or was deleted."""
        if (channel, ts) not in self._by_ts:
            raise LookupError(f"no message {ts} in {channel}")
        return self._by_ts[channel, ts]

    def edit(self, channel: str, ts: str, **changes: Any) -> Message:  # noqa: ANN401 - fields of Message
        """Replace fields of a message in place; raises LookupError."""
        edited = replace(self.get(channel, ts), **changes)
        self._by_ts[channel, ts] = edited
        return edited

    def delete(self, channel: str, ts: str) -> None:
        self.get(channel, ts)
        del self._by_ts[channel, ts]

    def find(self, ts: str) -> Message:
        """The message with this timestamp in any channel; raises LookupError."""
        for message in self._by_ts.values():
            if message.ts == ts:
                return message
        raise LookupError(f"no message {ts}")

    def everything(self) -> list[Message]:
        """Every message of the workspace, oldest first, ephemeral ones too."""
        return list(self._by_ts.values())

    def channel(self, channel: str) -> list[Message]:
        """The messages of a channel that stand in its main stream, oldest first."""
        here = (message for message in self.everything() if message.channel == channel)
        return [message for message in here if not message.is_reply or message.is_broadcast]

    def thread(self, channel: str, root_ts: str) -> list[Message]:
        """The root of a thread and its replies, oldest first; empty without a root."""
        here = (message for message in self.everything() if message.channel == channel)
        return [message for message in here if root_ts in (message.ts, message.thread_ts)]

    def has(self, channel: str, ts: str) -> bool:
        return (channel, ts) in self._by_ts
