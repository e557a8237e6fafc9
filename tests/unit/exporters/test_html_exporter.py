import base64
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters import Brand, HTMLExporter
from exporters.html_body import MOST_CONTENTS, OPEN_ROWS_PER_CHECK
from exporters.html_writer import write_html
from exporters.source import ReportSource
from tests.unit.exporters.samples import NOW, Page, finding, report, twenty_one_malformed


def html(data: Mapping[str, object], **options: bool) -> str:
    out = io.BytesIO()
    write_html(ReportSource.from_data(data, now=NOW), out, now=NOW)
    return out.getvalue().decode()


def exported(folder: Path, **options: bool) -> Page:
    path = HTMLExporter(clock=lambda: NOW).export_report_to_html(report(), str(folder / "r.html"), **options)
    return Page(Path(path).read_text(encoding="utf-8"))


def test_every_link_of_the_contents_resolves(tmp_path: Path) -> None:
    page = exported(tmp_path)
    targets = [href[1:] for href in page.attributes("href") if href.startswith("#")]
    assert len(targets) > 5
    assert set(targets) <= set(page.attributes("id"))


def test_ids_are_unique(tmp_path: Path) -> None:
    ids = exported(tmp_path).attributes("id")
    assert len(ids) == len(set(ids))


def test_contents_and_charts_can_be_left_out(tmp_path: Path) -> None:
    whole, bare = exported(tmp_path), exported(tmp_path, include_toc=False, include_charts=False)
    assert whole.named("nav")
    assert whole.named("svg")
    assert not bare.named("nav")
    assert not bare.named("svg")


def test_nothing_is_fetched_from_anywhere(tmp_path: Path) -> None:
    page = exported(tmp_path)
    assert not page.attributes("src")
    assert not page.named("link")
    assert [href for href in page.attributes("href") if not href.startswith("#")] == [
        report()["findings"][0]["reference_url"]  # type: ignore[index]
    ]


def test_the_policy_lets_only_our_own_script_and_style_run() -> None:
    text = html(report())
    policy = next(meta["content"] for meta in Page(text).named("meta") if "http-equiv" in meta)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_no_element_carries_style_or_script_of_its_own(tmp_path: Path) -> None:
    for _, attributes in exported(tmp_path).tags:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_a_charts_is_below_one_kilobyte() -> None:
    charts = re.findall(r"<svg.*?</svg>", html(report()), re.DOTALL)
    assert charts
    assert max(map(len, charts)) < 1000


def test_a_checks_texts_are_said_once_for_all_its_resources() -> None:
    findings = [finding(id=f"F-{n}", resource=f"arn:{n}", check_id="c") for n in range(50)]
    text = Page(html({"findings": findings, "recommendations": [], "summary": {}})).text
    assert text.count("Anyone can read it.") == 1
    assert "50 resources fail" in text


def test_a_text_that_differs_within_a_check_is_not_lost() -> None:
    findings = [finding(check_id="c"), finding(id="F-2", check_id="c", description="Only the second.")]
    assert "Only the second." in Page(html({"findings": findings})).text


def test_findings_are_sorted_into_failing_for_review_and_settled(tmp_path: Path) -> None:
    text = exported(tmp_path).text
    places = [
        text.index(title, text.index("Open all"))
        for title in ("Bucket is open", "Security group", "Root account", "Key is not", "Trail validates")
    ]
    assert places == sorted(places)
    assert "1 passed" in text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", 'https://a"onclick="b', "https://a b"],
)
def test_only_web_addresses_become_links(url: str) -> None:
    page = Page(html({"findings": [finding(reference_url=url)]}))
    assert not [href for href in page.attributes("href") if not href.startswith("#")]
    assert url in page.text


def test_links_tell_the_other_side_nothing() -> None:
    page = Page(html({"findings": [finding(reference_url="https://docs.example.com/a?b=1&c=2")]}))
    (link,) = [attributes for attributes in page.named("a") if "rel" in attributes]
    assert link["href"] == "https://docs.example.com/a?b=1&c=2"
    assert link["rel"] == "noopener noreferrer nofollow"


def test_long_checks_are_folded() -> None:
    findings = [finding(id=str(n), check_id="long") for n in range(OPEN_ROWS_PER_CHECK + 1)]
    page = Page(html({"findings": [*findings, finding(check_id="short")]}))
    opened = [
        "open" in attributes for attributes in page.named("details") if attributes.get("class") == "check"
    ]
    assert opened == [False, True]


def test_contents_stay_short_and_say_so() -> None:
    findings = [finding(check_id=f"check_{n:04d}") for n in range(MOST_CONTENTS + 7)]
    page = Page(html({"findings": findings}))
    assert "and 7 more checks below" in page.text
    targets = {href[1:] for href in page.attributes("href") if href.startswith("#")}
    assert targets <= set(page.attributes("id"))


def test_zero_findings_give_a_page() -> None:
    assert "Nothing reported" in Page(html({"findings": []})).text


def test_a_malformed_finding_is_named_on_the_page() -> None:
    text = Page(html(twenty_one_malformed())).text
    assert "finding 6: a finding needs its title" in text
    assert "19 resources fail" in text


def test_a_record_that_the_store_got_wrong_costs_no_other() -> None:
    source = ReportSource.from_data({"findings": [finding(id=str(n)) for n in range(3)]})
    records = list(source.records())
    records[0]["severity"] = "ODD"
    records[1]["title"] = None  # type: ignore[typeddict-item]
    out = io.BytesIO()
    written = write_html(ReportSource(source.header, lambda: iter(records)), out, now=NOW)
    assert (written.findings, written.rejected) == (1, 2)
    assert "finding 1: " in out.getvalue().decode()


def test_severity_is_said_by_word_and_not_by_colour_alone(tmp_path: Path) -> None:
    text = exported(tmp_path).text
    assert "Critical" in text
    assert "High" in text


def test_the_page_can_be_walked_without_eyes(tmp_path: Path) -> None:
    page = exported(tmp_path)
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.tags}
    assert all(attributes.get("scope") in {"col", "row"} for attributes in page.named("th"))
    assert all("aria-label" in svg or svg.get("aria-hidden") == "true" for svg in page.named("svg"))
    assert page.named("html")[0]["lang"] == "en"


def test_the_brand_shows() -> None:
    out = io.BytesIO()
    from exporters.html_writer import PageStyle

    brand = Brand(name="Northwind <Traders>", colour="#ffee00", logo=b"\x89PNG\r\n\x1a\n")
    write_html(ReportSource.from_data(report()), out, now=NOW, style=PageStyle(brand=brand))
    page = Page(out.getvalue().decode())
    assert "Northwind <Traders>" in page.text
    assert page.attributes("src") == [brand.logo_data]
    assert "--brand:#ffee00;--on-brand:#000000" in out.getvalue().decode()


@pytest.mark.parametrize("special", "&<>\"'")
@pytest.mark.parametrize("field", ["resource", "resource_type", "account_id", "region", "evidence", "id"])
def test_each_special_character_is_escaped_in_each_cell(field: str, special: str) -> None:
    page = html({"findings": [finding(**{field: f"A{special}bZ"})]})
    assert f"A{special}bZ" not in page
    assert f"A{special}bZ" in Page(page).text
