from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from audit.errors import ConfigError
from exporters import Brand, HTMLExporter
from exporters.executive_writer import write_executive
from exporters.mail_writer import LARGEST_MAIL
from exporters.source import ReportSource
from tests.unit.exporters.samples import NOW, Page, finding, report

REPORT_URL, DASHBOARD_URL = (
    "https://countersign.example.com/reports/7?x=1&y=2",
    "https://countersign.example.com/",
)


def exporter(**options: str) -> HTMLExporter:
    return HTMLExporter(clock=lambda: NOW, **options)  # type: ignore[arg-type]


def mail(folder: Path, data: dict[str, object] | None = None, **options: str) -> Page:
    path = exporter(**options).export_email_template(
        data or report(), str(folder / "m.html"), "Alice Johnson"
    )
    return Page(Path(path).read_text(encoding="utf-8"))


def test_the_mail_greets_its_reader_and_alerts_to_what_is_critical(tmp_path: Path) -> None:
    text = mail(tmp_path).text
    assert "Hello Alice Johnson," in text
    assert "1 critical finding\n" in text
    assert "arn:aws:s3:::northwind-invoices" in text
    assert "northwind-press" not in text


def test_a_mail_to_nobody_in_particular_greets_nobody(tmp_path: Path) -> None:
    path = exporter().export_email_template(report(), tmp_path / "m.html")
    assert "Hello" not in Page(Path(path).read_text(encoding="utf-8")).text


def test_no_alert_without_a_critical_finding(tmp_path: Path) -> None:
    assert "critical finding" not in mail(tmp_path, {"findings": [finding(severity="HIGH")]}).text


def test_buttons_lead_where_the_configuration_says(tmp_path: Path) -> None:
    page = mail(tmp_path, report_url=REPORT_URL, dashboard_url=DASHBOARD_URL)
    assert page.attributes("href") == [REPORT_URL, DASHBOARD_URL]
    assert "View Report" in page.text
    assert "View Dashboard" in page.text


def test_there_is_no_button_that_leads_nowhere(tmp_path: Path) -> None:
    assert mail(tmp_path).attributes("href") == []
    assert mail(tmp_path, dashboard_url=DASHBOARD_URL).attributes("href") == [DASHBOARD_URL]


def test_buttons_can_be_left_out(tmp_path: Path) -> None:
    path = exporter(report_url=REPORT_URL).export_email_template(
        report(), tmp_path / "m.html", include_cta=False
    )
    assert Page(Path(path).read_text(encoding="utf-8")).attributes("href") == []


def test_a_button_leads_to_web_addresses_only() -> None:
    with pytest.raises(ConfigError, match="no web address"):
        exporter(report_url="javascript:alert(1)")


def test_a_mail_holds_nothing_that_mail_programs_drop(tmp_path: Path) -> None:
    page = mail(tmp_path)
    assert not {"script", "svg", "img", "link", "form"} & {tag for tag, _ in page.tags}


def test_styles_stand_on_the_elements(tmp_path: Path) -> None:
    page = mail(tmp_path)
    (heading,) = page.named("h1")
    assert "font-size" in (heading["style"] or "")
    assert {"#b3203a", "#1d3b53"} <= set(page.attributes("bgcolor"))


def test_a_mail_bears_its_brand_without_variables_that_gmail_and_outlook_drop(tmp_path: Path) -> None:
    dressed = HTMLExporter(brand=Brand(colour="#ffee00"), report_url=REPORT_URL)
    text = Path(dressed.export_email_template(report(), tmp_path / "m.html")).read_text(encoding="utf-8")
    assert "var(" not in text
    (link,) = Page(text).named("a")
    assert "color: #000000" in (link["style"] or "")
    assert "background: #ffee00" in text


def test_dark_mode_survives_the_inlining(tmp_path: Path) -> None:
    path = exporter().export_email_template(report(), tmp_path / "m.html")
    assert "prefers-color-scheme" in Path(path).read_text(encoding="utf-8")


@pytest.mark.parametrize("character", ["&", "😀", "<", '"', "\0", "W "])
def test_a_mail_stays_below_what_gmail_cuts(character: str, tmp_path: Path) -> None:
    text = character * 20_000
    data: dict[str, object] = {
        "metadata": {"report_name": text},
        "summary": {"account_id": text, **dict.fromkeys(("critical", "high", "medium"), 10**12)},
        "compliance": {f"{n}{text}": {"coverage": n, "status": text} for n in range(40)},
        "findings": [
            finding(id=str(n), title=f"{n}{text}", resource=text, remediation=text) for n in range(60)
        ],
    }
    path = exporter(report_url=REPORT_URL).export_email_template(data, tmp_path / "m.html", text)
    assert Path(path).stat().st_size < LARGEST_MAIL


def test_the_mail_of_an_empty_report_is_a_mail(tmp_path: Path) -> None:
    assert "Nothing reported" in mail(tmp_path, {"findings": []}).text


def test_a_logo_is_an_address_in_mails_and_data_in_pages(tmp_path: Path) -> None:
    brand = Brand(logo=b"\x89PNG\r\n\x1a\n", logo_url="https://northwind.example.com/logo.png")
    dressed = HTMLExporter(brand=brand)
    in_mail = Page(Path(dressed.export_email_template(report(), tmp_path / "m.html")).read_text("utf-8"))
    on_page = Page(
        Path(dressed.export_executive_summary_html(report(), tmp_path / "e.html")).read_text("utf-8")
    )
    assert in_mail.attributes("src") == [brand.logo_url]
    assert on_page.attributes("src") == [brand.logo_data]


@pytest.mark.parametrize(
    "bad",
    [{"colour": "red;}"}, {"logo": b"<svg onload=x>"}, {"logo": b"GIF8" * 60_000}, {"logo_url": "http://x"}],
)
def test_a_brand_that_cannot_be_used_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="brand"):
        Brand(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(("colour", "text"), [("#1d3b53", "#ffffff"), ("#ffee00", "#000000")])
def test_what_stands_on_the_brands_colour_can_be_read(colour: str, text: str) -> None:
    assert Brand(colour=colour).text_colour == text


def executive(source: ReportSource) -> Page:
    out = BytesIO()
    write_executive(source, out, now=NOW)
    return Page(out.getvalue().decode())


def test_the_executive_summary_says_what_the_specification_lists(tmp_path: Path) -> None:
    path = exporter().export_executive_summary_html(report(), str(tmp_path / "e.html"))
    text = Page(Path(path).read_text(encoding="utf-8")).text
    for part in ("Act now", "Key findings", "Recommended next steps", "Compliance", "CIS-1.5", "33.3"):
        assert part in text


def test_the_score_is_compared_with_the_report_before() -> None:
    source = ReportSource.from_data(report(), now=NOW)
    before = replace(
        source.header,
        generated_at=source.header.generated_at - timedelta(days=7),
        summary={**source.header.summary, "security_score": 30.1},
    )
    page = executive(replace(source, earlier=(before,)))
    assert "3.2 points up since 17 November 2026" in page.text
    assert any("trend" in (svg.get("class") or "") for svg in page.named("svg"))


def test_without_an_earlier_report_there_is_no_trend() -> None:
    page = executive(ReportSource.from_data(report(), now=NOW))
    assert "no earlier report to compare with" in page.text


def test_a_scan_of_failures_only_has_no_score() -> None:
    assert (
        "none, the scan reports failures only"
        in executive(ReportSource.from_data({"findings": [finding()]})).text
    )


def test_the_summary_of_an_empty_report_is_a_page() -> None:
    text = executive(ReportSource.from_data({"findings": []})).text
    assert "No finding is open." in text
    assert "Nothing reported" in text
