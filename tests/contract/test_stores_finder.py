"""What every `ExecutionFinder` does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.actor import Actor
from audit.errors import NotFoundError
from remediation.execution import Decision, PlaybookExecution, Restored, RollbackRequest, Verdict
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, an_event, an_execution
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
GLASS = Decision(
    verdict=Verdict.BREAK_GLASS, actor=ANALYST, at=NOW, revision=1, plan_digest="3" * 64, reason="down"
)


def stored(stores: AnyStores, name: str, **changes: object) -> PlaybookExecution:
    return stores.executions.create(an_execution(name, **changes), an_event())


def names(found: list[PlaybookExecution]) -> list[str]:
    return [execution.execution_id for execution in found]


def test_by_the_beginning_of_its_id_in_any_case(stores: AnyStores) -> None:
    one = stored(stores, "x-0a1b2c3d4e5f")
    stored(stores, "X-0a99")
    assert stores.finder.named("x-0a1") == one
    assert stores.finder.named("  X-0A1B2C3D4E5F ") == one
    assert stores.finder.named("x-0a9").execution_id == "X-0a99"


def test_a_whole_id_wins_over_a_longer_one(stores: AnyStores) -> None:
    one = stored(stores, "x-0a")
    stored(stores, "x-0ab")
    assert stores.finder.named("x-0a") == one


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x-1", "no execution"),
        ("", "no execution"),
        ("%", "no execution"),
        ("x-0", "more than one"),
        ("\0", "no"),
    ],
)
def test_nothing_or_too_many_is_said(stores: AnyStores, name: str, says: str) -> None:
    stored(stores, "x-0a")
    stored(stores, "x-0b")
    with pytest.raises(NotFoundError, match=says):
        stores.finder.named(name)


def test_what_waits_those_that_end_first_first(stores: AnyStores) -> None:
    stored(stores, "late", expires_at=NOW + timedelta(hours=9), holds="a")
    stored(stores, "soon", expires_at=NOW + timedelta(hours=1), holds="b")
    stored(stores, "over", status=PlaybookStatus.REJECTED)
    assert names(stores.finder.pending()) == ["soon", "late"]
    assert names(stores.finder.pending(limit=1)) == ["soon"]
    assert stores.finder.count_pending() == 2


def test_what_waits_is_read_on_page_by_page(stores: AnyStores) -> None:
    for number in range(5):  # the middle three end at one moment
        ends = NOW + timedelta(hours=(1, 2, 2, 2, 3)[number])
        stored(stores, f"x-{number}", expires_at=ends, holds=str(number))
    first = stores.finder.pending(limit=2)
    second = stores.finder.pending(limit=2, after=first[-1])
    third = stores.finder.pending(limit=2, after=second[-1])
    assert names(first + second + third) == [f"x-{number}" for number in range(5)]
    assert stores.finder.pending(limit=2, after=third[-1]) == []


def test_rollbacks_that_wait_those_that_end_first_first(stores: AnyStores) -> None:
    def asked(hours: int) -> RollbackRequest:
        return RollbackRequest(
            requester=ANALYST,
            asked_at=NOW,
            asked_version=2,
            expires_at=NOW + timedelta(hours=hours),
            digest="3" * 64,
            settings=(Restored(resource="r", setting="s", was=None, we_set=True, now=[1, "x"]),),
        )

    done = PlaybookStatus.COMPLETED
    late = stored(stores, "late", status=done, rollback=asked(9))
    stored(stores, "soon", status=done, rollback=asked(1))
    stored(stores, "none", status=done)
    stored(stores, "unreviewed", status=done, decisions=(GLASS,))
    assert names(stores.finder.rollbacks()) == ["soon", "late"]
    assert stores.finder.rollbacks()[1] == late
    (first,) = stores.finder.rollbacks(limit=1)
    assert names([first]) == ["soon"]
    assert names(stores.finder.rollbacks(limit=2, after=first)) == ["late"]
    assert stores.finder.rollbacks(after=late) == []


def test_what_a_person_asked_for_newest_first(stores: AnyStores) -> None:
    elsewhere = replace(ANALYST, workspace="T2")
    stored(stores, "first", created_at=NOW)
    stored(stores, "second", created_at=NOW + timedelta(minutes=1))
    stored(stores, "theirs", requester=elsewhere)
    stored(stores, "shell", requester=Actor(email="a@b.example", origin="cli"))
    assert names(stores.finder.asked_by(ANALYST)) == ["second", "first"]
    assert names(stores.finder.asked_by(ANALYST, limit=1)) == ["second"]
    assert names(stores.finder.asked_by(elsewhere)) == ["theirs"]
