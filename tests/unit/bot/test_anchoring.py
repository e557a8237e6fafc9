"""The head is noted where it was configured, and stays due until it is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from audit.anchors import Anchor, read_anchors
from audit.errors import ConfigError
from bot.anchoring import Anchoring, make_anchoring
from bot.config import Config
from bot.sandbox import SlackStandIn
from tests.fakes.samples import an_event
from tests.fakes.stores import MemoryStores

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def anchoring(stores: MemoryStores, *, client: WebClient | None = None, **where: object) -> Anchoring:
    return Anchoring(
        anchors=stores.anchors,
        client=client or WebClient(token="xoxb-none", base_url="http://127.0.0.1:9/"),
        clock=lambda: NOW,
        every=timedelta(hours=24),
        **where,  # type: ignore[arg-type]
    )


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
    assert due == head
    to_file.note(due)
    assert path.read_text(encoding="utf-8").startswith("kept\n")
    assert read_anchors(path.read_text(encoding="utf-8")) == [head]
    assert to_file.due() is None


def test_a_file_that_cannot_be_written_leaves_it_due(tmp_path: Path) -> None:
    stores = MemoryStores()
    head = Anchor.of(stores.trail.record(an_event()))
    to_file = anchoring(stores, file=tmp_path / "no" / "anchors.jsonl")
    assert to_file.due() == head
    with pytest.raises(ConfigError, match="anchor_file .* cannot be written"):
        to_file.note(head)
    assert to_file.due() == head


def test_the_head_is_posted_to_the_channel_and_a_refusal_leaves_it_due() -> None:
    stores = MemoryStores()
    head = Anchor.of(stores.trail.record(an_event()))
    with SlackStandIn.start() as slack:
        client = WebClient(token=slack.workspace.bot_token, base_url=slack.api_url)
        nowhere = anchoring(stores, client=client, channel="C0NOWHERE")
        assert nowhere.due() == head
        with pytest.raises(SlackApiError):
            nowhere.note(head)
        assert nowhere.due() == head
        channel = slack.channel_id("#security")
        anchoring(stores, client=client, channel=channel).note(head)
        (message,) = [m for m in slack.messages("#security") if "Trail head" in m.words]
        assert read_anchors(message.words)[0] == head
        assert slack.violations == ()
    assert nowhere.due() is None


def test_the_configuration_says_where_and_how_often(tmp_path: Path) -> None:
    section = {"anchor_file": "heads.jsonl", "anchor_channel": "C0SEC", "anchor_every_hours": 6}
    config = Config.model_validate({"policy": {"approvers": ["U0OMAR"]}, "trail": section})
    made = make_anchoring(
        config, folder=tmp_path, anchors=MemoryStores().anchors, client=WebClient(), clock=lambda: NOW
    )
    assert (made.file, made.channel, made.every) == (tmp_path / "heads.jsonl", "C0SEC", timedelta(hours=6))
