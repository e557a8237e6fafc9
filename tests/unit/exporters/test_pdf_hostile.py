"""Whatever a finding carries, it stays text: in the PDF it is read, never run."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import exporters.templates
from audit.errors import CountersignError
from exporters.pdf_process import compile_folder
from tests.examples import share
from tests.unit.exporters.pdf_pages import pdf_of, require_tools, squeezed
from tests.unit.exporters.samples import NOW, finding

MARKUP = (
    '#import "@preview/cetz:0.3.4": *',
    '#read("/etc/passwd")',
    '#include "/etc/hostname"',
    '#eval("1+1")',
    '#panic("stop")',
    '#sys.inputs #json("report.json")',
    "= heading *bold* $x^2$ <check-1> @check-1",
    "\\u{41} \\ `raw` ```typ #panic()```",
    '"]) #panic("out of the string',
    '#link("javascript:alert(1)")[x] [y](file:///etc/passwd)',
    "/* comment // */ ~ -- ---",
    "<script>alert(1)</script>",
)
UNPRINTABLE = "nul\0 esc\x1b[31m unit\x1f del\x7f \ud800 half \udfff \u202egnp.exe\u202c \u2066x\u2069 \ufffe"
FIELDS = ("title", "category", "resource", "description", "remediation", "evidence", "account_id", "region")
texts = st.text(st.characters(exclude_categories=()), min_size=1, max_size=60)


def with_everything(text: str, number: int = 1) -> dict[str, object]:
    changes = dict.fromkeys(FIELDS, text)
    if not text.strip():
        del changes["title"]
    return finding(
        **changes,
        id=f"F-{number}",
        check_id=text,
        resource_type=text,
        reference_url=text,
        compliance={text: [text]},
    )


def named(text: str, *records: dict[str, object]) -> dict[str, object]:
    return {"metadata": {"report_name": text, "report_id": text, "source": text}, "findings": list(records)}


def test_markup_comes_back_as_the_text_it_is() -> None:
    pdf = pdf_of(named(MARKUP[0], *(with_everything(text, number) for number, text in enumerate(MARKUP))))
    assert pdf.written.rejected == 0
    for text in MARKUP:
        assert pdf.text.count(squeezed(text)) >= len(FIELDS)
    assert "root:" not in pdf.text
    assert pdf.info["Title"] == MARKUP[0]
    assert pdf.claims_pdf_ua


def test_only_web_addresses_become_links() -> None:
    addresses = (
        "https://docs.example.com/fix?a=1&b=2",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "smb://x/y",
    )
    records = [
        finding(id=address, check_id=address, reference_url=address, description=address)
        for address in addresses
    ]
    assert pdf_of({"findings": records}).links == {addresses[0]}


def test_controls_surrogates_and_direction_tricks_are_shown_not_obeyed() -> None:
    pdf = pdf_of(named(UNPRINTABLE, with_everything(UNPRINTABLE)))
    assert "gnp.exe" in pdf.text
    assert not re.search("[\0-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", pdf.text)


def test_a_megabyte_is_cut_and_says_so() -> None:
    pdf = pdf_of({"findings": [with_everything("x" * 1_000_000)]})
    assert len(pdf.content) < 500_000
    assert squeezed("[1,000,000 characters, cut]") in pdf.text


@pytest.mark.parametrize(
    "text", ["日本語のタイトル", "🚀 👩‍👩‍👧 ✨", "مرحبا بالعالم", "\ue000 \U000f0000 \u0378"]
)
def test_scripts_that_no_font_of_ours_has_cost_no_finding(text: str) -> None:
    pdf = pdf_of(named(text, with_everything(text), finding(id="F-2")))
    assert pdf.written.rejected == 0
    assert squeezed("Anyone can read it.") in pdf.text
    assert pdf.info["Tagged"] == "yes"


def test_a_character_that_no_font_has_still_carries_its_text() -> None:
    pdf = pdf_of({"findings": [finding(description="before \U0001fbff after \ue123 end")]})
    assert "before" in pdf.text
    assert "\ue123" in pdf.text
    assert not pdf.claims_pdf_ua


def test_letters_of_europe_need_no_font_of_the_machine() -> None:
    text = "Zażółć gęślą jaźń, Ærøskøbing, Ünïcode, Ελλάδα, Привет → ≤ € “quoted” …"
    pdf = pdf_of(named(text, with_everything(text)))
    assert pdf.claims_pdf_ua
    assert pdf.text.count(squeezed(text)) >= len(FIELDS)


@given(text=texts)
@settings(max_examples=share(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_breaks_it(text: str) -> None:
    pdf = pdf_of(named(text, with_everything(text)))
    assert pdf.written.rejected == 0
    assert len(pdf.pages) >= 4


def test_the_templates_run_nothing_and_fetch_nothing() -> None:
    folder = Path(exporters.templates.__path__[0])
    sources = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.typ")}
    assert "report.typ" in sources
    for source in sources.values():
        assert not re.search(r"\beval\(|\bread\(|\bsys\.|\bplugin\(|@preview|mode: *\"", source)
        assert set(re.findall(r"#import \"([^\"]+)\"", source)) <= set(sources)
    assert {source.count("json(") for source in sources.values()} <= {0, 1}, (
        "each reads its data, and nothing else"
    )


def test_a_template_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    require_tools()
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    for address in ("../secret", "/etc/passwd"):
        (folder / "report.typ").write_text(f'#read("{address}")')
        with pytest.raises(RuntimeError, match="typst failed with code 1") as caught:
            compile_folder(folder, created=NOW)
        assert not isinstance(caught.value, CountersignError)
