"""What gets a row in the PDF, and what is only counted."""

from audit.findings import Finding, FindingDict, Severity
from audit.report import ReportHeader, Tally
from exporters.brand import Brand
from exporters.pdf_body import MOST_FINDINGS, MOST_SETTLED, Body, Part
from exporters.pdf_document import MOST_CONTENTS, Json, document
from exporters.source import ReportSource
from tests.unit.exporters.pdf_pages import pdf_of
from tests.unit.exporters.samples import NOW, finding


def record(number: int = 1, **changes: object) -> FindingDict:
    return Finding.from_dict(finding(id=f"F-{number}", resource=f"r-{number}", **changes)).to_dict()


def filled(body: Body, *records: FindingDict) -> Body:
    for entry in records:
        body.place(body.shape(entry))
    return body


def document_of(body: Body) -> Json:
    header = ReportHeader(
        report_id="r", source="test", name="audit", generated_at=NOW, summary=Tally().summary()
    )
    source = ReportSource(header, lambda: iter(()))
    return document(source, body, brand=Brand(), left_out=[], now=NOW)


def test_the_most_severe_are_kept_and_the_rest_counted() -> None:
    severities = ["CRITICAL", "HIGH", "HIGH", "HIGH", "LOW"]
    records = [record(number, severity=severity) for number, severity in enumerate(severities)]
    body = filled(Body(most_findings=3), *records)
    assert body.shown == 3
    assert [check.severity for check in body.checks(Part.FAILING)] == [Severity.CRITICAL, Severity.HIGH]
    assert body.hidden == {Severity.HIGH: 1, Severity.LOW: 1}
    assert document_of(body)["notice"] == (
        "This document lists the 3 most severe of 5 findings that fail or need review. Not listed: 1 high and 1 low. "
        "The counts include them; the HTML, CSV and JSON exports list them all."
    )


def test_passed_and_muted_take_no_room() -> None:
    settled = [record(number, status="PASS") for number in range(5)] + [record(9, muted=True)]
    body = filled(Body(most_findings=1), *settled, record())
    assert (body.shown, body.hidden.total()) == (1, 0)
    assert document_of(body)["notice"] == ""
    assert document_of(body)["settled"] == [["Bucket is public", "5", "1"]]


def test_long_texts_have_a_limit_of_their_own() -> None:
    records = [record(number, title=f"T{number}", description="x" * 3_000) for number in range(9)]
    body = filled(Body(most_characters=10_000), *records)
    assert (body.shown, body.hidden.total()) == (4, 5)


def test_beyond_the_limit_nothing_is_shown_again_even_if_it_were_short() -> None:
    body = filled(Body(most_characters=100), record(1, description="x" * 200), record(2), record(3))
    assert (body.shown, body.hidden.total()) == (1, 2)


def test_a_check_that_is_named_again_later_goes_on_where_it_was() -> None:
    first, other = record(1, check_id="a"), record(2, check_id="b")
    body = filled(Body(), first, other, record(3, check_id="a"))
    assert [len(check.rows) for check in body.checks(Part.FAILING)] == [2, 1]


def test_the_contents_name_the_first_checks_and_count_the_others() -> None:
    records = [record(number, check_id=f"c-{number}") for number in range(MOST_CONTENTS + 3)]
    content = document_of(filled(Body(), *records))
    assert content["contents_rest"] == "and 3 more checks"


def test_settled_checks_beyond_the_first_are_counted() -> None:
    records = [record(number, check_id=f"c-{number}", status="PASS") for number in range(MOST_SETTLED + 2)]
    content = document_of(filled(Body(), *records))
    assert content["settled_rest"] == "and 2 more findings of other checks"


def test_the_note_stands_in_the_document() -> None:
    records = [record(number, check_id="c") for number in range(MOST_FINDINGS + 2)]
    header = ReportHeader(
        report_id="r", source="test", name="audit", generated_at=NOW, summary=Tally().summary()
    )
    pdf = pdf_of(ReportSource(header, lambda: iter(records)))
    note = "This document lists the 5,000 most severe of 5,002 findings"
    assert sum(note in " ".join(page.split()) for page in pdf.pages) == 2
    assert "r-4999" in pdf.text
    assert "r-5000" not in pdf.text
    assert pdf.written.findings == MOST_FINDINGS + 2
