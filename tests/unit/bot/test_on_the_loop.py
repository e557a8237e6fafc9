"""Whatever Slack sends, the event loop waits for no store: only pickers and events may, and those go to threads."""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import pytest
from slack_bolt import BoltRequest, BoltResponse

from bot.sandbox import SlackStandIn
from handlers.blocks import names
from handlers.door import Door, may_wait
from handlers.services import Services
from handlers.vocabulary import COMMANDS, SHORTCUTS
from tests.unit.handlers.house import House

Json = dict[str, Any]
PATIENCE_S = 10
# What keeps a request, or is no memory at all. `inbox` is not among them: it is the intake's own thread's.
FREE = frozenset(
    {
        "intake",
        "reply_urls",
        "aside",
        "dispatcher",
        "clock",
        "environment",
        "channel",
        "answered",
        "is_stopping",
    }
)
IDS = [value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)]
WHO: Json = {
    "user": {"id": "U0ANA", "team_id": "T0DEMO"},
    "team": {"id": "T0DEMO"},
    "channel": {"id": "C0SECURITY", "name": "security"},
    "container": {"type": "message", "channel_id": "C0SECURITY"},
    "trigger_id": "1.1",
}
REASON = {"reason": {"reason": {"type": "plain_text_input", "value": "not in this quarter"}}}


class Guarded:
    """Something of the services that the thread which takes requests in must not touch."""

    def __init__(self, thing: object, touched: list[str], *, on: int) -> None:
        self.__dict__.update(_thing=thing, _touched=touched, _on=on)

    def __getattr__(self, name: str) -> Any:
        self._refuse(name)
        return getattr(self._thing, name)

    def __len__(self) -> int:
        self._refuse("len")
        return len(self._thing)

    def __iter__(self) -> Iterator[Any]:
        self._refuse("iter")
        return iter(self._thing)

    def __getitem__(self, key: object) -> Any:
        self._refuse("item")
        return self._thing[key]

    def __call__(self, *args: Any, **more: Any) -> Any:
        self._refuse("call")
        return self._thing(*args, **more)

    def _refuse(self, name: str) -> None:
        if threading.get_ident() == self._on:
            self._touched.append(f"{type(self._thing).__name__}.{name}")  # what is raised is told to a person
            raise AssertionError("on the event loop")


class GuardedHouse(House):
    """A house whose listeners may touch what keeps a request, and nothing else, on the thread that made the house."""

    def _make_app(self) -> Door:
        here, self.touched = threading.get_ident(), list[str]()
        guarded = {
            each.name: Guarded(getattr(self.services, each.name), self.touched, on=here)
            for each in fields(Services)
            if each.init and each.name not in FREE
        }
        self.services = replace(self.services, **guarded)
        return super()._make_app()


@pytest.fixture(scope="module")
def house() -> Iterator[GuardedHouse]:
    with SlackStandIn.start() as slack:
        house = GuardedHouse(slack)
        yield house
        house.services.intake.stop()
        house.services.aside.stop()


def clicks(action_id: str, value: str) -> Json:
    pressed = {"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1.2"}
    return {"type": "block_actions", "actions": [pressed], **WHO}


def forms(callback_id: str, value: str, values: Mapping[str, object]) -> Json:
    carried = json.dumps({"card": value, "channel": "C0SECURITY", "channel_name": "security"})
    blocks = [{"type": "input", "block_id": "word"}]
    view = {
        "id": f"V{callback_id}{len(values)}",
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": carried,
    }
    return {"type": "view_submission", "view": {**view, "state": {"values": values}, "blocks": blocks}, **WHO}


def commands() -> Iterator[Json]:
    where = {"team_id": "T0DEMO", "user_id": "U0ANA", "channel_id": "C0SECURITY", "trigger_id": "1.1"}
    for command in COMMANDS:
        yield from ({"command": command.name, "text": text, **where} for text in ("", "list", "nonsense"))


def payloads() -> Iterator[Json]:
    """Yield something of everything that a person can do: each id of `names` as a button's, a form's and a picker's."""
    yield from commands()
    for each in IDS:
        yield from (clicks(each, value) for value in ("x-1:1", f"b-1:{'0' * 64}", ""))
        yield from (forms(each, "x-1:1", values) for values in (REASON, {}))
        yield {"type": "block_suggestion", "action_id": each, "block_id": "b", "value": "", **WHO}
    for shortcut in SHORTCUTS:
        yield {"type": "message_action", "callback_id": shortcut.callback_id, "message": {"ts": "1.1"}, **WHO}
    event = {"type": "app_home_opened", "user": "U0ANA", "tab": "home", "channel": "D0ANA"}
    yield {"type": "event_callback", "team_id": "T0DEMO", "event_id": "Ev1", "event": event}


def asked(payload: Json) -> BoltRequest:
    return BoltRequest(mode="socket_mode", body=payload)


def test_no_listener_that_runs_on_the_loop_touches_a_store(house: GuardedHouse) -> None:
    answered = 0
    for payload in payloads():
        if may_wait(asked(payload)):
            continue
        answering = house.app.begin(asked(payload))
        if answering.stored is not None:
            answering.stored.result(PATIENCE_S)
        assert house.app.finish(answering).status in {200, 404}, payload
        assert house.touched == [], payload
        answered += answering.response.status == 200
    assert answered > len(IDS) / 2, "what is sent is listened for"


def test_what_may_wait_is_answered_on_threads_and_reads_there(house: GuardedHouse) -> None:
    waiting = [payload for payload in payloads() if may_wait(asked(payload))]
    with ThreadPoolExecutor(1) as threads:
        answers = [
            threads.submit(house.app.dispatch, asked(payload)).result(PATIENCE_S) for payload in waiting
        ]
    assert {answer.status for answer in answers} == {200, 404}
    assert {payload["type"] for payload in waiting} == {"block_suggestion", "event_callback"}


def test_each_listener_is_among_what_was_sent(house: GuardedHouse) -> None:
    everything = list(payloads())
    for listener in house.app._listeners:
        matched = any(
            listener.matches(req=asked(payload), resp=BoltResponse(status=404)) for payload in everything
        )
        assert matched, f"{listener.ack_function} is reached by nothing here"


def test_a_picker_that_were_answered_on_the_loop_would_be_found(house: GuardedHouse) -> None:
    picker = {"type": "block_suggestion", "action_id": names.REPORT_PICK, "block_id": "b", "value": "", **WHO}
    assert house.app.dispatch(asked(picker)).status == 200
    assert house.touched[0] == "MemoryReports.list_reports"
    house.touched.clear()
