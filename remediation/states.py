"""The states of an execution and of its actions, and the one table of moves between them.

PENDING → APPROVED | REJECTED | EXPIRED | COMPLETED (a rehearsal that needs no approval) | FAILED
APPROVED → RUNNING | PENDING (drift: new digest, decisions void) | EXPIRED | FAILED
RUNNING → COMPLETED | FAILED | INTERRUPTED (a crash left an action nobody can classify)
RUNNING → ROLLING_BACK (a step failed, and the playbook says that what was done goes back by itself)
INTERRUPTED → RUNNING | COMPLETED | FAILED by a person's recorded choice
COMPLETED | FAILED | INTERRUPTED → ROLLING_BACK → ROLLED_BACK | ROLLBACK_FAILED → ROLLING_BACK
"""

from collections.abc import Mapping
from enum import Enum

from audit.errors import StateError


class PlaybookStatus(Enum):
    """Where an execution stands. `AWAITING_APPROVAL` is another name of `PENDING`."""

    PENDING = "PENDING"
    AWAITING_APPROVAL = "PENDING"  # noqa: PIE796 - the specification's second name for one state
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"


class ActionStatus(Enum):
    """Where one action stands.

    `STARTED` means that the intent and the before-state are committed and the write may or may not have happened.
    """

    PLANNED = "PLANNED"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"


_S = PlaybookStatus
NEVER_RAN = frozenset({_S.PENDING, _S.REJECTED, _S.EXPIRED})
"""The states of what was never approved, or not in time."""
TRANSITIONS: Mapping[PlaybookStatus, frozenset[PlaybookStatus]] = {
    _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.EXPIRED, _S.COMPLETED, _S.FAILED}),
    _S.APPROVED: frozenset({_S.RUNNING, _S.PENDING, _S.EXPIRED, _S.FAILED}),
    _S.RUNNING: frozenset({_S.COMPLETED, _S.FAILED, _S.INTERRUPTED, _S.ROLLING_BACK}),
    _S.INTERRUPTED: frozenset({_S.RUNNING, _S.COMPLETED, _S.FAILED, _S.ROLLING_BACK}),
    _S.COMPLETED: frozenset({_S.ROLLING_BACK}),
    _S.FAILED: frozenset({_S.ROLLING_BACK}),
    _S.ROLLING_BACK: frozenset({_S.ROLLED_BACK, _S.ROLLBACK_FAILED}),
    _S.ROLLBACK_FAILED: frozenset({_S.ROLLING_BACK}),
    _S.ROLLED_BACK: frozenset(),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
}

# While an execution is in one of these, its row is its owner's: what others have to say of it waits, or goes on the trail alone.
LIVE = frozenset({_S.RUNNING, _S.ROLLING_BACK})
# While an execution is in one of these, no other may begin on the same resource.
UNDER_WAY = frozenset({_S.PENDING, _S.APPROVED, _S.RUNNING, _S.INTERRUPTED, _S.ROLLING_BACK})


def check_transition(before: PlaybookStatus, after: PlaybookStatus) -> None:
    """Let a move in the table pass.

    Raises:
        StateError: the move is not in the table.
    """
    if after not in TRANSITIONS[before]:
        raise StateError(f"an execution cannot go from {before.value} to {after.value}")
