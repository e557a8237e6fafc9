"""What every act in the workspace needs: what the person can reach, one-time handles, the way to the bot."""

import secrets
import time
from dataclasses import dataclass, field

from bot.sandbox import elements, payloads
from bot.sandbox.delivery import Ack, Courier, Delivery, HttpCourier
from bot.sandbox.limits import LIMITS
from bot.sandbox.observing import Observing
from bot.sandbox.payloads import Handles
from bot.sandbox.records import Message, View
from bot.sandbox.shapes import Json
from bot.sandbox.socketmode import SocketHub
from bot.sandbox.state import ResponseUrl, Trigger
from bot.sandbox.workspace import Person


@dataclass(repr=False, eq=False)
class Reaching(Observing):
    """Observing, plus the means to act. `base_url` is the stand-in's own address, `bot_url` the bot's.

    `ack_timeout_s` is the bot's deadline; `trigger_ttl_s` how long a trigger_id lives.
    """

    base_url: str = ""
    bot_url: str = ""
    ack_timeout_s: float = 3.0
    trigger_ttl_s: float = 3.0
    sockets: SocketHub = field(init=False)

    def __post_init__(self) -> None:
        self.sockets = SocketHub(self.state, self.ack_timeout_s)

    def reset(self) -> None:
        """Forget messages, views, files, calls, violations and faults: a fresh workspace, quickly."""
        self.state.reset()
        self.faults.clear()

    def deliver(self, delivery: Delivery) -> Ack:
        """Bring a payload to the bot: over a web socket when one is connected, else over HTTP."""
        courier: Courier = self.sockets
        if not (self.sockets.connections or self.sockets.keeps_envelopes):
            if not self.bot_url:
                return Ack(error="dispatch_failed")
            courier = HttpCourier(self.bot_url, self.workspace.signing_secret, self.ack_timeout_s)
        return courier.deliver(delivery)

    def new_handles(self, person: Person, channel: str, target: Message | View | None = None) -> Handles:
        """A fresh trigger_id, and a response_url when there is a channel to answer in."""
        trigger, token = secrets.token_hex(12), secrets.token_urlsafe(12)
        view_id = target.id if isinstance(target, View) else None
        ts = target.ts if isinstance(target, Message) else None
        with self.state.change():
            self.state.triggers[trigger] = Trigger(person.id, time.monotonic() + self.trigger_ttl_s, view_id)
            if channel:
                self.state.response_urls[token] = response_url(person, channel, ts)
        return Handles(trigger, f"{self.base_url}/response/{token}" if channel else "")

    def new_interaction(self, person: Person, target: Message | View, kind: str) -> Json:
        """An interactive payload about a message or a view, with its one-time handles."""
        channel = target.channel if isinstance(target, Message) else ""
        handles = self.new_handles(person, channel, target)
        payload = payloads.interaction(self.workspace, person, kind)
        payload |= payloads.where_of(self.state, target) | {"trigger_id": handles.trigger_id}
        return payload | ({"response_url": handles.response_url} if channel else {})

    def find_target(self, user: str, target: Message | View | str) -> Message | View:
        """The newest form of a message or view, if this person can see it; raises LookupError."""
        if isinstance(target, View) or (isinstance(target, str) and target.startswith("V")):
            return self.find_view(user, target)
        with self.state.lock:
            ts = target if isinstance(target, str) else target.ts
            message = self.state.messages.find(ts)
        if message not in self.thread(message.channel, message.thread_ts or ts, as_user=user):
            raise LookupError(f"{user} does not see the message {ts}")
        return message

    def find_view(self, user: str, view: View | str) -> View:
        """The newest form of a person's own open view; raises LookupError."""
        with self.state.lock:
            shown = self.state.views.get(view if isinstance(view, str) else view.id)
        if shown.user != self.workspace.person(user).id:
            raise LookupError(f"{user} does not see the view {shown.id}")
        return shown

    def offered(self, element: Json, value: str) -> Json | None:
        """The option of an external select that the bot offered under this value."""
        return self.state.suggestions.get((element["action_id"], value))

    def keep_values(self, target: Message | View, values: Json) -> Message | View:
        """Remember what was filled into a view; a message keeps nothing."""
        if isinstance(target, Message):
            return target
        return self.keep_view_values(target, values)

    def keep_view_values(self, view: View, values: Json) -> View:
        """Remember what was filled into a view and return its new form."""
        with self.state.change():
            return self.state.views.remember(view, values)

    def show(self, message: Message) -> Message:
        """Post a message that does not come from the bot."""
        with self.state.change():
            return self.state.messages.post(message)

    def choice_of(self, element: Json, value: object) -> Json:
        """The `state.values` entry for using an element with this value; nothing for a button."""
        return {} if element["type"] == "button" else elements.to_state(element, value, self.offered)


def response_url(person: Person, channel: str, message_ts: str | None) -> ResponseUrl:
    """A fresh response_url record with all its uses left."""
    expires = time.monotonic() + LIMITS["response_url.seconds"]
    return ResponseUrl(person.id, channel, message_ts, expires, LIMITS["response_url.uses"])
