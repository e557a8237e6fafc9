"""Asking for a batch on a real Bolt app, against the stand-in for Slack: one card, and what is left out."""

from dataclasses import replace

import pytest

from remediation.protection import Protection
from tests.databases import stores_in_memory
from tests.unit.handlers.batch_house import DOORS, ask, card_of, furnish, states
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, CHANNEL, DOOR, House


def test_one_card_shows_each_item_and_exactly_what_changes(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    assert len(hall.cards()) == 1
    for door in DOORS[:3]:
        assert door.resource in card.words
        assert door.handle in card.words
    for word in ("3 at once", "open → closed", "Critical", "123456789012", "<@U0ANA>", "<!subteam^S0SEC>"):
        assert word in card.words, card.words
    assert card.action_ids == ("batch_approve", "batch_changes", "batch_choose", "batch_reject")
    assert "3 findings" in hall.whisper("ana").words


def test_an_approval_runs_all_and_the_card_tells_of_each(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.click("omar", card, "batch_approve")
    assert states(hall) == ["COMPLETED"] * 3
    now = card_of(hall, card)
    assert "Fixed" in now.words
    assert "3 fixed" in now.words
    assert "<@U0OMAR>" in now.words
    assert now.action_ids == ("batch_changes", "batch_rollback")
    assert len(hall.cards()) == 1
    assert len(hall.replies(card)) == 1
    told = [m for m in hall.slack.messages("@ana") if "3 fixed" in m.words]
    assert len(told) == 1


def test_what_is_left_out_is_named_on_the_card_and_in_the_answer(make_house: MakeHouse) -> None:
    policy = replace(APPROVERS, protection=Protection(resources=(DOORS[2].resource,)))
    hall = furnish(make_house(policy=policy))
    hall.board.switches[DOORS[1].resource] = "closed"
    card = ask(hall, *DOORS[:4])
    for place in (card.words, hall.whisper("ana").words):
        assert DOORS[1].handle in place
        assert "already is as it should be" in place
        assert "is protected" in place


def test_too_many_resources_are_refused_whole(house: House) -> None:
    hall = furnish(house, max_targets=2)
    hall.command("ana", "/playbook run CLOSE-DOORS " + " ".join(door.handle for door in DOORS[:3]))
    assert "`max_targets` allows 2" in hall.whisper("ana").words
    assert hall.cards() == []


def test_what_people_search_for_is_taken_where_the_playbook_answers_it(make_house: MakeHouse) -> None:
    with_stores = stores_in_memory()
    hall = furnish(make_house(stores=with_stores), 3)
    other = replace(DOOR, id="W-1", title="Window is open", check_id="window", resource="board/window")
    hall.ingest(*DOORS[:3], other, name="next.json")
    while with_stores.tracker.catch_up(hall.now):
        pass
    hall.command("ana", "/playbook run CLOSE-DOORS severity:high account:123456789012")
    card = hall.card()
    assert DOORS[1].resource in card.words
    assert DOORS[2].resource in card.words
    assert DOORS[0].resource not in card.words
    assert other.handle in card.words
    assert "does not answer this check" in card.words
    with_stores.close()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("severity:high status:fixed", "Only what is open"),
        ("severity:high f-00000000", "not both"),
        ("severity:hihg", "There is no severity"),
        ("overdue", "answers none of them"),
        ("f-00000000 f-11111111", "No finding"),
    ],
)
def test_words_that_find_nothing_get_an_answer(hall: House, words: str, answer: str) -> None:
    hall.command("ana", f"/playbook run CLOSE-DOORS {words}")
    assert answer in hall.whisper("ana").words
    assert hall.cards() == []


def test_a_command_that_is_delivered_twice_is_one_batch(hall: House) -> None:
    names = " ".join(door.handle for door in DOORS[:2])
    body = {
        "text": f"run CLOSE-DOORS {names}",
        "channel_id": hall.slack.channel_id(CHANNEL),
        "trigger_id": "1.2",
    }
    for _ in range(2):
        hall.put_command("/playbook", body)
        hall.work()
    assert len(hall.cards()) == 1
    assert states(hall) == ["PENDING"] * 2
