"""Lives of cards against a Slack that refuses, stalls or breaks: the one set-up of all tests that let it do so at each call.

A life is played once to learn its calls; then it is played again for each of them and each way that it can go wrong.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox import SlackStandIn
from tests.unit.handlers.house import House, serving

# The client under test gives up soon, and an answer that is late comes long after that.
TIMEOUT_S = 1
LATE_S = 2.0
FAULTS: dict[str, dict[str, object]] = {
    "429": {"status": 429, "retry_after": 0, "times": 3},
    "500": {"status": 500},
    "ok false": {"error": "internal_error"},
    "not answered": {"drop": True},
    "answer lost": {"drop_after": True},
    "too late, not arrived": {"delay_s": LATE_S, "drop": True},
    "too late, arrived": {"late_s": LATE_S},
    "not in channel": {"error": "not_in_channel"},
    "channel not found": {"error": "channel_not_found"},
    "archived": {"error": "is_archived"},
    "too long": {"error": "msg_too_long"},
    "invalid blocks": {"error": "invalid_blocks"},
}
METHODS = ("chat.postMessage", "chat.update", "conversations.history", "conversations.replies")


@dataclass(frozen=True)
class Life:
    """What people do with a card, from the request to an end, and the calls to Slack that it takes in order of `METHODS`.

    `play` holds each step of it to what it would be without any fault.
    """

    play: Callable[[House], None]
    calls: tuple[int, int, int, int]

    def cases(self, name: str, *, but: Container[str] = ()) -> list[object]:
        """Return each call with each fault `but` some, as parameters of a test."""
        return [
            pytest.param(self, method, number, fault, id=f"{name}-{method}-{number}-{fault}")
            for method, times in zip(METHODS, self.calls, strict=True)
            for number in range(times)
            for fault in FAULTS
            if fault not in but
        ]


@contextmanager
def a_house(slack: SlackStandIn, **parts: Any) -> Iterator[House]:
    house = House(slack, **parts)
    with serving(house) as slack.bot_url:
        yield house


def play(slack: SlackStandIn, life: Life) -> House:
    """Play a life without any fault, and hold it to the calls that are broken one by one elsewhere."""
    with a_house(slack) as house:
        life.play(house)
    made = [call.method for call in slack.calls]
    counted = tuple(made.count(method) for method in METHODS)
    assert counted == life.calls, f"{counted} of {METHODS}"
    return house


def play_broken(slack: SlackStandIn, life: Life, fault: str, *, at: tuple[str, int]) -> House:
    """Play a life in which one call goes wrong."""
    method, number = at
    is_late = "too late" in fault
    with a_house(slack, slack_timeout_s=TIMEOUT_S if is_late else 5) as house:
        how: Mapping[str, object] = {"times": 1, **FAULTS[fault]}
        slack.faults.add(method, after=number, **how)  # type: ignore[arg-type]
        life.play(house)
        assert not slack.faults.are_open, "nothing went wrong"
    return house


def check(house: House, hold: Callable[[], None], buttons: tuple[str, ...]) -> None:
    """Hold the state to what it would be without any fault, before and after Slack is back; then the newest card to it."""
    hold()
    catch_up(house)
    if "could not be shown in full" in house.card().words and not house.slack.faults.are_open:
        # Slack took no blocks for this version: words without buttons, until the next change. Draw it anew for the click.
        redraw(house)
    hold()
    assert house.card().action_ids == buttons
    assert outdated(house) == []


def outdated(house: House) -> list[tuple[str, str]]:
    """Return what a sweep would draw, by lane."""
    fixes, batches = house.stores.postings.outdated(house.now), house.stores.batches.outdated(house.now)
    return [*(("draw", name) for name in fixes), *(("batch", name) for name in batches)]


def catch_up(house: House) -> None:
    """Let a sweep draw what is behind, once all waits are over."""
    house.work_off()
    house.now += timedelta(hours=2)
    for lane, name in outdated(house):
        house.hands.submit(lane, name)
    house.work_off()


def redraw(house: House) -> None:
    """Let the next drawing happen that a change would bring."""
    for execution in house.services.executions.history(limit=9):
        for posting in house.stores.postings.postings(execution.execution_id)[-1:]:
            house.stores.postings.put(replace(posting, drawn_version=0))
        if execution.batch_id:
            card = house.stores.batches.card(execution.batch_id)
            house.stores.batches.put_card(replace(card, drawn_total=0, attempted_total=0))
    catch_up(house)
