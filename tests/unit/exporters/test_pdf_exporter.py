"""The PDF as its readers get it: read back by poppler, word for word and page for page."""

import struct
import zlib
from datetime import timedelta

import pytest

from exporters.brand import Brand
from exporters.source import ReportSource
from tests.unit.exporters.pdf_pages import Pdf, pdf_of, squeezed
from tests.unit.exporters.samples import NOW, finding, report, twenty_one_malformed

PAGE_WIDTH, MARGIN = 595.3, 62.3
ARN = (
    "arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/"
    "AWSServiceRoleForElasticLoadBalancingInAVeryLongAccount_2026.11.24"
)


@pytest.fixture(scope="module")
def sample() -> Pdf:
    return pdf_of(report())


@pytest.fixture(scope="module")
def long_report() -> Pdf:
    """Return five checks of forty resources each."""
    findings = [
        finding(
            id=f"F-{check}-{number}",
            title=f"Setting {check} is wrong",
            check_id=f"check_{check}",
            severity=("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")[check],
            resource=f"arn:aws:s3:::northwind-{check}-{number}",
            description="Why it matters. " * 20,
            account_id="123456789012",
            region="eu-west-1",
        )
        for check in range(5)
        for number in range(40)
    ]
    return pdf_of({"findings": findings})


def test_every_text_of_a_failing_finding_is_there(sample: Pdf) -> None:
    findings = report()["findings"]
    assert isinstance(findings, list)
    for record in findings:
        if record["status"] == "FAIL" and not record.get("muted"):
            for field in (
                "title",
                "resource",
                "description",
                "remediation",
                "category",
                "evidence",
                "check_id",
            ):
                assert squeezed(record.get(field, "")) in sample.text


def test_the_cover_says_whose_report_it_is_and_how_things_stand(sample: Pdf) -> None:
    cover = sample.pages[0]
    for said in (
        "Countersign",
        "Northwind production",
        "123456789012",
        "24 November 2026, 08:00 UTC",
        "Act now",
    ):
        assert said in cover
    assert squeezed("33.3 of 100") in squeezed(cover)
    for word in ("Critical", "High", "Medium", "Low", "Info"):
        assert word in cover


def test_the_contents_name_the_right_pages(long_report: Pdf) -> None:
    contents = long_report.contents
    assert [name for name, _ in contents if name.startswith("Setting")] == [
        f"Setting {check} is wrong" for check in range(5)
    ]
    assert len({page for _, page in contents}) > 4
    for name, page in contents:
        lines = [line.strip() for line in long_report.pages[page - 1].splitlines()]
        assert name in lines, f"{name} is not on page {page}"


def test_the_fixes_point_to_the_pages_of_their_checks(long_report: Pdf) -> None:
    summary = long_report.pages[2]
    for name, page in long_report.contents:
        if name.startswith("Setting"):
            assert f"{name} 40 resources page {page}" in " ".join(summary.split())


def test_a_table_says_on_every_page_what_it_is_about(long_report: Pdf) -> None:
    pages = [page for page in long_report.pages if "arn:aws:s3" in page]
    assert len(pages) > 5
    for page in pages:
        before, _, _ = page.partition("arn:aws:s3")
        assert "Resource" in before
        assert "Setting" in before


def test_every_page_but_the_cover_has_its_number(long_report: Pdf) -> None:
    count = len(long_report.pages)
    assert int(long_report.info["Pages"]) == count
    assert 8 <= count <= 20
    assert "Page 1 of" not in long_report.pages[0]
    for number, page in enumerate(long_report.pages[1:], start=2):
        assert f"Page {number} of {count}" in page


def test_it_is_tagged_for_screen_readers(sample: Pdf) -> None:
    assert sample.info["Tagged"] == "yes"
    assert sample.claims_pdf_ua
    assert b"/Lang(en-GB)" in sample.content
    assert {"TOC", "H1", "H2", "H3", "Table", "TH", "TD", "Link"} <= set(sample.structure)


def test_its_properties_name_it(sample: Pdf) -> None:
    assert sample.info["Title"] == "Northwind production"
    assert sample.info["Author"] == "Countersign"
    assert sample.info["CreationDate"].endswith("24 09:30:00 2026 UTC")


def test_what_is_not_failing_stands_apart(sample: Pdf) -> None:
    findings, _, rest = (
        sample.text.partition("Forreview")[2]
        .partition("Findings")[2]
        .partition("Thescannercannotdecidethese")
    )
    review, _, settled = rest.partition("Passedandmuted")
    assert squeezed("Bucket is open to the public") in findings
    assert squeezed("Root account has no second factor") not in findings
    assert squeezed("Root account has no second factor") in review
    assert squeezed("Key is not rotated") in settled
    assert squeezed("Trail validates its log files") in settled


def test_the_compliance_matrix_is_there(sample: Pdf) -> None:
    page = " ".join(sample.pages[2].split())
    assert "CIS-1.5 33.3% 1 of 3 2 Fail" in page
    assert "PCI-4.0 0% 0 of 2 2 Fail" in page


def test_long_names_wrap_and_can_be_copied(sample: Pdf) -> None:
    pdf = pdf_of(
        {"findings": [finding(resource=ARN, account_id="x" * 64, region="us-gov-east-1", evidence=ARN)]}
    )
    assert pdf.furthest_right <= PAGE_WIDTH - MARGIN + 1
    assert pdf.text.count(ARN) == 2
    assert sample.furthest_right <= PAGE_WIDTH - MARGIN + 1


def test_the_same_input_and_clock_give_the_same_bytes(sample: Pdf) -> None:
    assert pdf_of(report()).content == sample.content
    assert pdf_of(report(), now=NOW + timedelta(minutes=1)).content != sample.content


def test_no_findings_give_a_valid_document() -> None:
    pdf = pdf_of({"findings": []})
    assert "Nothing reported" in pdf.pages[0]
    assert "No failing finding." in pdf.pages[-1]
    assert pdf.claims_pdf_ua


def test_a_malformed_finding_costs_only_itself() -> None:
    pdf = pdf_of(twenty_one_malformed())
    assert "19 resources" in " ".join(pdf.pages[3].split())
    assert squeezed("finding 6: ") in pdf.text.partition("Leftout")[2]


def test_a_malformed_record_of_a_store_is_counted_and_named() -> None:
    whole = ReportSource.from_data(report(), now=NOW)
    broken = [*whole.records(), finding(severity="AWFUL"), finding(status="MAYBE"), {"title": "nothing else"}]
    pdf = pdf_of(ReportSource(whole.header, lambda: iter(broken)))  # type: ignore[arg-type]
    assert (pdf.written.findings, pdf.written.rejected) == (6, 3)
    assert pdf.text.partition("Leftout")[2].count("finding") >= 3


def test_texts_that_differ_from_their_check_stand_in_the_row() -> None:
    pdf = pdf_of({"findings": [finding(), finding(id="F-2", description="Only its owner can read it.")]})
    assert pdf.text.count(squeezed("Anyone can read it.")) == 1
    assert pdf.text.count(squeezed("Only its owner can read it.")) == 1


def test_a_brand_names_and_dresses_it() -> None:
    pdf = pdf_of(report(), brand=Brand(name="Northwind Traders", colour="#0a7a4b", logo=png()))
    assert "Northwind Traders" in pdf.pages[0]
    assert pdf.info["Author"] == "Northwind Traders"
    assert b"/Subtype/Image" in pdf.content.replace(b" ", b"")


def png() -> bytes:
    """Return a picture of one pixel."""
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0\x0a\x7a\x4b")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
