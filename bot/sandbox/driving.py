"""What people do in Slack, as methods: type a command, click, submit a form, open the App Home.

Each method builds the payload Slack would send, delivers it, enforces the acknowledgement deadline,
and shows people what Slack would show them. Synchronous; may be called from any thread.
"""

import itertools
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.sandbox import elements, payloads
from bot.sandbox.apifiles import mimetype_of
from bot.sandbox.checks import check_options
from bot.sandbox.delivery import Ack, Delivery
from bot.sandbox.reaching import Reaching, response_url
from bot.sandbox.records import Message, StoredFile, View
from bot.sandbox.responding import place_response
from bot.sandbox.results import Act, Choice, CommandResult, SubmitResult, SuggestResult
from bot.sandbox.shapes import Json
from bot.sandbox.submitting import apply_answer

SLACKBOT = "USLACKBOT"
_RETRIES = 3
_REASONS = {"operation_timeout": "http_timeout", "dispatch_failed": "http_error"}


@dataclass(repr=False, eq=False)
class Driving(Reaching):
    """Everything a person can do, on top of everything they can see."""

    registered: frozenset[str] = (
        frozenset()
    )  # slash commands of the app; empty: whatever is typed goes to the bot
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def command(self, *, user: str, channel: str, text: str) -> CommandResult:
        """Send a slash command such as `/report list`; a failure or an answer is shown to the person."""
        person, place = self.workspace.person(user), self.state.channel(self.channel_id(channel))
        handles = self.new_handles(person, place.id)
        payload = payloads.slash_command(self.workspace, person, place, text, handles)
        ack = self.deliver(Delivery("slash_commands", payload))
        if ack.error:
            words = f"{payload['command']} failed with the error “{ack.error}”"
            self.show(Message(place.id, "", SLACKBOT, words, only_for=person.id))
        elif ack.body:
            url = response_url(person, place.id, None)
            place_response(self.state, url, ack.body, f"{payload['command']} acknowledgement")
        return CommandResult.of(ack)

    def click(
        self,
        user: str,
        target: Message | View | str,
        action_id: str,
        value: Any = None,  # noqa: ANN401 - an option's value, a user id, a list …
        *,
        block_id: str | None = None,
    ) -> Ack:
        """Use a button, menu or picker of a message (or its ts) or a view (or its id).

        `value` is what was chosen; for buttons it tells two with the same action_id apart. A confirm
        dialog counts as confirmed. Raises LookupError for what this person cannot see or choose.
        """
        return self.act(Act(user, target, action_id, value, block_id))

    def act(self, act: Act) -> Ack:
        """`click` as one value; `choices` are the inputs filled in beside the element."""
        person, target = self.workspace.person(act.user), self.find_target(act.user, act.target)
        block, element = elements.find_element(
            target.blocks, act.action_id, value=act.value, block_id=act.block_id
        )
        values = elements.filled_state(
            target.blocks, getattr(target, "values", None), act.choices, self.offered
        )
        chosen = self.choice_of(element, act.value)
        if element["action_id"] in values.get(block["block_id"], {}):
            values[block["block_id"]][element["action_id"]] = chosen
        target = self.keep_values(target, values)
        payload = self.new_interaction(person, target, "block_actions")
        payload |= {"actions": [payloads.block_action(block, element, chosen)], "state": {"values": values}}
        return self.deliver(Delivery("interactive", payload))

    def submit_view(
        self, user: str, view: View | str, values: Mapping[str, Any] | None = None
    ) -> SubmitResult:
        """Fill in and submit a modal; `values` by block_id or action_id.

        The result's `errors` (block_id to words) come from the bot, or, like in Slack's own client,
        from required fields left empty; then the bot was not asked. Raises LookupError.
        """
        person, shown = self.workspace.person(user), self.find_view(user, view)
        filled = elements.filled_state(shown.blocks, shown.values, values or {}, self.offered)
        shown = self.keep_view_values(shown, filled)
        if errors := elements.missing_inputs(shown.blocks, filled):
            return SubmitResult(errors=errors)
        payload = self.new_interaction(person, shown, "view_submission")
        payload["response_urls"] = []
        ack = self.deliver(Delivery("interactive", payload))
        return apply_answer(self.state, shown, ack)

    def close_view(self, user: str, view: View | str) -> Ack:
        """Cancel a modal; the bot hears of it when the view asked (`notify_on_close`)."""
        person, shown = self.workspace.person(user), self.find_view(user, view)
        with self.state.change():
            self.state.views.close(shown)
        if not shown.payload.get("notify_on_close"):
            return Ack()
        payload = self.new_interaction(person, shown, "view_closed") | {"is_cleared": False}
        return self.deliver(Delivery("interactive", payload))

    def suggest(
        self, user: str, target: Message | View | str, action_id: str, query: str = ""
    ) -> SuggestResult:
        """Type into an external select and see the options the bot offers."""
        person, place = self.workspace.person(user), self.find_target(user, target)
        block, element = elements.find_element(place.blocks, action_id)
        payload = self.new_interaction(person, place, "block_suggestion")
        payload |= payloads.suggestion(element, block, query)
        ack = self.deliver(Delivery("interactive", payload))
        answer = ack.body or {}
        problems = check_options(answer) if ack.ok else []
        self.state.record_problems(f"options for {action_id}", problems)
        options = [] if problems else elements.options_of(answer)
        with self.state.change():
            self.state.suggestions.update({(action_id, option["value"]): option for option in options})
        return SuggestResult.of(ack, options=tuple(map(_choice, options)))

    def shortcut(self, user: str, callback_id: str, message: Message | None = None) -> Ack:
        """Use a message shortcut, or without `message` a global one."""
        person = self.workspace.person(user)
        kind = "message_action" if message else "shortcut"
        payload = payloads.interaction(self.workspace, person, kind) | {"callback_id": callback_id}
        handles = self.new_handles(person, message.channel if message else "", message)
        payload |= {"trigger_id": handles.trigger_id, "action_ts": f"{time.time():.6f}"}
        if message:
            payload |= payloads.where_of(self.state, message) | {"response_url": handles.response_url}
            payload["message_ts"] = message.ts
        return self.deliver(Delivery("interactive", payload))

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Post as a person; the bot hears of it when it subscribed to `message` events."""
        person, place = self.workspace.person(user), self.channel_id(channel)
        posted = self.show(Message(place, "", person.id, text, thread_ts=thread_ts))
        event = {"type": "message", "user": person.id, "channel": place, "ts": posted.ts, "text": text}
        mention = f"<@{self.workspace.bot_user_id}>" in text
        for kind in ("message", *(["app_mention"] if mention else [])):
            if kind in self.workspace.events:
                self.event(event | {"type": kind, "event_ts": posted.ts})
        return posted

    def share(self, user: str, channel: str, *, name: str, content: bytes, text: str = "") -> Message:
        """Post a file as a person, with a text; the bot hears nothing of it."""
        person, place = self.workspace.person(user), self.channel_id(channel)
        ident = f"F{secrets.token_hex(5).upper()}"
        kind = mimetype_of(name)
        file = StoredFile(
            ident, name, name, len(content), kind, person.id, content=content, channels=(place,)
        )
        self.state.put_file(
            replace(file, completed_at=0.0)
        )  # a person sends a message once its file is there
        return self.show(Message(place, "", person.id, text, files=(ident,)))

    def open_home(self, user: str) -> Ack:
        """Open the bot's App Home, which tells the bot (`app_home_opened`)."""
        person = self.workspace.person(user)
        event = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": self.dm(user),
            "tab": "home",
            "event_ts": f"{time.time():.6f}",
        }
        return self.event(event) if "app_home_opened" in self.workspace.events else Ack()

    def event(self, event: Json) -> Ack:
        """Send an Events API event; repeated up to three times, at once, until acknowledged."""
        payload = payloads.event_callback(self.workspace, event, next(self._numbers))
        ack = self.deliver(Delivery("events_api", payload))
        for attempt in range(1, _RETRIES + 1):
            if ack.ok:
                break
            ack = self.deliver(Delivery("events_api", payload, attempt, _REASONS[ack.error]))
        return ack


def _choice(option: Json) -> Choice:
    return Choice(option["text"]["text"], option["value"], option.get("description", {}).get("text", ""))
