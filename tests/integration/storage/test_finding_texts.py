"""Texts that findings share are stored once, and nobody who reads findings notices."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from audit.finding_query import parse_query
from audit.findings import Finding
from audit.ingest import Item
from audit.ingest.shared_texts import MOST_TEXTS
from audit.report import ReportHeader
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading

LONG = "What the check is about. " * 20
ADVICE = "What to do about it. " * 20


def stored(stores: Stores, *items: Item, content: str = "a report") -> ReportHeader:
    return stores.reports.ingest(a_reading(items, content=content), actor=ANALYST, now=NOW).header


def count(stores: Stores, statement: str) -> int:
    with stores.database.reading() as session:
        return int(session.connection().execute(text(statement)).scalar_one())


def wordy(number: int, **changes: object) -> Finding:
    return a_finding(number, description=LONG, remediation=ADVICE, **changes)


def test_what_findings_say_alike_is_stored_once(stores: Stores) -> None:
    findings = [wordy(1), wordy(2), a_finding(3, description=LONG), a_finding(4, compliance={})]
    header = stored(stores, *findings)

    assert count(stores, "SELECT count(*) FROM finding_texts") == 2
    assert count(stores, "SELECT count(*) FROM findings WHERE texts_number IS NULL") == 1
    bare = "SELECT max(length(body)) FROM findings WHERE texts_number IS NOT NULL"
    assert count(stores, bare) < len(LONG)
    assert list(stores.reports.stream_findings(header.report_id)) == [each.to_record() for each in findings]
    assert [list(each) for each in stores.reports.stream_findings(header.report_id)] == [
        list(each.to_record()) for each in findings
    ]


def test_every_way_to_a_finding_gives_all_of_it(stores: Stores) -> None:
    one, two = wordy(1), wordy(2)
    before = stored(stores, one, two)
    after = stored(stores, two, content="another").report_id

    assert stores.reports.find(one.handle) == one
    assert two in stores.reports.search("bucket")
    assert stores.tracker.track(two.handle, now=NOW).finding == two
    found = stores.tracker.search(parse_query(["status:all"]), now=NOW + timedelta(days=1)).items
    assert {each.finding.handle: each.finding for each in found} == {one.handle: one, two.handle: two}
    compared = stores.tracker.compare(before.report_id, after)
    assert compared.still_open.worst == (two,)


def test_texts_that_never_repeat_stay_with_their_findings(stores: Stores) -> None:
    findings = [a_finding(number, description=f"{number} {LONG}") for number in range(MOST_TEXTS + 5)]
    header = stored(stores, *findings)

    assert count(stores, "SELECT count(*) FROM finding_texts") == MOST_TEXTS
    assert count(stores, "SELECT count(*) FROM findings WHERE texts_number IS NULL") == 5
    streamed = {record["id"]: record for record in stores.reports.stream_findings(header.report_id)}
    assert streamed == {each.id: each.to_record() for each in findings}


def test_findings_of_before_keep_what_they_say(stores: Stores) -> None:
    header = stored(stores, wordy(1))
    with stores.database.writing() as session:
        whole = wordy(1).to_json(wordy(1).handle)
        session.connection().execute(
            text("UPDATE findings SET texts_number = NULL, body = :body"), {"body": whole}
        )
    assert next(stores.reports.stream_findings(header.report_id)) == wordy(1).to_record()


@pytest.mark.parametrize("bad", ["half a pair: \ud83d" * 20])
def test_a_text_that_is_no_unicode_is_rejected(stores: Stores, bad: str) -> None:
    header = stored(stores, wordy(1), a_finding(2, description=bad), wordy(3))
    assert header.summary["total_findings"] == 2
    assert header.rejected == ("finding 2: its text is not valid Unicode",)


def test_a_report_that_fails_takes_its_texts_along(stores: Stores) -> None:
    def torn() -> object:
        yield from (wordy(number) for number in range(2500))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stores.reports.ingest(a_reading(torn()), actor=ANALYST, now=NOW)  # type: ignore[arg-type]
    for table in ("reports", "findings", "finding_texts"):
        assert count(stores, f"SELECT count(*) FROM {table}") == 0  # noqa: S608
