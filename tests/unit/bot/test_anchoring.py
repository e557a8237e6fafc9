"""The head is noted where it was configured, and stays due until it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slack_sdk import WebClient

from audit.anchors import Anchor, DueAnchor, anchor_wait, read_anchors
from bot.anchoring import Anchoring, make_anchoring
from bot.config import Config
from bot.sandbox import SlackStandIn
from tests.fakes.samples import an_event
from tests.fakes.stores import MemoryStores
from tests.unit.handlers.house import House

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Time:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start() as running:
        yield running
        assert running.violations == ()


def client_of(slack: SlackStandIn) -> WebClient:
    return WebClient(token=slack.workspace.bot_token, base_url=slack.api_url, retry_handlers=[])


def anchoring(
    stores: MemoryStores, *, client: WebClient | None = None, clock: Time | None = None, **where: object
) -> Anchoring:
    return Anchoring(
        anchors=stores.anchors,
        notices=stores.notices,
        client=client or WebClient(token="xoxb-none", base_url="http://127.0.0.1:9/", retry_handlers=[]),
        clock=clock or Time(),
        every=timedelta(hours=24),
        told_in="C0GENERAL",
        **where,  # type: ignore[arg-type]
    )


def sweep(anchoring: Anchoring) -> None:
    if due := anchoring.due():
        anchoring.note(due)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def said(slack: SlackStandIn, words: str = "could not be noted") -> list[str]:
    return [message.words for message in slack.messages("#general") if words in message.words]


def heads(slack: SlackStandIn) -> list[str]:
    return [message.words for message in slack.messages("#security") if "Trail head" in message.words]


def test_with_nowhere_to_note_nothing_is_due() -> None:
    stores = MemoryStores()
    stores.trail.record(an_event())
    assert anchoring(stores).due() is None


def test_the_head_is_added_to_the_file(tmp_path: Path) -> None:
    stores, path = MemoryStores(), tmp_path / "anchors.jsonl"
    head = Anchor.of(stores.trail.record(an_event()))
    path.write_text("kept\n", encoding="utf-8")
    to_file = anchoring(stores, file=path)
    due = to_file.due()
    assert due == DueAnchor(head, 1)
    to_file.note(due)
    assert path.read_text(encoding="utf-8").startswith("kept\n")
    assert read_anchors(path.read_text(encoding="utf-8")) == [head]
    assert to_file.due() is None


def test_a_file_that_cannot_be_written_leaves_it_due_and_is_no_matter_to_the_channel(
    tmp_path: Path, slack: SlackStandIn, time: Time
) -> None:
    stores = MemoryStores()
    head = Anchor.of(stores.trail.record(an_event()))
    file = tmp_path / "no" / "anchors.jsonl"
    both = anchoring(stores, client=client_of(slack), clock=time, file=file, channel="C0SECURITY")
    for _ in range(30):
        sweep(both)
        time.now += timedelta(seconds=2)
    time.now += timedelta(hours=1)
    sweep(both)
    assert len(heads(slack)) == 1, "once, however often the file is tried"
    (told,) = said(slack)
    assert "`trail.anchor_file`" in told
    assert "cannot be written" in told
    file.parent.mkdir()
    time.now += timedelta(hours=1)
    sweep(both)
    assert read_anchors(file.read_text(encoding="utf-8")) == [head]
    assert both.due() is None
    assert len(heads(slack)) == 1


def test_a_lost_channel_leaves_it_due_with_growing_pauses_and_the_file_is_written_once(
    tmp_path: Path, slack: SlackStandIn, time: Time
) -> None:
    stores, file = MemoryStores(), tmp_path / "anchors.jsonl"
    head = Anchor.of(stores.trail.record(an_event()))
    lost = anchoring(stores, client=client_of(slack), clock=time, file=file, channel="C0NOWHERE")
    for _ in range(60 * 30):  # an hour of sweeps
        sweep(lost)
        time.now += timedelta(seconds=2)
    assert len(lines(file)) == 1
    tried = [call for call in slack.calls_of("chat.postMessage") if call.args["channel"] == "C0NOWHERE"]
    assert len(tried) == 6, "at 0, 1, 3, 7, 15 and 31 minutes"
    assert len(said(slack)) == 1
    mended = replace(lost, channel="C0SECURITY")
    time.now += timedelta(hours=1)
    sweep(mended)
    assert read_anchors(heads(slack)[0])[0] == head
    assert mended.due() is None


def test_each_new_head_is_noted_where_it_can_be_and_the_rest_is_not_said_again(
    tmp_path: Path, slack: SlackStandIn, time: Time
) -> None:
    stores, file = MemoryStores(), tmp_path / "anchors.jsonl"
    lost = anchoring(stores, client=client_of(slack), clock=time, file=file, channel="C0NOWHERE")
    for number in range(3):
        stores.trail.record(an_event(number=number))
        sweep(lost)
        time.now += timedelta(hours=24)
    assert len(lines(file)) == 3
    assert len(said(slack)) == 1
    stores.trail.record(an_event(number=3))
    sweep(replace(lost, channel="C0SECURITY"))
    time.now += timedelta(hours=24)
    stores.trail.record(an_event(number=4))
    sweep(lost)
    assert len(said(slack)) == 2, "it was mended, and is lost anew"


def test_what_passes_is_told_when_it_lasts_and_later_where_slack_is_away_for_that_too(
    slack: SlackStandIn, time: Time
) -> None:
    stores = MemoryStores()
    stores.trail.record(an_event())
    away = anchoring(stores, client=client_of(slack), clock=time, channel="C0SECURITY")
    slack.faults.add("chat.postMessage", times=8, status=503)
    for attempt in range(1, 7):
        sweep(away)
        time.now += anchor_wait(attempt)
    assert said(slack) == [], "five that pass, and one that could not be told"
    sweep(away)
    assert len(said(slack)) == 1
    assert not slack.faults.are_open


def test_the_configuration_says_where_and_how_often(tmp_path: Path, slack: SlackStandIn) -> None:
    section = {"anchor_file": "heads.jsonl", "anchor_channel": "C0SEC", "anchor_every_hours": 6}
    config = Config.model_validate({"policy": {"approvers": ["U0OMAR"]}, "trail": section})
    house = House(slack, channel="C0GENERAL")
    made = make_anchoring(config, folder=tmp_path, anchors=MemoryStores().anchors, services=house.services)
    assert (made.file, made.channel, made.every) == (tmp_path / "heads.jsonl", "C0SEC", timedelta(hours=6))
    assert made.told_in == "C0GENERAL"
