"""Everything the mock workspace remembers, behind one lock, with one way to be told of changes.

The stores know no HTTP and no Slack method: `webapi.py` translates requests into calls here, and
`observing.py` reads. Values handed out are frozen (`records.py`), so readers need no lock.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bot.sandbox.messages import MessageStore
from bot.sandbox.records import Call, StoredFile, Violation
from bot.sandbox.shapes import Json, Problem
from bot.sandbox.views import ViewStore
from bot.sandbox.workspace import Channel, Workspace


@dataclass(frozen=True)
class ResponseUrl:
    """A response_url handed to the bot: for whom, in which channel, about which message, until when."""

    user: str
    channel: str
    message_ts: str | None
    expires: float
    uses_left: int


@dataclass(frozen=True)
class Trigger:
    """A trigger_id handed to the bot: for whom, until when (monotonic seconds), used or not.

    `view_id` is set when the interaction came from an open modal: only then may views.push use it.
    """

    user: str
    expires: float
    view_id: str | None = None
    is_used: bool = False


@dataclass(repr=False, eq=False)
class State:
    """The mutable heart of the stand-in. Hold `change()` while writing; read freely."""

    workspace: Workspace
    now: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 0
    messages: MessageStore = field(init=False)
    views: ViewStore = field(default_factory=ViewStore)
    files: dict[str, StoredFile] = field(default_factory=dict)
    processing_s: float = 0.3  # until Slack knows what an uploaded file is
    upload_tokens: dict[str, str] = field(default_factory=dict)  # token in the upload URL -> file id
    direct: dict[str, Channel] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    suggestions: dict[tuple[str, str], Json] = field(default_factory=dict)  # (action_id, value) -> option
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.messages = MessageStore(self.now)
        self.changed = threading.Condition(self.lock)

    def reset(self) -> None:
        """Forget everything that happened; the workspace stays."""
        with self.change():
            self.messages, self.views = MessageStore(self.now), ViewStore()
            for kept in (self.files, self.upload_tokens, self.direct, self.triggers, self.response_urls):
                kept.clear()
            self.suggestions.clear()
            self.calls.clear()
            self.violations.clear()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock, then tell everyone who waits or listens that something is new."""
        with self.changed:
            yield
            self.version += 1
            self.changed.notify_all()
        for listener in tuple(self.listeners):
            listener()

    def wait_for(self, predicate: Callable[[], Any], timeout_s: float) -> Any:  # noqa: ANN401 - the predicate's own
        """The predicate's first true value, asked again after each change; None after `timeout_s`."""
        with self.changed:
            return self.changed.wait_for(predicate, timeout_s) or None

    def channel(self, name: str) -> Channel:
        """A channel or an opened direct message, by id or name; raises LookupError."""
        return self.direct.get(name) or self.workspace.channel(name)

    def open_direct(self, user: str) -> Channel:
        """The direct message between a person (by id) and the bot, opened when needed."""
        ident = f"D{user[1:]}"
        with self.lock:
            if ident in self.direct:  # looking changes nothing: the page would fetch for ever
                return self.direct[ident]
        with self.change():
            members = (user, self.workspace.bot_user_id)
            return self.direct.setdefault(ident, Channel(ident, user, members, is_private=True))

    def record_call(self, call: Call) -> None:
        with self.change():
            self.calls.append(call)

    def record_problems(self, where: str, problems: list[Problem]) -> None:
        """Remember broken rules, so that tests and the demo page can fail loudly."""
        if problems:
            with self.change():
                self.violations.extend(Violation(where, str(problem)) for problem in problems)

    def put_file(self, file: StoredFile) -> None:
        with self.change():
            self.files[file.id] = file

    def has_processed(self, file: StoredFile) -> bool:
        """Tell whether Slack has looked an uploaded file over by now."""
        return file.completed_at is not None and self.now() >= file.completed_at + self.processing_s

    def share_file(self, file_id: str, channel: str, title: str) -> StoredFile:
        """Note that a file was posted to a channel, under a (new) title."""
        with self.change():
            file = self.files[file_id]
            shared = replace(file, title=title or file.title, channels=(*file.channels, channel))
            self.files[file_id] = shared
            return shared
