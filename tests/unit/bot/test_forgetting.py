"""Processes that are long gone are forgotten; one that lives, or left something under way, never is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from bot.forgetting import Forgetting
from remediation.clock import utc_now
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from remediation.watch import LONGEST_LOOK_S, Watch
from storage import Stores
from storage.owners import FORGOTTEN_AFTER
from storage.tables import OwnerRow
from tests.databases import stores_in_memory
from tests.fakes.samples import an_event, an_execution

LONG_AGO = FORGOTTEN_AFTER + timedelta(minutes=1)
NOW = utc_now()


class Ticks:
    """Seconds that pass when the test says so."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def stores() -> Iterator[Stores]:
    stores = stores_in_memory()
    yield stores
    stores.close()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def forgetting(stores: Stores, ticks: Ticks) -> Forgetting:
    return Forgetting(stores.owners, Watch(ticks=ticks))


def listen(forgetting: Forgetting, ticks: Ticks) -> list[str]:
    """Listen for as long as it takes to call somebody lost; return whom it would forget."""
    found = list(forgetting.waiting(NOW))
    for _ in range(int(OWNER_LOST_AFTER.total_seconds() / LONGEST_LOOK_S)):
        ticks.at += LONGEST_LOOK_S
        found = list(forgetting.waiting(NOW))
    return found


def known(stores: Stores) -> list[str]:
    with Session(stores.database.engine) as session:
        return list(session.exec(select(OwnerRow.owner_id).order_by(col(OwnerRow.owner_id))))


def test_who_is_long_gone_is_forgotten_once_it_was_listened_to(
    stores: Stores, forgetting: Forgetting, ticks: Ticks
) -> None:
    stores.executions.beat("boot-gone", NOW - LONG_AGO)
    stores.executions.beat("boot-ahead", NOW + LONG_AGO)
    stores.executions.beat("boot-lately", NOW - timedelta(days=29))
    assert list(forgetting.waiting(NOW)) == []
    forgetting.forget("boot-gone", NOW)
    assert "boot-gone" in known(stores), "it may live: nobody has listened yet"
    assert sorted(listen(forgetting, ticks)) == ["boot-ahead", "boot-gone"]
    for owner in ("boot-ahead", "boot-gone", "boot-lately"):
        forgetting.forget(owner, NOW)
    assert known(stores) == ["boot-lately"]
    assert list(forgetting.waiting(NOW)) == []


@pytest.mark.parametrize("status", [PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK])
def test_who_left_something_under_way_is_not_forgotten(
    stores: Stores, forgetting: Forgetting, ticks: Ticks, status: PlaybookStatus
) -> None:
    said = NOW - LONG_AGO
    stores.executions.beat("boot-gone", said)
    stores.executions.create(an_execution("x-left", status=status, owner="boot-gone"), an_event())
    assert listen(forgetting, ticks) == []
    stores.owners.forget("boot-gone", said)
    assert known(stores) == ["boot-gone"]


def test_who_speaks_though_its_clock_is_wrong_is_not_forgotten(
    stores: Stores, forgetting: Forgetting, ticks: Ticks
) -> None:
    for beat in range(20):
        stores.executions.beat("boot-behind", NOW - LONG_AGO + timedelta(seconds=beat))
        assert list(forgetting.waiting(NOW)) == []
        ticks.at += LONGEST_LOOK_S
    assert known(stores) == ["boot-behind"]


def test_who_has_spoken_since_it_was_looked_at_is_not_forgotten(stores: Stores) -> None:
    said = NOW - LONG_AGO
    stores.executions.beat("boot-back", said)
    stores.executions.beat("boot-back", said + timedelta(seconds=1))
    stores.owners.forget("boot-back", said)
    assert known(stores) == ["boot-back"]
