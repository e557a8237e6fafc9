"""The batch card on a real Bolt app, against the stand-in for Slack."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import TrailError
from audit.findings import Finding, Severity
from bot.sandbox import Message
from handlers.decisions import answer_decision
from remediation.protection import Protection
from remediation.states import PlaybookStatus
from tests.databases import stores_in_memory
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, CHANNEL, DOOR, House
from tests.unit.remediation.hall import hall_playbook

DOORS = [
    replace(
        DOOR,
        id=f"F-{number}",
        title=f"Door {number} is open",
        resource=f"board/door-{number}",
        severity=Severity.CRITICAL if number == 1 else Severity.HIGH,
    )
    for number in range(1, 13)
]


def furnish(house: House, count: int = 12, *, max_targets: int = 60) -> House:
    """Give a house many open doors, and the playbook that closes them."""
    book = hall_playbook(max_targets=max_targets)
    book.checks.append("door_closed")
    house.services.playbooks[book.playbook_id] = book  # type: ignore[index]
    house.board.switches.update({door.resource: "open" for door in DOORS[:count]})
    house.ingest(*DOORS[:count])
    return house


@pytest.fixture
def hall(house: House) -> House:
    return furnish(house)


def ask(house: House, *findings: Finding, user: str = "ana") -> Message:
    names = " ".join(finding.handle for finding in findings)
    house.command(user, f"/playbook run CLOSE-DOORS {names}")
    return house.cards()[0]


def card_of(house: House, card: Message) -> Message:
    return house.slack.message(card.channel, card.ts)


def view(house: House, user: str, card: Message, action_id: str):  # noqa: ANN201
    assert house.slack.click(user, card, action_id).ok
    return house.slack.wait_for(lambda: next(iter(house.slack.views(user)[::-1]), None))


def states(house: House) -> list[str]:
    (batch_id,) = {each.batch_id for each in house.services.executions.history(limit=99) if each.batch_id}
    return [each.status.value for each in house.services.batches.members(batch_id).executions]


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


def test_a_card_that_is_drawn_again_tells_nobody_again(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    batch_id = _batch_id(card)
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
    for execution in hall.services.batches.members(_batch_id(card)).executions[:2]:
        hall.do("run", execution.execution_id)
    hall.work_but("run")
    assert "3 approved" in card_of(hall, card).words, "the sweep is soon enough"
    hall.now += timedelta(seconds=3)
    (batch_id,) = hall.services.batches.outdated(hall.now)
    hall.do("batch", batch_id)
    assert "2 fixed" in card_of(hall, card).words


def test_who_may_not_hears_why_and_nothing_runs(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    for user, words in (("ana", "somebody else"), ("otto", "not among the approvers")):
        hall.click(user, card, "batch_approve")
        assert words in hall.whisper(user).words
    assert states(hall) == ["PENDING"] * 2


def test_an_outdated_card_approves_nothing_and_is_drawn_anew(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    first = hall.services.batches.members(_batch_id(card)).executions[0]
    hall.services.remediation.reject(first.execution_id, _actor("U0OMAR"), reason="not this one")
    hall.click("priya", card, "batch_approve")
    assert "changed since" in hall.whisper("priya").words
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    now = card_of(hall, card)
    assert "not this one" in now.words
    hall.click("priya", now, "batch_approve")
    assert states(hall) == ["REJECTED", "COMPLETED", "COMPLETED"]


def test_what_loses_its_tick_is_taken_out_with_a_reason(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(_batch_id(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    refused = hall.slack.submit_view("omar", form, {"reason": "needed"})
    assert "kept_0" in refused.errors
    refused = hall.slack.submit_view("omar", form, {"kept_0": names[1:], "reason": " x "})
    assert "reason" in refused.errors
    assert hall.slack.submit_view(
        "omar", form, {"kept_0": names[1:], "reason": "needed until Friday"}
    ).accepted
    hall.work()
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    now = card_of(hall, card)
    assert "needed until Friday" in now.words
    assert "2 at once" in now.words


def test_of_an_approval_and_a_choice_at_once_one_wins(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(_batch_id(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    assert hall.slack.click("priya", card, "batch_approve").ok
    assert hall.slack.submit_view("omar", form, {"kept_0": names[1:], "reason": "needed"}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 3
    assert "Too late" in hall.whisper("omar").words


def test_a_no_to_all_of_it(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    form = view(hall, "omar", card, "batch_reject")
    assert hall.slack.submit_view("omar", form, {"reason": "Not before the audit"}).accepted
    hall.work()
    assert states(hall) == ["REJECTED"] * 2
    now = card_of(hall, card)
    assert now.words.count("Not before the audit") >= 1
    assert "batch_approve" not in now.action_ids


def test_a_window_shows_every_change_and_approves_the_set_it_shows(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    window = view(hall, "omar", card, "batch_changes")
    words = str(window.blocks)
    assert all(door.resource in words and door.title in words for door in DOORS[:3])
    assert hall.slack.submit_view("omar", window, {}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 3


def test_what_does_not_fit_on_the_card_is_approved_where_it_can_be_seen(hall: House) -> None:
    for number, door in enumerate(DOORS):
        hall.board.switches[door.resource] = f"open by {number} " + "degrees " * 40
    card = ask(hall, *DOORS)
    assert "batch_approve" not in card.action_ids
    assert "Review and approve" in str(card.blocks)
    window = view(hall, "omar", card, "batch_changes")
    assert all(f"open by {number} " in str(window.blocks) for number in range(12))
    assert hall.slack.submit_view("omar", window, {}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 12


def test_what_fits_nowhere_cannot_be_approved(hall: House) -> None:
    hall.board.switches[DOORS[0].resource] = "x" * 4000
    card = ask(hall, *DOORS[:2])
    assert "batch_approve" not in card.action_ids
    assert "cannot be approved" in card.words
    window = view(hall, "omar", card, "batch_changes")
    assert window.payload["callback_id"] == "details"


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


def test_one_that_drifted_gets_a_card_of_its_own_and_the_others_go_on(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.board.switches[DOORS[1].resource] = "ajar"
    hall.click("omar", card, "batch_approve")
    assert states(hall) == ["COMPLETED", "PENDING", "COMPLETED"]
    own = hall.cards()[-1]
    assert own.ts != card.ts
    assert DOORS[1].resource in own.words
    assert "approve" in own.action_ids
    now = card_of(hall, card)
    assert "card of its own" in now.words
    assert "batch_approve" not in now.action_ids
    hall.click("priya", own, "approve")
    assert states(hall) == ["COMPLETED"] * 3


def test_a_rollback_of_all_and_what_a_person_changed_is_named(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.click("omar", card, "batch_approve")
    hall.board.switches[DOORS[1].resource] = "bricked up"
    done = card_of(hall, card)
    hall.click("otto", done, "batch_rollback")
    assert "not among the approvers" in hall.whisper("otto").words
    assert states(hall) == ["COMPLETED"] * 3
    hall.click("priya", done, "batch_rollback")
    assert states(hall) == ["ROLLED_BACK", "COMPLETED", "ROLLED_BACK"]
    assert "bricked up" in hall.whisper("priya").words
    now = card_of(hall, card)
    assert "Not put back" in now.words
    assert "2 rolled back" in now.words
    assert hall.board.switches[DOORS[1].resource] == "bricked up"


def test_a_rollback_that_two_have_to_sign(make_house: MakeHouse) -> None:
    hall = furnish(make_house(policy=replace(APPROVERS, rollback_approvals=2)))
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    hall.click("omar", card_of(hall, card), "batch_rollback")
    asked = card_of(hall, card)
    assert "1 of 2 approvals" in asked.words
    assert "was `open`, we set `closed`, now `closed`" in asked.words
    assert "batch_refuse_rollback" in asked.action_ids
    hall.click("priya", asked, "batch_rollback")
    assert states(hall) == ["ROLLED_BACK"] * 2


def test_a_rollback_that_is_refused(make_house: MakeHouse) -> None:
    hall = furnish(make_house(policy=replace(APPROVERS, rollback_approvals=2)))
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    hall.click("omar", card_of(hall, card), "batch_rollback")
    hall.click("priya", card_of(hall, card), "batch_refuse_rollback")
    assert states(hall) == ["COMPLETED"] * 2
    assert not any(each.rollback for each in hall.services.batches.members(_batch_id(card)).executions)


class Killed(BaseException):
    """Ends everything at once, as a signal nobody catches."""


def die() -> None:
    raise Killed


def test_a_rollback_that_was_cut_off_never_says_that_nothing_was_done(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.click("omar", card, "batch_approve")
    left = iter([None, die])

    def die_at_the_second() -> None:
        if fault := next(left, die):
            fault()

    hall.board.faults["before write"] = die_at_the_second
    assert hall.slack.click("priya", card_of(hall, card), "batch_rollback").ok
    with pytest.raises(Killed):
        hall.work()
    hall.board.faults.clear()
    assert "ROLLED_BACK" in states(hall)
    replay(hall)
    assert "cut off in the middle" in hall.whisper("priya").words
    assert "othing was" not in hall.whisper("priya").words


def test_a_choice_that_was_cut_off_never_says_that_nothing_was_done(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(_batch_id(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    assert hall.slack.submit_view("omar", form, {"kept_0": names[1:], "reason": "needed"}).accepted
    kind, request_id = hall.hands.next(timeout_s=5) or ("", "")
    assert kind == "request"
    request = hall.services.inbox.begin(request_id, owner=hall.services.runner.journal.owner, now=hall.now)
    assert request
    answer_decision(hall.services, request)  # and the process dies before it is noted as answered
    replay(hall)
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    assert "cut off in the middle" in hall.whisper("omar").words
    assert "othing was" not in hall.whisper("omar").words


def replay(house: House) -> None:
    """Answer what was left open, as a start does."""
    (request_id,) = house.services.inbox.open_requests(house.services.runner.journal.owner, house.now)
    house.do("request", request_id)
    house.work_off()


def test_what_breaks_one_item_is_told_beside_what_went_back(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    errors = [TrailError("the trail cannot be written; nothing was changed")]

    def fail_once() -> None:
        if errors:
            raise errors.pop()

    hall.board.faults["before write"] = fail_once
    hall.click("priya", card_of(hall, card), "batch_rollback")
    said = hall.whisper("priya").words
    assert "1 went back" in said
    assert "1 failed on the way" in said
    assert "the trail cannot be written" in said
    assert "nothing was changed" not in said


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


@pytest.mark.parametrize("value", ["", "b-1", "b-1:xyz", "x-1:1", f"b-none:{'0' * 64}"])
def test_a_button_that_is_none_of_ours_gets_an_answer(hall: House, value: str) -> None:
    from handlers.requests import action_request

    for name in ("batch_approve", "batch_rollback", "batch_refuse_rollback"):
        body = {
            "user": {"id": "U0OMAR", "team_id": "T0DEMO"},
            "channel": {"id": hall.slack.channel_id(CHANNEL)},
            "trigger_id": f"{name}{value}",
            "actions": [{"action_id": name, "value": value}],
        }
        request = action_request(body, now=hall.now)
        hall.services.inbox.put(request)
        hall.do("request", request.request_id)
        assert re.search("not one of ours|no batch", hall.whisper("omar").words)


def test_of_items_that_expire_nobody_is_asked_any_more(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.now += timedelta(hours=25)
    for execution in hall.services.executions.waiting(hall.now):
        assert execution.status is PlaybookStatus.PENDING
        hall.services.remediation.expire(execution)
    hall.work_off()
    now = card_of(hall, card)
    assert "Expired" in now.words
    assert "batch_approve" not in now.action_ids


def _batch_id(card: Message) -> str:
    found = re.search(r"b-[0-9a-f]{12}", str(card.blocks))
    assert found
    return found[0]


def _actor(slack_id: str):  # noqa: ANN202
    from audit.actor import Actor

    return Actor(workspace="T0DEMO", slack_id=slack_id)
