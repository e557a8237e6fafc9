"""What becomes of findings from report to report, on every database (docs/findings.md)."""

from contextlib import AbstractContextManager

import pytest
from sqlmodel import Session, select

from audit.findings import Severity
from storage import Database, Stores
from storage.lifecycle_tables import MergeRow
from storage.merging import STEP, take_step
from tests.contract.reports_in_a_row import MANUAL, PASS, day, one, report, states
from tests.fakes.samples import NOW, a_finding

pytestmark = pytest.mark.parametrize(
    "stores", ["sqlite in memory", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)


def test_three_reports_tell_new_open_fixed_and_regressed(stores: Stores) -> None:
    report(stores, 1, a_finding(1), a_finding(2))
    assert states(stores) == {"scanner-1": "new", "scanner-2": "new"}

    report(stores, 2, a_finding(2), a_finding(3))
    assert states(stores) == {"scanner-1": "fixed", "scanner-2": "open", "scanner-3": "new"}

    report(stores, 3, a_finding(1), a_finding(2), a_finding(3, status=PASS))
    assert states(stores) == {"scanner-1": "regressed", "scanner-2": "open", "scanner-3": "fixed"}

    back = stores.tracker.track(a_finding(1).handle, now=NOW)
    assert (back.first_seen_at, back.last_seen_at, back.opened_at) == (day(1), day(3), day(3))
    assert stores.tracker.track(a_finding(3).fingerprint, now=NOW).fixed_at == day(3)


def test_the_same_file_twice_changes_nothing(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    before = one(stores)
    report(stores, 1, a_finding(1))
    assert one(stores) == before
    assert not stores.tracker.is_behind()


def test_another_account_another_scanner_and_another_check_close_nothing(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    report(stores, 2, a_finding(2, account_id="210987654321"))
    report(stores, 3, a_finding(2), source="CloudSploit JSON")
    report(stores, 4, a_finding(2, check_id="another"))
    assert states(stores)["scanner-1"] == "new"


def test_another_region_closes_nothing_but_a_scan_of_all_regions_does(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    report(stores, 2, a_finding(2, region="us-east-1"))
    assert states(stores)["scanner-1"] == "new"
    # The last bucket of the region is gone; other checks looked there, and this check looked elsewhere.
    report(stores, 3, a_finding(2, region="us-east-1"), a_finding(3, check_id="other", status=PASS))
    assert states(stores)["scanner-1"] == "fixed"


def test_all_formats_of_prowler_are_one_scanner(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    report(stores, 2, a_finding(2), source="Prowler CSV")
    assert states(stores)["scanner-1"] == "fixed"


def test_a_part_of_a_scan_closes_only_what_it_lists_as_passing(stores: Stores) -> None:
    report(stores, 1, a_finding(1), a_finding(2))
    report(stores, 2, a_finding(1, status=PASS), a_finding(3), is_complete=False)
    assert states(stores) == {"scanner-1": "fixed", "scanner-2": "new", "scanner-3": "new"}


def test_findings_without_an_account_are_closed_only_by_a_pass(stores: Stores) -> None:
    nowhere = {"account_id": "", "region": ""}
    report(stores, 1, a_finding(1, **nowhere), a_finding(2, **nowhere))
    report(stores, 2, a_finding(1, status=PASS, **nowhere))
    assert states(stores) == {"scanner-1": "fixed", "scanner-2": "new"}


def test_what_is_muted_or_for_a_person_is_not_fixed(stores: Stores) -> None:
    report(stores, 1, a_finding(1), a_finding(2), a_finding(3))
    report(stores, 2, a_finding(1, muted=True), a_finding(2, status=MANUAL), a_finding(4))
    assert states(stores) == {
        "scanner-1": "excepted",
        "scanner-2": "new",
        "scanner-3": "fixed",
        "scanner-4": "new",
    }
    report(stores, 3, a_finding(1), a_finding(4, muted=True), a_finding(4))
    assert states(stores)["scanner-1"] == "open"
    assert states(stores)["scanner-4"] == "open"


def test_an_old_report_that_is_read_late_undoes_nothing(stores: Stores) -> None:
    report(stores, 5, a_finding(1), a_finding(2, status=PASS))
    report(stores, 3, a_finding(2), a_finding(3))
    # 1 was not there on day 3 and is since day 5; 2 and 3 failed then and no longer do.
    assert states(stores) == {"scanner-1": "new", "scanner-2": "fixed", "scanner-3": "fixed"}
    assert one(stores, 2).fixed_at == day(5)

    report(stores, 4, a_finding(1))
    assert states(stores)["scanner-1"] == "open"
    assert one(stores).first_seen_at == day(4)


def test_what_a_newer_report_had_muted_stays_so_when_an_old_one_comes_late(stores: Stores) -> None:
    report(stores, 5, a_finding(1, muted=True), a_finding(2))
    report(stores, 3, a_finding(1))
    assert states(stores)["scanner-1"] == "excepted"


def test_a_late_report_does_not_speak_louder_than_a_newer_one(stores: Stores) -> None:
    report(stores, 1, a_finding(1), a_finding(2))
    # Of another scanner, so that its own report is not worked in once more behind the late one.
    newer = a_finding(1, muted=True), a_finding(2, title="As it is called now")
    report(stores, 5, *newer, source="CloudSploit JSON")
    report(stores, 3, a_finding(1), a_finding(2, title="As it was called then"))
    assert states(stores) == {"scanner-1": "excepted", "scanner-2": "open"}
    assert one(stores, 2).title == "As it is called now"


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3), (3, 1, 4, 2)])
def test_in_whatever_order_reports_come_the_newest_word_counts(
    stores: Stores, order: tuple[int, ...]
) -> None:
    reports = {
        1: (a_finding(1), a_finding(2), a_finding(3)),
        2: (a_finding(2), a_finding(4)),
        3: (a_finding(2, muted=True), a_finding(3, status=PASS), a_finding(4)),
        4: (a_finding(4), a_finding(5)),
    }
    for number in order:
        report(stores, number, *reports[number])
    found = states(stores)
    assert {name: found[name] for name in ("scanner-1", "scanner-3", "scanner-4")} == {
        "scanner-1": "fixed",
        "scanner-3": "fixed",
        "scanner-4": "open",
    }
    assert found["scanner-5"] == "new"
    assert one(stores, 4).first_seen_at == day(2)
    assert one(stores, 2).fixed_at == day(4)


def test_a_finding_that_is_listed_twice_fails_if_it_fails_once(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    report(stores, 2, a_finding(1, status=PASS), a_finding(1), a_finding(1, severity=Severity.LOW))
    assert states(stores) == {"scanner-1": "open"}
    assert one(stores).severity_rank == Severity.HIGH.rank


def test_steps_end_anywhere_and_go_on_anywhere(stores: Stores) -> None:
    """A process that dies between two steps leaves the rest to whoever comes next; no step is done twice."""
    many = [a_finding(number) for number in range(STEP + 3)]
    report(stores, 1, *many)
    report(stores, 2, a_finding(0))
    with stores.database.writing() as session:
        row = MergeRow(report_key=1, phase="seen", position=0, account_id="")
        session.add(row)
    before = states(stores)
    steps = 0
    while stores.tracker.catch_up(NOW):
        steps += 1
    assert steps > 2
    assert states(stores) == before
    overview = stores.tracker.overview(NOW)
    assert (overview.open, overview.fixed) == (1, STEP + 2)
    assert not stores.tracker.is_behind()
    assert take_step(stores.database, NOW) is False


class Overtaken:
    """A database on which somebody else always takes the next two steps just before we write ours."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.left: MergeRow | None = None

    def reading(self) -> AbstractContextManager[Session]:
        return self._database.reading()

    def writing(self) -> AbstractContextManager[Session]:
        take_step(self._database, NOW)
        take_step(self._database, NOW)
        self.left = waiting(self._database)
        return self._database.writing()

    def settle(self) -> None:
        self._database.settle()


def waiting(database: Database) -> MergeRow | None:
    with database.reading() as session:
        return session.exec(select(MergeRow)).first()


def test_who_was_overtaken_leaves_the_step_alone(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    with stores.database.writing() as session:
        session.add(MergeRow(report_key=1, phase="seen", position=0, account_id=""))
    overtaken = Overtaken(stores.database)
    take_step(overtaken, NOW)  # type: ignore[arg-type]
    assert overtaken.left is not None
    assert overtaken.left.phase == "gone"
    assert waiting(stores.database) == overtaken.left
