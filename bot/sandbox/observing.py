"""What a test (or the demo page) can see of the workspace: messages as a person sees them, views, files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.sandbox.faults import Faults
from bot.sandbox.records import Call, Message, StoredFile, View, Violation
from bot.sandbox.state import State
from bot.sandbox.workspace import Channel, Person, Workspace

T = TypeVar("T")


@dataclass(repr=False, eq=False)
class Observing:
    """Reads; never changes anything. People and channels are named by id or by name."""

    state: State
    faults: Faults = field(default_factory=Faults)

    @property
    def workspace(self) -> Workspace:
        return self.state.workspace

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every Web API call of the bot, oldest first."""
        with self.state.lock:
            return tuple(self.state.calls)

    def calls_of(self, method: str) -> tuple[Call, ...]:
        """The calls of one Web API method, oldest first."""
        return tuple(call for call in self.calls if call.method == method)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every rule of Slack's that the bot broke; a test ends with this empty."""
        with self.state.lock:
            return tuple(self.state.violations)

    def channel_id(self, name: str) -> str:
        """The id of a channel (`#security`) or of a person's direct message with the bot (`@ana`)."""
        if name.startswith("@"):
            return self.dm(name)
        return self.state.channel(name).id

    def dm(self, user: str) -> str:
        """The channel id of the direct message between this person and the bot, opened when needed."""
        return self.state.open_direct(self.workspace.person(user).id).id

    def messages(self, channel: str, as_user: str | None = None) -> tuple[Message, ...]:
        """The main stream of a channel, oldest first, as this person sees it; without one, everything."""
        place = self.state.channel(self.channel_id(channel))
        with self.state.lock:
            found = self.state.messages.channel(place.id)
        return self._visible(found, place, as_user)

    def thread(self, channel: str, ts: str, as_user: str | None = None) -> tuple[Message, ...]:
        """A thread: its root and the replies, oldest first; empty when there is no such message."""
        place = self.state.channel(self.channel_id(channel))
        with self.state.lock:
            found = self.state.messages.thread(place.id, ts)
        return self._visible(found, place, as_user)

    def message(self, channel: str, ts: str) -> Message:
        """One message by its timestamp; raises LookupError."""
        with self.state.lock:
            return self.state.messages.get(self.channel_id(channel), ts)

    def views(self, user: str) -> tuple[View, ...]:
        """The person's open modals, the one on top last."""
        with self.state.lock:
            return tuple(self.state.views.stack(self.workspace.person(user).id))

    def home(self, user: str) -> View | None:
        """The App Home the bot published for this person."""
        with self.state.lock:
            return self.state.views.home(self.workspace.person(user).id)

    def files(self) -> tuple[StoredFile, ...]:
        """Every file whose bytes arrived, oldest first."""
        with self.state.lock:
            return tuple(file for file in self.state.files.values() if file.content is not None)

    def file_content(self, file_id: str) -> bytes:
        """The bytes of an uploaded file; raises LookupError."""
        content = self.state.files[file_id].content
        if content is None:
            raise LookupError(f"{file_id} was announced but never sent")
        return content

    def wait_for(self, predicate: Callable[[], T | None], timeout_s: float = 5.0) -> T:
        """The first true value of `predicate`, asked again after each change; raises TimeoutError."""
        found: T | None = self.state.wait_for(predicate, timeout_s)
        if found is None:
            raise TimeoutError(
                f"not seen within {timeout_s} s; calls so far: {[c.method for c in self.calls]}"
            )
        return found

    def may_read(self, person: Person, channel: Channel) -> bool:
        """Whether this person can open the channel."""
        return person.id in channel.members or not (channel.is_private or person.is_restricted)

    def _visible(self, found: list[Message], channel: Channel, as_user: str | None) -> tuple[Message, ...]:
        if as_user is None:
            return tuple(found)
        person = self.workspace.person(as_user)
        if not self.may_read(person, channel):
            raise LookupError(f"{person.name} cannot open {channel.name}")
        return tuple(message for message in found if message.only_for in (None, person.id))
