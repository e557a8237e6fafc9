"""Whatever a finding carries, it stays text: each format is read back and holds the same text."""

import csv
import html
import io
import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.findings import Finding
from audit.ingest import read_report
from exporters.csv_cells import LONGEST_CELL
from exporters.formats import EXPORT_FORMATS
from exporters.source import ReportSource
from tests.unit.exporters.samples import NOW, Page, finding

PAYLOADS = (
    "<script>alert(1)</script>",
    "</style></script><img src=x onerror=alert(1)>",
    "<!--",
    "]]>",
    '" onmouseover="alert(1)',
    "{{ 7*7 }}{% raw %}",
    '=HYPERLINK("https://evil.example","click")',
    "@SUM(1)\r\n-2",
    "%0A::error::x\n::set-output name=a::b",
    "\ud800 half a pair \udfff",
    "nul\0 esc\x1b[31m bell\x07 del\x7f c1\x85",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "&lt;already&gt; &amp; escaped",
    "x" * 1_000_000,
)
FIELDS = ("title", "category", "resource", "description", "remediation", "evidence", "account_id", "region")
FORMATS = tuple(name for name in EXPORT_FORMATS if name != "pdf")  # pages: test_pdf_hostile.py
texts = st.one_of(st.sampled_from(PAYLOADS[:-1]), st.text(st.characters(exclude_categories=()), max_size=60))


def rendered(name: str, data: Mapping[str, object]) -> bytes:
    out = io.BytesIO()
    written = EXPORT_FORMATS[name].write(ReportSource.from_data(data, now=NOW), out, now=NOW)
    assert written.rejected == 0
    return out.getvalue()


def with_everything(text: str) -> dict[str, object]:
    changes = dict.fromkeys(FIELDS, text)
    if not text.strip():
        del changes["title"]
    return finding(**changes, reference_url=text, compliance={text: [text]}, check_id=text)


def storable(text: str) -> str:
    return re.sub("[\0\ud800-\udfff]", "\ufffd", text)


def readable(text: str) -> str:
    """Return what no format may lose: everything but white space, controls and what has no UTF-8."""
    return re.sub(
        "[\\s\0-\x1f\x7f-\x9f\u2400-\u2421\ufffd\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]",
        "",
        text,
    )


@given(text=texts)
def test_json_holds_the_same_text(text: str) -> None:
    record = with_everything(text)
    data = orjson.loads(rendered("json", {"findings": [record]}))
    for field in FIELDS:
        assert data["findings"][0].get(field, "") == storable(str(record[field]))


@given(text=texts)
def test_csv_holds_the_same_text_and_no_formula(text: str) -> None:
    record = with_everything(text)
    content = rendered("csv", {"findings": [record]}).decode("utf-8-sig")
    _, row = csv.reader(io.StringIO(content, newline=""), strict=True)
    for cell, field in zip(row, ("id", "title", "severity", "category", "resource"), strict=False):
        expected = storable(str(record[field]))
        assert cell[:1] not in tuple("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001
        assert cell in (expected, f"'{expected}")


@given(text=texts)
def test_html_holds_the_same_text_and_no_tag_of_it(text: str) -> None:
    record = with_everything(text)
    page = Page(rendered("html", {"findings": [record]}).decode())
    harmless = Page(rendered("html", {"findings": [with_everything("harmless")]}).decode())
    assert len(page.named("script")) == 1
    assert not page.named("img")
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in harmless.tags} | {"a"}
    for field in FIELDS:
        assert readable(str(record[field])) in readable(page.text)
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.text)


@given(text=st.one_of(texts, st.just("\0settled\0")))
def test_a_hostile_summary_is_harmless_in_html(text: str) -> None:
    data: Mapping[str, object] = {
        "metadata": {"report_name": text, "source": text, "report_id": text},
        "summary": {"account_id": text},
        "compliance": {text: {"coverage": 50, "status": text}},
        "recommendations": [{"title": text, "severity": text, "remediation": text}],
        "errors": [text],
        "findings": [finding(status="PASS")],
    }
    page = Page(rendered("html", data).decode())
    assert page.text.count("arn:aws:s3:::b") == 1
    assert len(page.named("script")) == 1
    assert not page.named("img")
    assert readable(text) in readable(page.text)


@given(text=texts)
def test_no_workflow_command_can_be_begun(text: str) -> None:
    data = json.loads(rendered("github", {"findings": [with_everything(text)]}))
    for line in data["annotations"]:
        assert re.fullmatch(r"::(error|warning|notice) title=[^:,]*::.*", line)
        assert len(line.splitlines()) == 1
    assert "<script" not in data["step_summary"]


def texts_in(name: str, content: bytes) -> dict[str, str]:
    """Read a pipeline format of one finding back: what it holds of each field."""
    data = orjson.loads(content)
    if name == "ocsf":
        (found,) = (
            item for item in read_report(io.BytesIO(content), name).items if isinstance(item, Finding)
        )
        # Ingest turns scanners' words into categories of ours.
        return {field: str(getattr(found, field)) for field in FIELDS if field != "category"}
    if name == "sarif":
        (rule,), (result,) = (
            data["runs"][0]["tool"]["driver"]["rules"],
            data["runs"][0]["results"],
        )
        return {
            "title": rule["shortDescription"]["text"],
            "description": rule["fullDescription"]["text"],
            "remediation": rule["help"]["text"],
            "evidence": result["message"]["text"],
            "account_id": result["properties"]["account"],
            "region": result["properties"]["region"],
            "resource": result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        }
    if name == "gitlab":
        (found,) = data["vulnerabilities"]
        details = {detail: entry["value"] for detail, entry in found["details"].items()}
        return {
            "title": found["name"],
            "description": found["description"],
            "remediation": found["solution"],
            "resource": found["location"]["file"],
            "evidence": details["evidence"],
            "account_id": details["account"],
            "region": details["region"],
            "category": details["category"],
        }
    if name == "jenkins":
        (found,) = data["issues"]
        texts = html.unescape(found["description"].replace("<br>", "\n")).split("\n\n")
        return {
            "title": html.unescape(found["message"].replace("<br>", "\n")),
            "category": found["category"],
            "resource": found["fileName"],
            "account_id": found["moduleName"],
            **(
                dict(zip(("evidence", "description", "remediation"), texts, strict=True))
                if len(texts) == 3
                else {}
            ),
        }
    (found,) = data["findings"]
    return {field: found[field] for field in ("title", "resource", "remediation")}


@pytest.mark.parametrize("name", ["generic", "gitlab", "jenkins", "ocsf", "sarif"])
@given(text=texts)
def test_every_pipeline_format_holds_the_same_text(name: str, text: str) -> None:
    assume(text.strip())
    record = with_everything(
        text.strip()
    )  # ingest, which reads OCSF back, keeps no white space around a text
    held = texts_in(name, rendered(name, {"findings": [record]}))
    assert len(held) >= 3
    for field, found in held.items():
        assert found == storable(str(record[field])), field


@given(text=texts)
def test_an_annotation_holds_the_same_text(text: str) -> None:
    record = with_everything(text)
    (line,) = json.loads(rendered("github", {"findings": [record]}))["annotations"]
    title, _, message = line.removeprefix("::").partition("::")
    assert readable(str(record["title"])) in readable(unquote(title))
    assert readable(str(record["resource"])) in readable(unquote(message))


@pytest.mark.parametrize("name", ["tracker", "compliance", "summary"])
@given(text=texts)
def test_every_table_holds_the_same_text_and_no_formula(name: str, text: str) -> None:
    assume(text.strip())
    data = {"findings": [with_everything(text)]}
    table = csv.reader(io.StringIO(rendered(name, data).decode("utf-8-sig"), newline=""), strict=True)
    cells = [cell for row in table for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n\0＝＋－＠"))]  # noqa: RUF001
    assert {storable(text), f"'{storable(text)}"} & set(cells)


@pytest.mark.parametrize("name", ["email", "executive"])
@given(text=texts)
def test_mail_and_summary_hold_the_same_text_and_no_tag_of_it(name: str, text: str) -> None:
    record = with_everything(text)
    page, harmless = (
        Page(rendered(name, {"findings": [found]}).decode())
        for found in (record, with_everything("harmless"))
    )
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in harmless.tags}
    for field in ("title", "resource"):
        assert readable(str(record[field])) in readable(page.text)


@given(text=texts, name=st.sampled_from(FORMATS))
def test_no_format_is_broken_by_any_text(text: str, name: str) -> None:
    content = rendered(name, {"findings": [with_everything(text)]})
    assert content.decode()
    if EXPORT_FORMATS[name].media_type == "application/json":
        orjson.loads(content)


def test_a_megabyte_is_harmless_everywhere() -> None:
    data = {"findings": [with_everything(PAYLOADS[-1])]}
    sizes = {name: len(rendered(name, data)) for name in FORMATS}
    assert sizes["html"] < 500_000
    assert sizes["csv"] < 8 * LONGEST_CELL
    assert sizes["json"] > 8_000_000
