"""Cards and threads under Slack's moods: whatever happens, the next drawing puts it right."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from audit.actor import Actor
from bot.sandbox import SlackStandIn
from handlers.drawing import draw
from remediation.execution import PlaybookExecution
from remediation.ports import Posting
from tests.fakes.samples import an_event
from tests.unit.handlers import cards
from tests.unit.handlers.house import House

ID = "x-0123456789ab"


def put(house: House, execution: PlaybookExecution | None = None) -> PlaybookExecution:
    """Store an execution that nobody has drawn yet."""
    return house.stores.executions.create(execution or cards.pending(), an_event())


def posting(house: House, revision: int = 1) -> Posting:
    return house.stores.postings.by_place[ID, revision]


def change(house: House, **changes: object) -> PlaybookExecution:
    before = house.stores.executions.get(ID)
    return house.stores.executions.save(before, replace(before, **changes), an_event())  # type: ignore[arg-type]


def due(house: House, *, after_s: int = 0) -> list[str]:
    """Return what a sweep would have drawn so many seconds from now."""
    return house.stores.postings.outdated(house.now + timedelta(seconds=after_s))


def calls(house: House, *methods: str) -> list[str]:
    return [call.method for call in house.slack.calls if call.method in methods]


def test_drawn_once_for_each_version(house: House) -> None:
    put(house)
    for _ in range(3):
        draw(house.services, ID)
    assert calls(house, "chat.postMessage", "chat.update") == ["chat.postMessage"]
    assert posting(house).drawn_version == 1
    change(house, decisions=(cards.APPROVAL,))
    draw(house.services, ID)
    assert calls(house, "chat.update") == ["chat.update"]
    assert posting(house).drawn_version == 2


def test_an_older_drawing_never_covers_a_newer_one(house: House) -> None:
    put(house)
    draw(house.services, ID)
    house.services.postings.put(replace(posting(house), drawn_version=9))
    draw(house.services, ID)
    assert calls(house, "chat.update") == []


def test_a_crash_before_posting_posts_later(house: House) -> None:
    put(house)
    house.stores.postings.put(Posting(execution_id=ID, revision=1, channel="C0SECURITY", message_id=""))
    draw(house.services, ID)
    assert len(house.cards()) == 1


def test_a_crash_after_posting_finds_the_card_again(house: House) -> None:
    put(house)
    draw(house.services, ID)
    house.stores.postings.put(replace(posting(house), message_id="", drawn_version=0))
    draw(house.services, ID)
    assert len(house.cards()) == 1
    assert posting(house).message_id == house.card().ts


def test_a_crash_after_the_first_reply_finds_the_reply_again(house: House) -> None:
    put(house, cards.pending(decisions=(cards.APPROVAL,)))
    draw(house.services, ID)
    house.stores.postings.put(replace(posting(house), progress_id="", drawn_version=0))
    draw(house.services, ID)
    assert len(house.replies(house.card())) == 1
    assert posting(house).progress_id == house.replies(house.card())[0].ts


def test_another_persons_message_with_our_metadata_is_not_our_card(house: House) -> None:
    put(house)
    house.stores.postings.put(Posting(execution_id=ID, revision=1, channel="C0SECURITY", message_id=""))
    tag = {"event_type": "countersign_card", "event_payload": {"execution_id": ID, "revision": 1}}
    forged = house.slack.say("otto", "#security", "I am the card")
    with house.slack.state.change():
        house.slack.state.messages.edit(forged.channel, forged.ts, metadata=tag)
    draw(house.services, ID)
    assert posting(house).message_id != forged.ts
    assert len(house.cards()) == 2


def test_without_the_scope_to_look_it_posts_anew(house: House) -> None:
    put(house)
    house.stores.postings.put(Posting(execution_id=ID, revision=1, channel="C0SECURITY", message_id=""))
    house.slack.faults.add("conversations.history", error="missing_scope")
    draw(house.services, ID)
    assert len(house.cards()) == 1


@pytest.mark.parametrize(
    "fault", [{"error": "internal_error"}, {"status": 503}, {"drop": True}, {"error": "ratelimited"}]
)
def test_what_fails_for_now_is_left_to_the_sweep(house: House, fault: dict[str, Any]) -> None:
    put(house)
    house.slack.faults.add("chat.postMessage", **fault)
    draw(house.services, ID)
    assert due(house, after_s=1) == []
    assert due(house, after_s=2) == [ID]
    draw(house.services, ID)
    assert len(house.cards()) == 1
    assert due(house, after_s=3600) == []
    assert posting(house).attempts == 0


def test_each_attempt_in_vain_doubles_the_wait_up_to_ten_minutes(house: House) -> None:
    put(house)
    house.slack.faults.add("chat.postMessage", times=50, error="internal_error")
    waits = []
    for _ in range(11):
        draw(house.services, ID)
        due_at = posting(house).next_attempt_at
        assert due_at
        waits.append((due_at - house.now).total_seconds())
        house.now = due_at
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_the_wait_begins_when_slack_has_refused(house: House) -> None:
    put(house)
    house.slack.faults.add("chat.postMessage", error="internal_error")
    times = iter([house.now, house.now + timedelta(seconds=45)])  # when it was begun, and when it failed
    object.__setattr__(house.services, "clock", lambda: next(times))
    draw(house.services, ID)
    assert posting(house).next_attempt_at == house.now + timedelta(seconds=47)


def test_each_attempt_stands_in_the_log_once(house: House) -> None:
    put(house)
    house.slack.faults.add("chat.postMessage", times=2, error="internal_error")
    with capture_logs() as logs:
        for _ in range(3):
            draw(house.services, ID)
    assert [(entry["event"], entry["attempts"]) for entry in logs] == [
        ("card not drawn", 1),
        ("card not drawn", 2),
    ]


def test_a_new_state_is_tried_at_once_and_waits_from_the_beginning(house: House) -> None:
    put(house)
    house.slack.faults.add("chat.postMessage", times=4, error="internal_error")
    for _ in range(3):
        draw(house.services, ID)
    change(house, decisions=(cards.APPROVAL,))
    assert due(house) == [ID]
    draw(house.services, ID)
    assert due(house, after_s=1) == []
    assert due(house, after_s=2) == [ID]


def test_a_card_that_breaks_the_drawing_itself_waits_too(house: House) -> None:
    put(house, cards.pending(channel="C0SECURITY", requester=None))
    with pytest.raises(AttributeError):
        draw(house.services, ID)
    assert due(house) == []
    assert due(house, after_s=2) == [ID]


def test_a_deleted_card_is_posted_anew_with_a_thread_of_its_own(house: House) -> None:
    put(house, cards.pending(decisions=(cards.APPROVAL,)))
    draw(house.services, ID)
    house.client.chat_delete(channel="C0SECURITY", ts=posting(house).message_id)
    change(house, error="something new")
    draw(house.services, ID)
    assert len(house.cards()) == 1
    assert len(house.replies(house.card())) == 1


def test_blocks_that_slack_refuses_become_words_without_buttons(house: House) -> None:
    put(house)
    house.slack.faults.add("chat.postMessage", error="invalid_blocks")
    draw(house.services, ID)
    assert "could not be shown in full" in house.card().words
    assert house.card().action_ids == ()
    change(house, decisions=(cards.APPROVAL,))
    draw(house.services, ID)
    assert house.card().action_ids == ("approve", "reject")


def test_a_channel_we_are_not_in_is_told_once_and_tried_each_hour_of_a_day(house: House) -> None:
    put(house, cards.pending(channel="C0RANDOM"))
    for _ in range(24):
        draw(house.services, ID)
        assert due(house, after_s=3599) == []
    assert due(house, after_s=24 * 3600) == []
    assert posting(house).attempts == 24
    told = [message.text for message in house.slack.messages("@ana")]
    assert len(told) == 1
    assert "/invite @Countersign" in told[0]
    change(house, decisions=(cards.APPROVAL,))
    draw(house.services, ID)
    assert len(house.slack.messages("@ana")) == 1


def test_a_requester_without_slack_is_not_told(house: House) -> None:
    put(house, cards.pending(channel="C0RANDOM", requester=Actor(email="ana@x.example", origin="cli")))
    draw(house.services, ID)
    assert calls(house, "chat.postMessage") == ["chat.postMessage"]


def test_what_needs_no_change_is_not_posted(house: House) -> None:
    same = replace(cards.ACTION, before=cards.ACTION.after)
    put(house, cards.pending(plan=cards.a_plan(same)))
    draw(house.services, ID)
    assert calls(house, "chat.postMessage") == []
    assert due(house, after_s=3600) == []


def test_what_could_not_be_planned_is_not_posted(house: House) -> None:
    put(house, cards.pending(plan=None, actions=(), error="denied"))
    draw(house.services, ID)
    assert calls(house, "chat.postMessage") == []


def test_an_execution_without_a_channel_is_not_drawn(house: House) -> None:
    put(house, cards.pending(channel=""))
    draw(house.services, ID)
    assert house.slack.calls == ()


def test_an_old_card_that_slack_did_not_take_is_superseded_later(house: House) -> None:
    put(house)
    draw(house.services, ID)
    old = house.card()
    house.slack.faults.add("chat.update", error="internal_error")
    change(house, revision=2, drift=cards.drifted().drift)
    draw(house.services, ID)
    assert house.slack.message("#security", old.ts).action_ids == ("approve", "reject")
    house.now += timedelta(minutes=1)
    assert due(house) == [ID], "it is drawn without any further change"
    draw(house.services, ID)
    assert house.slack.message("#security", old.ts).action_ids == ()
    assert due(house) == []


def test_an_old_card_that_somebody_deleted_holds_nothing_up(house: House) -> None:
    put(house)
    draw(house.services, ID)
    house.slack.faults.add("chat.update", error="message_not_found")
    change(house, revision=2, drift=cards.drifted().drift)
    draw(house.services, ID)
    house.now += timedelta(hours=2)
    assert due(house) == []


def test_the_thread_of_a_superseded_card_says_that_nothing_ran(house: House) -> None:
    put(house, cards.pending(decisions=(cards.APPROVAL,)))
    draw(house.services, ID)
    old = house.card()
    change(house, revision=2, drift=cards.drifted().drift)
    draw(house.services, ID)
    assert "nothing ran" in house.replies(old)[0].words


def test_a_rate_limited_card_is_drawn_after_the_wait(slack: SlackStandIn, house: House) -> None:
    put(house)
    slack.faults.add("chat.postMessage", status=429, retry_after=1)
    draw(house.services, ID)
    assert len(house.cards()) == 1
