"""The card and the messages of a batch, as often as they are drawn."""

from dataclasses import replace
from datetime import timedelta

from remediation.states import PlaybookStatus
from tests.unit.handlers.batch_house import DOORS, ask, batch_id_of, card_of, states
from tests.unit.handlers.house import House


def test_a_card_that_is_drawn_again_tells_nobody_again(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    batch_id = batch_id_of(card)
    stored = hall.services.batches.card(batch_id)
    hall.services.batches.put_card(replace(stored, drawn_total=0, attempted_total=0))
    hall.do("batch", batch_id)
    assert len([m for m in hall.slack.messages("@ana") if "2 fixed" in m.words]) == 1
    assert len(hall.replies(card)) == 1


def test_an_outcome_that_slack_did_not_take_is_told_later(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.slack.faults.add("chat.postMessage", error="internal_error", times=1)
    assert hall.slack.click("omar", card, "batch_approve").ok
    hall.work()
    assert states(hall) == ["COMPLETED"] * 2
    for minutes, told in ((0, 0), (2, 1), (2, 1)):
        hall.now += timedelta(minutes=minutes)
        for batch_id in hall.services.batches.outdated(hall.now):
            hall.do("batch", batch_id)
        assert len([m for m in hall.slack.messages("@ana") if "2 fixed" in m.words]) == told


def test_while_items_run_one_edit_stands_for_many(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.now += timedelta(seconds=3)
    hall.slack.click("omar", card, "batch_approve")
    hall.work_but("run")
    assert "3 approved" in card_of(hall, card).words
    for execution in hall.services.batches.members(batch_id_of(card)).executions[:2]:
        hall.do("run", execution.execution_id)
    hall.work_but("run")
    assert "3 approved" in card_of(hall, card).words, "the sweep is soon enough"
    hall.now += timedelta(seconds=3)
    (batch_id,) = hall.services.batches.outdated(hall.now)
    hall.do("batch", batch_id)
    assert "2 fixed" in card_of(hall, card).words


def test_a_card_that_is_gone_is_posted_again_and_a_sweep_finds_it(hall: House) -> None:
    hall.slack.faults.add("chat.postMessage", error="internal_error", times=1)
    names = " ".join(door.handle for door in DOORS[:2])
    hall.command("ana", f"/playbook run CLOSE-DOORS {names}")
    assert hall.cards() == []
    hall.now += timedelta(minutes=1)
    for batch_id in hall.services.batches.outdated(hall.now):
        hall.do("batch", batch_id)
    hall.work_off()
    assert len(hall.cards()) == 1
    assert hall.services.batches.outdated(hall.now) == []


def test_plain_words_stand_where_slack_refuses_the_blocks(hall: House) -> None:
    hall.slack.faults.add("chat.postMessage", error="invalid_blocks", times=1)
    card = ask(hall, *DOORS[:2])
    assert card.action_ids == ()
    assert "could not be shown in full" in card.words


def test_one_reminder_stands_for_all(hall: House) -> None:
    ask(hall, *DOORS[:3])
    hall.now += timedelta(hours=23)
    herald = replace(
        hall.services.herald, attention=replace(hall.attention, remind_before=timedelta(hours=2))
    )
    due = herald.due(hall.now)
    assert len(due) == 1
    hall.do("notice", due[0])
    card = hall.cards()[0]
    assert "several at once" in hall.replies(card)[0].words
    assert "still waits" in hall.replies(card)[0].words


def test_of_items_that_expire_nobody_is_asked_any_more(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.now += timedelta(hours=25)
    late = hall.services.executions.glimpses(PlaybookStatus.PENDING, until=hall.now)
    assert len(late) == 2
    for each in late:
        hall.services.remediation.expire(hall.services.executions.get(each.execution_id))
    hall.work_off()
    now = card_of(hall, card)
    assert "Expired" in now.words
    assert "batch_approve" not in now.action_ids
