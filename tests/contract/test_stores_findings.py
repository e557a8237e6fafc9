"""What is asked of findings over reports: exceptions, due dates, searches, our own fixes, news, comparisons, trends."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audit.actor import WORKER
from audit.errors import NotFoundError, TrailError
from audit.finding_query import parse_query
from audit.findings import Severity
from audit.lifecycle import LifecycleState, Sla
from storage import Stores
from storage.tables import ExceptionRow
from tests.contract.reports_in_a_row import PASS, day, one, report, states
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading, an_event, an_execution

pytestmark = pytest.mark.parametrize(
    "stores", ["sqlite in memory", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)


def excepted(stores: Stores, number: int, *, until: datetime, ended_at: datetime | None = None) -> None:
    stores.executions.create(an_execution(f"exec-{number}", holds=""), an_event())
    finding = a_finding(number)
    with stores.database.writing() as session:
        session.add(
            ExceptionRow(
                exception_id=f"e-{number}",
                fingerprint=finding.fingerprint,
                execution_id=f"exec-{number}",
                finding=finding.to_json(finding.handle),
                owner=ANALYST.to_dict(),
                reason="accepted",
                granted_at=day(0),
                until=until,
                ended_at=ended_at,
            )
        )


def test_an_exception_holds_until_its_day_by_the_clock_that_is_given(stores: Stores) -> None:
    report(stores, 1, a_finding(1), a_finding(2))
    excepted(stores, 1, until=day(8))
    excepted(stores, 2, until=day(8), ended_at=day(5))
    assert states(stores, now=day(7)) == {"scanner-1": "excepted", "scanner-2": "new"}
    assert states(stores, now=day(8)) == {"scanner-1": "new", "scanner-2": "new"}
    assert stores.tracker.track(a_finding(1).handle, now=day(7)).excepted_until == day(8)
    overview = stores.tracker.overview(day(7))
    assert (overview.open, overview.excepted) == (1, 1)


def test_due_dates_and_what_is_overdue(stores: Stores) -> None:
    sla = Sla(limits={Severity.HIGH: timedelta(days=3)})
    tracker = stores.tracker.with_sla(sla)
    report(stores, 1, a_finding(1), a_finding(2, severity=Severity.LOW))
    late = parse_query(["overdue"])

    assert tracker.search(late, now=day(4)).total == 0
    page = tracker.search(late, now=day(4) + timedelta(seconds=1))
    assert [(each.finding.id, each.due_at, each.is_overdue) for each in page.items] == [
        ("scanner-1", day(4), True)
    ]
    overview = tracker.overview(day(5))
    assert (overview.overdue, overview.overdue_by_severity[Severity.HIGH]) == (1, 1)

    excepted(stores, 1, until=day(9))
    assert tracker.search(late, now=day(5)).total == 0
    assert tracker.overview(day(5)).overdue == 0


def test_searching(stores: Stores) -> None:
    report(
        stores,
        1,
        a_finding(1, severity=Severity.LOW),
        a_finding(2, severity=Severity.CRITICAL, region="us-east-1"),
        a_finding(3, account_id="210987654321"),
        a_finding(4, check_id="100%_open", title="Über_all"),
    )

    def found(*words: str) -> list[str]:
        return [each.finding.id for each in stores.tracker.search(parse_query(words), now=NOW).items]

    assert found() == ["scanner-2", *sorted(found("severity:high"), key=found().index), "scanner-1"]
    assert found("severity:critical,low") == ["scanner-2", "scanner-1"]
    assert found("account:210987654321") == ["scanner-3"]
    assert found("region:US-EAST-1") == ["scanner-2"]
    assert found("check:100%_OPEN") == ["scanner-4"]
    assert found("0%_o") == ["scanner-4"]
    assert found(a_finding(3, account_id="210987654321").handle) == ["scanner-3"]
    assert found("status:fixed") == []
    pages = [stores.tracker.search(parse_query([]), now=NOW, offset=start, limit=3) for start in (0, 3, 6)]
    assert [(len(page.items), page.total) for page in pages] == [(3, 4), (1, 4), (0, 4)]


def fixed(stores: Stores, number: int = 1, *, on: int = 5) -> bool:
    return stores.tracker.mark_fixed(
        a_finding(number).fingerprint,
        execution_id="exec-1",
        evidence={"observed": {"BlockPublicAcls": True}},
        at=day(on),
        actor=WORKER,
    )


def kinds(stores: Stores) -> list[str]:
    return [json.loads(entry.body)["kind"] for entry in stores.trail.stream()]


def test_a_fix_of_ours_closes_with_evidence_on_the_trail_and_once(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    assert fixed(stores)
    assert not fixed(stores)
    assert not fixed(stores, 9)

    done = stores.tracker.track(a_finding(1).handle, now=NOW)
    assert (done.state, done.fixed_at, done.fixed_by) == (LifecycleState.FIXED, day(5), "exec-1")
    assert done.evidence == {"observed": {"BlockPublicAcls": True}}
    assert kinds(stores) == ["report.ingested", "finding.fixed"]


def test_no_trail_no_fix(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    with pytest.raises(TrailError):
        stores.tracker.mark_fixed(
            a_finding(1).fingerprint, execution_id="x", evidence={"at": 1.5}, at=day(5), actor=WORKER
        )
    assert states(stores) == {"scanner-1": "new"}


def test_a_fix_that_was_taken_back_is_open_as_before(stores: Stores) -> None:
    report(stores, 1, a_finding(1))
    fixed(stores)
    undo = {"execution_id": "exec-1", "at": day(6), "actor": WORKER}
    fingerprint = a_finding(1).fingerprint
    assert not stores.tracker.mark_open(fingerprint, **{**undo, "execution_id": "exec-2"})
    assert stores.tracker.mark_open(fingerprint, **undo)
    assert not stores.tracker.mark_open(fingerprint, **undo)
    assert states(stores) == {"scanner-1": "new"}
    assert one(stores).opened_at == day(1)
    assert kinds(stores)[-1] == "finding.reopened"


def test_a_later_report_makes_our_fix_a_regression_and_an_earlier_one_does_not(stores: Stores) -> None:
    stores.executions.create(an_execution("exec-1"), an_event())
    report(stores, 1, a_finding(1))
    fixed(stores)
    report(stores, 4, a_finding(1))
    # A scanner that repeats what it saw before the fix.
    report(stores, 6, a_finding(1, observed_at=day(4)))
    assert states(stores) == {"scanner-1": "fixed"}

    report_id = report(stores, 7, a_finding(1, observed_at=day(7)))
    back = stores.tracker.track(a_finding(1).handle, now=NOW)
    assert (back.state, back.regressed_at, back.regressed_from) == (
        LifecycleState.REGRESSED,
        day(7),
        "exec-1",
    )
    last = json.loads(list(stores.trail.stream())[-1].body)
    assert (last["kind"], last["subject"], last["detail"]["report_id"]) == (
        "finding.regressed",
        "exec-1",
        report_id,
    )


def test_the_news_since_we_looked_last(stores: Stores) -> None:
    news = {LifecycleState.NEW, LifecycleState.FIXED}
    report(stores, 1, a_finding(1), a_finding(2))
    assert len(stores.tracker.newly(news, NOW - timedelta(seconds=1), now=NOW)) == 2
    late = NOW + timedelta(hours=1)
    assert stores.tracker.newly(news, late, now=late) == []
    # Read late, and news all the same.
    reading = replace(a_reading([a_finding(2)], content="b", generated_at=day(2)), source="Prowler CSV")
    stores.reports.ingest(reading, actor=ANALYST, now=late + timedelta(hours=1))
    found = stores.tracker.newly(news, late, now=late + timedelta(hours=2))
    assert [(each.finding.id, each.state) for each in found] == [("scanner-1", LifecycleState.FIXED)]


def test_a_finding_that_is_listed_twice_is_compared_by_its_worst_listing(stores: Stores) -> None:
    first = report(stores, 1, a_finding(9))
    low, worst = a_finding(1, severity=Severity.LOW), a_finding(1, severity=Severity.CRITICAL)
    second = report(stores, 2, low, a_finding(2), worst, a_finding(3))
    found = stores.tracker.compare(first, second, limit=1)
    assert found.new.count == 3
    assert found.new.worst == (worst,)
    rest = stores.tracker.compare(first, second, limit=9).new.worst
    assert [(each.id, each.severity) for each in rest] == [
        ("scanner-1", Severity.CRITICAL),
        ("scanner-2", Severity.HIGH),
        ("scanner-3", Severity.HIGH),
    ]


def test_news_are_counted_beyond_what_is_listed(stores: Stores) -> None:
    severe = [a_finding(number, severity=Severity.CRITICAL) for number in range(60)]
    report(stores, 1, *severe, a_finding(61), a_finding(62, status=PASS))
    tracker, since = stores.tracker, NOW - timedelta(seconds=1)
    news = {LifecycleState.NEW, LifecycleState.REGRESSED}
    assert len(tracker.newly(news, since, now=NOW, limit=10)) == 10
    assert tracker.count_newly(news, since, now=NOW, severity=Severity.CRITICAL) == 60
    assert tracker.count_newly(news, since, now=NOW, severity=Severity.LOW) == 0
    assert tracker.count_newly(news, NOW + timedelta(hours=1), now=NOW, severity=Severity.CRITICAL) == 0
    assert tracker.count_newly(set(), since, now=NOW, severity=Severity.CRITICAL) == 0


def test_comparing_two_reports(stores: Stores) -> None:
    elsewhere = a_finding(7, account_id="210987654321", severity=Severity.LOW)
    report(stores, 1, a_finding(6))
    first = report(stores, 2, *map(a_finding, (1, 2, 3)), a_finding(6, status=PASS), elsewhere)
    second = report(
        stores, 3, a_finding(2), a_finding(3, muted=True), a_finding(4), a_finding(5), a_finding(6)
    )
    found = stores.tracker.compare(first, second, limit=1)

    assert (found.before.report_id, found.after.report_id) == (first, second)
    portions = (found.new, found.regressed, found.still_open, found.fixed, found.unseen)
    assert [portion.count for portion in portions] == [2, 1, 1, 1, 2]
    assert [each.id for each in found.regressed.worst] == ["scanner-6"]
    assert [each.id for each in found.fixed.worst] == ["scanner-1"]
    assert len(found.new.worst) == 1
    with pytest.raises(NotFoundError):
        stores.tracker.compare(first, "r-unknown")


def test_the_trend_of_one_scanner_and_account(stores: Stores) -> None:
    report(stores, 1, a_finding(1), a_finding(2), a_finding(9, status=PASS, check_id="other"))
    report(stores, 2, a_finding(8), source="CloudSploit JSON")
    report(stores, 3, a_finding(2), a_finding(9, status=PASS, check_id="other"))
    report(stores, 4, a_finding(3, account_id="210987654321"))
    last = report(stores, 5, a_finding(9, status=PASS, check_id="other"), a_finding(2, status=PASS))

    points = stores.tracker.trend(report_id=last)
    assert [point.at for point in points] == [day(1), day(3), day(5)]
    assert [point.failing[Severity.HIGH] for point in points] == [2, 1, 0]
    assert [point.score for point in points] == [50.0, 50.0, 100.0]
    assert [point.mean_time_to_fix for point in points] == [None, timedelta(days=2), timedelta(days=4)]
    assert [point.at for point in stores.tracker.trend(2, report_id=last)] == [day(3), day(5)]


def test_the_newest_report_of_each_row(stores: Stores) -> None:
    passed = a_finding(9, status=PASS, check_id="other")
    report(stores, -40, *map(a_finding, (1, 2, 3, 4)), source="ScoutSuite")
    report(stores, 1, *map(a_finding, (1, 2, 3)), passed)
    report(stores, 2, a_finding(1), a_finding(2), passed, source="Prowler CSV")
    part = report(stores, 3, a_finding(1), is_complete=False)
    small = report(stores, 3, a_finding(8), source="CloudSploit JSON")
    other = report(stores, 4, a_finding(3, account_id="210987654321"))

    rows = [
        (row.scanner, row.account_id, row.report_id, row.most_findings, row.score)
        for row in stores.tracker.rows()
    ]
    account = a_finding(1).account_id
    assert rows == [
        ("Prowler", account, part, 4, None),
        ("Prowler", "210987654321", other, 1, None),
        ("CloudSploit JSON", account, small, 1, None),
    ]


def test_without_reports_there_is_no_row(stores: Stores) -> None:
    assert stores.tracker.rows() == []


def test_some_accounts_alone(stores: Stores) -> None:
    critical = a_finding(3, account_id="2", severity=Severity.CRITICAL)
    report(stores, 1, a_finding(1, account_id="1"), a_finding(2, account_id="2"), critical)
    tracker, new = stores.tracker, {LifecycleState.NEW}
    assert tracker.overview(day(2)).open == 3
    assert tracker.overview(day(2), accounts=["2"]).open == 2
    assert tracker.overview(day(2), accounts=["1", "2"]).open == 3
    since = day(0)
    found = tracker.newly(new, since, now=day(2), accounts=["2"])
    assert [tracked.finding.id for tracked in found] == ["scanner-3", "scanner-2"]
    assert tracker.count_newly(new, since, now=day(2), severity=Severity.CRITICAL, accounts=["1"]) == 0
    assert tracker.count_newly(new, since, now=day(2), severity=Severity.CRITICAL, accounts=["2"]) == 1
