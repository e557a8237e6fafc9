"""What every `ReportStore` does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import InputError, NotFoundError
from audit.findings import Finding, FindingStatus, Severity
from audit.ingest import Item, Reading, Rejected
from audit.report import ReportHeader
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
LATER = NOW + timedelta(days=1)


def ingested(stores: AnyStores, *items: Item, content: str = "a report", days_old: int = 0) -> ReportHeader:
    reading = a_reading(items, content=content, generated_at=NOW - timedelta(days=days_old))
    return stores.reports.ingest(reading, actor=ANALYST, now=NOW).header


def torn(*items: Item) -> Iterator[Item]:
    yield from items
    raise InputError("the file ends in the middle")


def twins(digits: int) -> tuple[Finding, Finding]:
    """Return two findings whose fingerprints begin with the same digits."""
    seen: dict[str, Finding] = {}
    for number in range(10**6):
        finding = a_finding(number)
        if other := seen.get(finding.fingerprint[:digits]):
            return other, finding
        seen[finding.fingerprint[:digits]] = finding
    raise AssertionError


def test_a_report_is_summed_up(stores: AnyStores) -> None:
    failing = [a_finding(1), a_finding(2, severity=Severity.CRITICAL)]
    passing = a_finding(3, status=FindingStatus.PASS, check_id="other", compliance={"CIS-3.0": ("9.9",)})
    header = ingested(stores, *failing, passing, Rejected(4, "a finding needs a title"))

    assert header.source == "prowler-ocsf"
    assert header.name == "scan.json"
    assert header.generated_at == NOW
    assert header.summary["total_findings"] == 3
    assert (header.summary["critical"], header.summary["high"], header.summary["passed"]) == (1, 1, 1)
    assert header.summary["security_score"] == 50.0
    assert header.compliance["CIS-3.0"]["total_controls"] == 2
    assert [advice["resources"] for advice in header.recommendations] == [2]
    assert header.rejected == ("finding 4: a finding needs a title",)
    assert stores.reports.header(header.report_id) == header


def test_the_newest_of_an_account(stores: AnyStores) -> None:
    old = ingested(stores, a_finding(1, account_id="1"), content="old", days_old=2)
    mine = ingested(stores, a_finding(1, account_id="1"), content="mine", days_old=1)
    other = ingested(stores, a_finding(1, account_id="2"), content="other")
    assert stores.reports.header() == other
    assert stores.reports.header(account="1") == mine
    assert stores.reports.header(old.report_id, account="1") == old
    with pytest.raises(NotFoundError):
        stores.reports.header(account="3")


def test_the_id_comes_from_the_content(stores: AnyStores) -> None:
    reading = a_reading()
    header = stores.reports.ingest(reading, actor=ANALYST, now=NOW).header
    assert header.report_id == f"r-{reading.content_sha256[:10]}"


def test_the_same_bytes_twice_are_one_report(stores: AnyStores) -> None:
    first = stores.reports.ingest(a_reading(), actor=ANALYST, now=NOW)
    entries = list(stores.trail.stream())
    again = stores.reports.ingest(a_reading([a_finding(7)]), actor=ANALYST, now=LATER)

    assert (first.is_new, again.is_new) == (True, False)
    assert again.header == first.header
    assert stores.reports.list_reports() == [first.header]
    assert list(stores.trail.stream()) == entries


def test_a_file_that_is_here_is_not_read_again(stores: AnyStores) -> None:
    first = stores.reports.ingest(a_reading(), actor=ANALYST, now=NOW)
    assert (
        stores.reports.ingest(replace(a_reading(), items=torn()), actor=ANALYST, now=NOW).header
        == first.header
    )


def test_the_trail_tells_which_file_was_read(stores: AnyStores) -> None:
    header = ingested(stores, a_finding(1), a_finding(2, muted=True), Rejected(3, "no title"))

    head = stores.trail.head()
    assert head is not None
    event = json.loads(head.body)
    assert (event["kind"], event["subject"]) == ("report.ingested", header.report_id)
    assert event["actor"]["email"] == "analyst@example.com"
    counts = event["detail"].pop("counts")
    assert (counts["findings"], counts["high"], counts["muted"], counts["rejected"]) == (2, 1, 1, 1)
    assert event["detail"] == {
        "report_id": header.report_id,
        "name": "scan.json",
        "source": "prowler-ocsf",
        "content_sha256": a_reading().content_sha256,
    }


def test_a_file_that_fails_half_way_leaves_nothing(stores: AnyStores) -> None:
    reading = replace(a_reading(), items=torn(a_finding(1)))
    with pytest.raises(InputError, match="in the middle"):
        stores.reports.ingest(reading, actor=ANALYST, now=NOW)

    assert stores.reports.list_reports() == []
    assert stores.trail.head() is None
    with pytest.raises(NotFoundError):
        stores.reports.find("scanner-1")


def test_a_file_that_failed_can_be_read_again(stores: AnyStores) -> None:
    with pytest.raises(InputError):
        stores.reports.ingest(replace(a_reading(), items=torn()), actor=ANALYST, now=NOW)
    assert stores.reports.ingest(a_reading(), actor=ANALYST, now=NOW).is_new


def test_a_file_without_findings_is_refused_because_it_would_say_that_all_is_well(stores: AnyStores) -> None:
    reading: Reading = replace(a_reading(), items=iter(()))
    with pytest.raises(InputError, match="no findings in it"):
        stores.reports.ingest(reading, actor=ANALYST, now=NOW)
    assert stores.reports.list_reports() == []


def test_a_file_with_unusable_findings_only_is_refused(stores: AnyStores) -> None:
    with pytest.raises(InputError, match="none of its findings can be used; finding 1: no title"):
        ingested(stores, Rejected(1, "no title"), Rejected(2, "no id"))
    assert stores.reports.list_reports() == []


def test_a_file_without_a_time_gets_the_time_of_reading(stores: AnyStores) -> None:
    reading = a_reading(generated_at=None)
    assert stores.reports.ingest(reading, actor=ANALYST, now=LATER).header.generated_at == LATER


def test_reports_are_listed_newest_first(stores: AnyStores) -> None:
    headers = [ingested(stores, content=f"report {days}", days_old=days) for days in (1, 0, 2)]

    assert stores.reports.list_reports() == [headers[1], headers[0], headers[2]]
    assert stores.reports.list_reports(limit=1) == [headers[1]]
    assert stores.reports.header() == headers[1]


def test_reports_stay_when_later_ones_come(stores: AnyStores) -> None:
    header = ingested(stores, a_finding())
    stores.reports.ingest(a_reading(content="later", generated_at=LATER), actor=ANALYST, now=LATER)
    assert len(stores.reports.list_reports()) == 2
    assert list(stores.reports.stream_findings(header.report_id)) == [a_finding().to_record()]


def test_of_two_reports_of_one_time_the_later_read_is_the_newest(stores: AnyStores) -> None:
    ingested(stores, content="first")
    second = ingested(stores, content="second")
    assert stores.reports.header() == second


def test_a_clock_that_runs_ahead_does_not_stay_newest_for_ever(stores: AnyStores) -> None:
    ingested(stores, content="from the future", days_old=-365)
    today = a_reading(content="of today", generated_at=LATER)
    assert stores.reports.ingest(today, actor=ANALYST, now=LATER).header == stores.reports.header()


def test_a_report_is_found_by_the_beginning_of_its_id(stores: AnyStores) -> None:
    header = ingested(stores)
    assert stores.reports.header(header.report_id[:5].upper()) == header
    assert next(stores.reports.stream_findings(header.report_id[:5])) == a_finding().to_record()


@pytest.mark.parametrize("name", ["latest", "r-1234567890", "%", "r_"])
def test_no_report_goes_by_that_name(stores: AnyStores, name: str) -> None:
    if name != "latest":
        ingested(stores)
    with pytest.raises(NotFoundError):
        stores.reports.header(name)
    with pytest.raises(NotFoundError):
        stores.reports.stream_findings(name)


def test_an_ambiguous_report_names_the_candidates(stores: AnyStores) -> None:
    names = {ingested(stores, content=f"report {number}").report_id for number in range(2)}
    with pytest.raises(NotFoundError) as caught:
        stores.reports.header("r-")
    assert all(name in str(caught.value) for name in names)


def test_findings_come_worst_first_then_by_check_then_as_in_the_file(stores: AnyStores) -> None:
    order = [
        a_finding(1, severity=Severity.LOW),
        a_finding(2, check_id="b"),
        a_finding(3, check_id="a"),
        a_finding(4, severity=Severity.CRITICAL, check_id="z"),
        a_finding(5, check_id="b"),
    ]
    header = ingested(stores, *order)
    streamed = stores.reports.stream_findings(header.report_id)
    assert [record["id"] for record in streamed] == [f"scanner-{number}" for number in (4, 3, 2, 5, 1)]


def test_more_findings_than_any_batch_come_once_each(stores: AnyStores) -> None:
    header = ingested(
        stores, *(a_finding(number, severity=list(Severity)[number % 5]) for number in range(2503))
    )

    records = list(stores.reports.stream_findings(header.report_id))
    assert {record["id"] for record in records} == {f"scanner-{number}" for number in range(2503)}
    assert len(records) == 2503


def test_findings_come_back_as_they_were(stores: AnyStores) -> None:
    odd = a_finding(observed_at=NOW, evidence="\U0001f512 “quoted” | ', -- \n", muted=True)
    header = ingested(stores, odd)

    assert list(stores.reports.stream_findings(header.report_id)) == [odd.to_record()]
    assert stores.reports.find(odd.handle) == odd


def test_a_stream_left_early_is_in_nobodys_way(stores: AnyStores) -> None:
    header = ingested(stores, *(a_finding(number) for number in range(1200)))
    stream = stores.reports.stream_findings(header.report_id)
    next(stream)

    assert ingested(stores, content="another").report_id != header.report_id
    assert len(list(stream)) == 1199


def test_a_finding_goes_by_four_names(stores: AnyStores) -> None:
    finding = a_finding()
    ingested(stores, finding, a_finding(2))
    names = (
        finding.handle,
        finding.handle.upper(),
        finding.handle[:6],
        finding.fingerprint,
        finding.id,
        f" {finding.id} ",
    )
    assert [stores.reports.find(name) for name in names] == [finding] * len(names)


@pytest.mark.parametrize("name", ["f-abc", "f-0000", "scanner", "SCANNER-1", "", "%", "f-____"])
def test_no_finding_goes_by_that_name(stores: AnyStores, name: str) -> None:
    ingested(stores)
    with pytest.raises(NotFoundError):
        stores.reports.find(name)


def test_the_newest_report_that_knows_the_finding_answers(stores: AnyStores) -> None:
    ingested(stores, a_finding(1, evidence="new"), content="new")
    ingested(stores, a_finding(1, evidence="old"), a_finding(2), content="old", days_old=3)

    assert stores.reports.find("scanner-1").evidence == "new"
    assert stores.reports.find(a_finding(1).handle).evidence == "new"
    assert stores.reports.find("scanner-2") == a_finding(2)


def test_an_ambiguous_handle_lists_the_candidates(stores: AnyStores) -> None:
    first, second = twins(digits=4)
    ingested(stores, first, second)
    with pytest.raises(NotFoundError) as caught:
        stores.reports.find(f"f-{first.fingerprint[:4]}")
    for finding in (first, second):
        assert f"{finding.handle} {finding.title}" in str(caught.value)
    assert stores.reports.find(first.handle) == first


def test_an_ambiguous_scanner_id_lists_five_candidates(stores: AnyStores) -> None:
    ingested(stores, *(a_finding(number, id="same") for number in range(8)))
    with pytest.raises(NotFoundError) as caught:
        stores.reports.find("same")
    assert str(caught.value).count("is public") == 5


def test_a_finding_listed_twice_is_not_ambiguous(stores: AnyStores) -> None:
    ingested(stores, a_finding(1), a_finding(1, evidence="again"))
    assert stores.reports.find("scanner-1") == a_finding(1)


@pytest.mark.parametrize("text", ["BUCKET 2", "s3_Public", "public-data-2", "handle"])
def test_search_reads_title_check_resource_and_handle(stores: AnyStores, text: str) -> None:
    wanted = a_finding(2, check_id="s3_public")
    ingested(stores, a_finding(1), wanted)
    assert stores.reports.search(wanted.handle if text == "handle" else text) == [wanted]


def test_search_shows_what_is_open_in_the_newest_report_worst_first(stores: AnyStores) -> None:
    ingested(stores, a_finding(9), content="old", days_old=1)
    worst = a_finding(3, severity=Severity.CRITICAL)
    ingested(
        stores,
        a_finding(1),
        worst,
        a_finding(4, status=FindingStatus.PASS),
        a_finding(5, muted=True),
        a_finding(6, status=FindingStatus.MANUAL),
    )
    assert stores.reports.search("bucket") == [worst, a_finding(1)]
    assert stores.reports.search("bucket", limit=1) == [worst]


@pytest.mark.parametrize("text", ["%", "_____", "nothing like it"])
def test_search_takes_words_literally(stores: AnyStores, text: str) -> None:
    assert stores.reports.search(text) == []
    ingested(stores, a_finding(check_id="x"))
    assert stores.reports.search(text) == []
