"""Every person and every other process, coming between any two calls of a run or of a rollback: the promises of the machine hold.

What `test_states_machine` draws at random is played here one by one, as far as it can be counted; so that each promise is met at all.
"""

from itertools import product

import pytest

from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA
from tests.faults.promises import LENA
from tests.faults.test_states_machine import Fixes
from tests.faults.turns import CALM, NAMES, WHATS, Between, Turn

EVERYBODY = (ANA, OMAR, OTTO, PRIYA, LENA)
CALLS = range(12)


def fixes(needed: int, back: int) -> Fixes:
    scene = Fixes()
    scene.begin(needed, back)
    return scene


@pytest.mark.slow
@pytest.mark.parametrize("what", sorted(set(WHATS)))
@pytest.mark.parametrize("glass", [None, ANA], ids=["signed", "glass"])
def test_between_two_calls_of_a_run(what: str, glass: object) -> None:
    for at, who, needed in product(CALLS, EVERYBODY, (1, 2)):
        scene = fixes(needed, needed)
        name = scene.ask_sign_and_run(glass=glass, turn=Turn(between=Between(at, what, who)))
        scene.run(name, Turn())  # a review may come before it has begun; then a sweep begins it
        assert scene.store.get(name).status is PlaybookStatus.COMPLETED, (at, who)
        assert (scene.store.get(name).owner, scene.store.get(name).takeovers) == ("one", 0)
        scene.teardown()


@pytest.mark.slow
@pytest.mark.parametrize("what", sorted(set(WHATS)))
def test_between_two_calls_of_a_rollback(what: str) -> None:
    for at, who, needed in product(CALLS, EVERYBODY, (1, 2)):
        scene = fixes(needed, needed)
        name = scene.ask_sign_and_run(glass=None, turn=Turn())
        scene.put_newest_back(OMAR, PRIYA, Turn())
        assert scene.store.reached[f"back by {needed}"] == 1
        again = scene.ask_sign_and_run(glass=None, turn=Turn())
        scene.roll_back(again, OMAR, Turn())
        scene.roll_back(again, PRIYA, Turn(between=Between(at, what, who)))
        if scene.store.get(again).status is PlaybookStatus.COMPLETED:
            assert what == "refuse back", "only a no that comes before it has begun holds it up"
            assert scene.store.get(again).rollback is None
            scene.put_newest_back(OMAR, PRIYA, Turn())
        ended = {scene.store.get(each).status for each in (name, again)}
        assert ended == {PlaybookStatus.ROLLED_BACK}, (at, who)
        scene.teardown()


@pytest.mark.slow
def test_between_two_calls_of_who_takes_over() -> None:
    for cut_at, at, what in product(CALLS, CALLS, sorted(set(WHATS))):
        scene = fixes(1, 1)
        name = scene.ask_sign_and_run(glass=None, turn=Turn(cut_at=cut_at))
        scene.listen()
        for process in ("two", "three"):
            scene.sweep(Turn(process, between=Between(at, what, OMAR)))
        scene.run(name, Turn("two"))
        assert scene.store.get(name).status is PlaybookStatus.COMPLETED, (cut_at, at)
        assert scene.board.switches == dict.fromkeys(NAMES, "closed")


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("needed", [1, 2])
def test_nobody_else_signs_breaks_the_glass_reviews_or_puts_back(who: object, needed: int) -> None:
    """Whoever tries what, the store lets nothing pass that was not promised to them."""
    scene = fixes(needed, needed)
    asked = scene.ask(ANA)
    scene.break_glass(asked, who, "now")
    scene.approve(asked, who, None)
    scene.approve(asked, who, 1)
    scene.run(asked, Turn())
    scene.review(asked, who)
    for signer in (OMAR, PRIYA):
        scene.approve(asked, signer, None)
    scene.run(asked, Turn())
    scene.review(asked, who)
    scene.roll_back(asked, who, Turn())
    scene.roll_back(asked, who, Turn())
    scene.roll_back_past_the_rules(asked, who, "one")
    is_back = scene.store.get(asked).status is PlaybookStatus.ROLLED_BACK
    assert is_back is (needed == 1 and who in {OMAR, PRIYA, LENA})


@pytest.mark.parametrize("who", [OMAR, LENA])
def test_what_drifted_takes_all_signatures_anew(who: object) -> None:
    for needed in (1, 2):
        scene = fixes(needed, needed)
        scene.sign_what_drifted(who, "ajar", Turn())
        (execution,) = scene.store.history(limit=9)
        assert execution.revision == 2
        assert (execution.status is PlaybookStatus.COMPLETED) is (needed == 1)


def test_what_is_left_as_it_is_is_not_asked_for_and_can_be_when_that_is_over() -> None:
    scene = fixes(1, 1)
    rejected = scene.ask(ANA)
    scene.leave_it_as_it_is(OMAR)
    assert scene.store.get(rejected).status is PlaybookStatus.REJECTED
    assert len(scene.store.history(limit=9)) == 1
    scene.pass_time(72)
    assert isinstance(scene.ask(ANA), str)


def test_what_was_interrupted_is_tried_again_by_an_approver() -> None:
    scene = fixes(2, 2)
    scene.interrupt_and_try_again(ANA, "door", Turn())
    assert scene.store.reached["tried again"] == 0
    scene.interrupt_and_try_again(OMAR, "door", Turn(between=CALM))
    assert scene.store.reached["tried again"] == 1
