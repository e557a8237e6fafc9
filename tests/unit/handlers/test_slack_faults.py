"""Slack refuses, stalls, breaks or is late at each call of a fix's life: the state is right all the same, and the card catches up.

A fix that is put back, one whose resource changed before it was signed, and one that was cut off and that a person settles.
"""

from functools import partial

import pytest

from bot.sandbox import Message, SlackStandIn
from remediation.states import PlaybookStatus
from tests.unit.handlers.house import DOOR, House
from tests.unit.handlers.slack_lives import FAULTS, Life, a_house, check, play, play_broken

SETTLING = ("found_done", "found_not_done", "try_again", "rollback")


class PowerCutError(Exception):
    """The process ends here."""


def ask(house: House) -> None:
    house.ingest()
    assert house.slack.command(
        user="ana", channel="#security", text=f"/playbook run CLOSE-DOOR {DOOR.handle}"
    ).ok
    house.work()
    look(house, PlaybookStatus.PENDING, "open", ("approve", "reject"))


def click(house: House, user: str, action_id: str) -> None:
    assert house.slack.click(user, house.card(), action_id).ok
    house.work()


def live(house: House) -> None:
    """Ask, approve and put back; after each the card has caught up, whatever Slack did in between."""
    ask(house)
    click(house, "omar", "approve")
    look(house, PlaybookStatus.COMPLETED, "closed", ("rollback",))
    click(house, "priya", "rollback")
    look(house, PlaybookStatus.ROLLED_BACK, "open", ())


def drift(house: House) -> None:
    """Ask, change the door, approve: nothing runs, and a newer card shows what changed. Its approval counts."""
    ask(house)
    house.board.switches["door"] = "ajar"
    click(house, "omar", "approve")
    look(house, PlaybookStatus.PENDING, "ajar", ("approve", "reject"), cards=2)
    assert "open → ajar" in house.card().words
    click(house, "priya", "approve")
    look(house, PlaybookStatus.COMPLETED, "closed", ("rollback",), cards=2)


def settle(house: House) -> None:
    """Ask, approve, and be cut off after the write, where nobody can tell; a person looks and has it tried again."""
    ask(house)

    def cut() -> None:
        house.board.switches["door"] = "half"
        raise PowerCutError

    house.board.faults["after write"] = cut
    with pytest.raises(PowerCutError):
        click(house, "omar", "approve")
    house.board.faults.clear()
    house.services.runner.recover(house.execution().execution_id)
    look(house, PlaybookStatus.INTERRUPTED, "half", SETTLING)
    house.board.switches["door"] = "open"
    click(house, "omar", "try_again")
    look(house, PlaybookStatus.COMPLETED, "closed", ("rollback",))


def look(
    house: House, status: PlaybookStatus, door: str, buttons: tuple[str, ...], *, cards: int = 1
) -> None:
    check(house, partial(hold, house, status, door), buttons)
    *old, newest = house.cards()
    assert len(old) == cards - 1, "a card too many, or none"
    for card in old:
        assert card.action_ids == ()
        assert "A newer card shows what changed" in card.words
    assert len(replies(house, newest)) == (status is not PlaybookStatus.PENDING)
    posting = house.stores.postings.postings(house.execution().execution_id)[-1]
    assert posting.drawn_version == house.execution().version


def hold(house: House, status: PlaybookStatus, door: str) -> None:
    assert house.execution().status is status
    assert house.board.switches == {"door": door}
    assert house.open_requests() == []


def replies(house: House, card: Message) -> list[Message]:
    """Return what was said below a card, but for the plan of a refused one, which is a file beside it."""
    return [reply for reply in house.replies(card) if not reply.files]


# Card and thread, words to who asked, the look before a reply and for a card that may have been posted.
LIVES = {
    "put back": Life(live, (4, 5, 0, 1)),
    "drift": Life(drift, (5, 10, 0, 2)),
    "cut off": Life(settle, (4, 5, 0, 1)),
}


@pytest.mark.parametrize("life", LIVES)
def test_the_life_of_a_fix(slack: SlackStandIn, life: str) -> None:
    play(slack, LIVES[life])


# Where we may not speak is one to all of these: a life of each kind has them all, the others one.
ALIKE = ("channel not found", "archived")
BROKEN = [
    *LIVES["put back"].cases("put back"),
    *LIVES["drift"].cases("drift", but=ALIKE),
    *LIVES["cut off"].cases("cut off", but=ALIKE),
]


@pytest.mark.slow
@pytest.mark.parametrize(("life", "method", "number", "fault"), BROKEN)
def test_slack_fails_at(slack: SlackStandIn, life: Life, method: str, number: int, fault: str) -> None:
    play_broken(slack, life, fault, at=(method, number))


# The ways to a person who alone is to see an answer, in the order in which they are tried; each breaks as it can break.
WAYS = ("response", "chat.postEphemeral", "chat.postMessage")
NO_WAY = {
    "response": ("429", "500"),
    "chat.postEphemeral": ("500", "not in channel", "channel not found", "archived"),
    "chat.postMessage": ("429", "500", "not answered", "archived", "too long"),
}
PRIVATE = [(broken, fault) for broken in range(1, 4) for fault in NO_WAY[WAYS[broken - 1]]]


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "fault"), PRIVATE)
def test_a_private_no_takes_the_next_way(slack: SlackStandIn, broken: int, fault: str) -> None:
    with a_house(slack) as house:
        card = house.ask()
        for way in WAYS[: broken - 1]:
            slack.faults.add(way, status=500)
        times = 1 if broken == 1 else FAULTS[fault].get("times", 1)  # a response_url is used once
        slack.faults.add(WAYS[broken - 1], **{**FAULTS[fault], "times": times})  # type: ignore[arg-type]
        house.click("ana", card, "approve")
        assert not slack.faults.are_open, "nothing went wrong"
        assert house.execution().status is PlaybookStatus.PENDING
        assert house.open_requests() == []
        assert house.board.switches == {"door": "open"}
        told = [*house.whispers("ana"), *slack.messages("@ana")]
        said = [message for message in told if "somebody else has to approve" in message.text]
        # What is too long is said once more in plain words, the same way.
        assert len(said) == (broken < len(WAYS) or fault == "too long")
        assert house.card().action_ids == ("approve", "reject")
