import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import StateError
from remediation.states import TRANSITIONS, PlaybookStatus, check_transition

S = PlaybookStatus


def test_awaiting_approval_is_pending() -> None:
    assert PlaybookStatus.AWAITING_APPROVAL is PlaybookStatus.PENDING


def test_the_table_speaks_of_every_state() -> None:
    assert set(TRANSITIONS) == set(PlaybookStatus)


def test_running_is_reached_only_from_approved_or_by_a_persons_choice() -> None:
    sources = {before for before, after in TRANSITIONS.items() if S.RUNNING in after}
    assert sources == {S.APPROVED, S.INTERRUPTED}


def test_final_states_are_final() -> None:
    assert [state for state, after in TRANSITIONS.items() if not after] == [
        S.ROLLED_BACK,
        S.REJECTED,
        S.EXPIRED,
    ]


@given(st.lists(st.sampled_from(list(PlaybookStatus)), max_size=12))
def test_no_path_reaches_running_without_approved(moves: list[PlaybookStatus]) -> None:
    state, seen = S.PENDING, {S.PENDING}
    for move in moves:
        try:
            check_transition(state, move)
        except StateError:
            continue
        state = move
        seen.add(state)
    assert S.RUNNING not in seen or S.APPROVED in seen


def test_a_move_not_in_the_table_is_refused() -> None:
    with pytest.raises(StateError, match="PENDING to RUNNING"):
        check_transition(S.PENDING, S.RUNNING)
