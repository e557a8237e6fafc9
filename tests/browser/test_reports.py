"""The reports in a real browser: phone and desktop, light, dark and print; what can be clicked; pictures of it all."""

import io
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import bot.sandbox
from audit.findings import Finding
from audit.ingest import read_report
from exporters import Brand
from exporters.formats import EXPORT_FORMATS, export_formats
from exporters.mail_writer import MailStyle
from exporters.source import ReportSource
from tests.browser.patience import give_patience
from tests.browser.pictures import KeepPicture
from tests.conftest import NOW, need
from tests.unit.exporters.pdf_pages import require_tools
from tests.unit.exporters.samples import finding

pytestmark = pytest.mark.browser

SAMPLE = Path(bot.sandbox.__file__).with_name("demo_report.ocsf.json")
MAIL = MailStyle(
    brand=Brand(name="Northwind", colour="#0b5c4a"),
    recipient_name="Alice Johnson",
    report_url="https://countersign.northwind.example/reports/7",
    dashboard_url="https://security.northwind.example/",
)
DRESSED = export_formats(MAIL)
SHAPES = {"phone": (390, 844), "desktop": (1280, 900)}
Show = Callable[..., Page]


def demo_report() -> ReportSource:
    reading = read_report(io.BytesIO(SAMPLE.read_bytes()), SAMPLE.name)
    findings = [item.to_dict() for item in reading.items if isinstance(item, Finding)]
    return ReportSource.from_data(
        {"metadata": {"report_name": "Northwind production"}, "findings": findings}, now=NOW
    )


def crowded_report() -> ReportSource:
    """Return one where every place holds the longest that a scanner might put there."""
    long = "A rule with a long and winding name that goes on for several lines " * 3
    frameworks = {f"AWS-Foundational-Security-Best-Practices-{n:02d}": [f"S3.{n}"] for n in range(40)}
    resource = "arn:aws:s3:::" + "northwind-customer-exports-" * 8
    found = [
        finding(id=f"F-{n}", check_id=f"c{n}", title=f"{n} {long}", resource=resource, severity=severity)
        | {"description": long, "remediation": long, "compliance": frameworks, "account_id": "123456789012"}
        for n, severity in enumerate(("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO") * 4)
    ]
    passed = finding(id="ok", check_id="ok", status="PASS")
    name = {"report_name": long, "source": long}
    return ReportSource.from_data({"metadata": name, "findings": [*found, passed]}, now=NOW)


def rendered(source: ReportSource, name: str) -> bytes:
    out = io.BytesIO()
    DRESSED[name].write(source, out, now=NOW)
    return out.getvalue()


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Show]:
    """Open a report in a window of its own. It comes from a file: no network is needed, and none may be asked for."""
    contexts, errors = [], list[str]()

    def open_report(source: ReportSource, name: str, shape: str = "desktop", scheme: str = "light") -> Page:
        path = tmp_path / f"report{EXPORT_FORMATS[name].suffix}"
        path.write_bytes(rendered(source, name))
        width, height = SHAPES[shape]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        give_patience(context)
        contexts.append(context)
        window = context.new_page()
        window.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        window.on("pageerror", lambda error: errors.append(str(error)))
        window.on("request", lambda asked: errors.append(asked.url) if "file:" not in asked.url else None)
        window.goto(path.as_uri())
        return window

    yield open_report
    for context in contexts:
        context.close()
    assert [error for error in errors if not error.startswith("data:")] == []


BROKEN_WORDS = """() => [...document.querySelectorAll("thead th, .verdict, .matrix td, .severity, button")].filter((box) => {
  if (!box.offsetParent || box.closest("thead")?.offsetHeight <= 1) return false;
  const range = document.createRange(), texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    for (const { 0: word, index } of node.data.matchAll(/[\\w%.]+/g)) {
      range.setStart(node, index); range.setEnd(node, index + word.length);
      if (range.getClientRects().length > 1) return true;
    }
  }
  return false;
}).map((box) => box.textContent)"""


def is_dark(page: Page) -> bool:
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", paper)[:3])) < 3 * 128


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["html", "executive", "email"])
def test_every_page_fits_its_screen(
    show: Show, keep_picture: KeepPicture, name: str, shape: str, scheme: str
) -> None:
    page = show(demo_report(), name, shape, scheme)
    assert overflow(page) <= 0
    assert page.evaluate(BROKEN_WORDS) == []
    assert is_dark(page) == (scheme == "dark")
    # The full report is longer than a picture should be: its beginning, and some of its findings.
    tall = {"phone": 2600, "desktop": 2000} if name == "html" else {}
    keep_picture(f"report-{name}-{shape}-{scheme}", _picture(page, tall.get(shape)))


def _picture(page: Page, tallest: int | None) -> bytes:
    height = page.evaluate("document.documentElement.scrollHeight")
    width = page.evaluate("innerWidth")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, tallest or height)}
    return page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["html", "executive", "email"])
def test_the_longest_names_fit_too(show: Show, name: str, shape: str) -> None:
    assert overflow(show(crowded_report(), name, shape)) <= 0


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("make", [demo_report, crowded_report], ids=["demo", "crowded"])
def test_the_executive_summary_is_one_printed_page(
    show: Show, tmp_path: Path, paper: str, make: Callable[[], ReportSource]
) -> None:
    assert len(printed(show(make(), "executive"), tmp_path, paper)) == 1


def test_on_paper_the_full_report_shows_what_the_screen_folds(
    show: Show, tmp_path: Path, keep_picture: KeepPicture
) -> None:
    page = show(demo_report(), "html", scheme="dark")
    folded = page.locator("#findings .check:not([open])").first
    expect(folded.locator(".what")).to_be_hidden()
    remediation = folded.locator(".what p").last.text_content() or ""
    pages = printed(page, tmp_path)
    text = " ".join(" ".join(pages).split())
    assert " ".join(remediation.split()) in text
    assert "↕" not in text
    assert "Open all" not in text
    for number, name in ((1, "contents"), (4, "findings")):
        keep_picture(f"report-html-print-{name}", page_picture(tmp_path / "print.pdf", number))


@pytest.mark.parametrize("name", ["html", "executive", "email"])
def test_what_is_printed_is_light(show: Show, tmp_path: Path, keep_picture: KeepPicture, name: str) -> None:
    page = show(demo_report(), name, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert not is_dark(page)
    assert page.evaluate(LOW_CONTRAST) == []
    if name != "html":
        printed(page, tmp_path)
        keep_picture(f"report-{name}-print", page_picture(tmp_path / "print.pdf", 1))


def test_a_pdf_is_drawn(tmp_path: Path, keep_picture: KeepPicture) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(rendered(demo_report(), "pdf"))
    for number, name in ((1, "cover"), (2, "contents"), (3, "summary"), (4, "findings")):
        keep_picture(f"report-pdf-{name}", page_picture(path, number))


def printed(page: Page, folder: Path, paper: str = "A4") -> list[str]:
    """Print the page and return the text of each sheet."""
    require_tools()
    path = folder / "print.pdf"
    page.pdf(path=path, format=paper, prefer_css_page_size=False, print_background=True)
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True)
    return done.stdout.split("\f")[:-1]


def page_picture(path: Path, number: int) -> bytes:
    need("pdftoppm", "apt-get install poppler-utils")
    command = ["pdftoppm", "-r", "75", "-png", "-f", str(number), "-l", str(number), path]
    return subprocess.run(command, capture_output=True, check=True).stdout


def shown_checks(page: Page) -> list[str]:
    return [str(check) for check in page.locator("#findings .check:visible h4").all_text_contents()]


def test_a_severity_that_is_clicked_filters_the_findings(show: Show) -> None:
    page = show(demo_report(), "html")
    everything = shown_checks(page)
    segment = page.locator(".stack rect.critical")
    expect(segment.locator("title")).to_have_text("2 critical: 14%")
    brightness = segment.evaluate("node => getComputedStyle(node).opacity")
    segment.hover()
    assert segment.evaluate("node => getComputedStyle(node).opacity") < brightness
    segment.click()
    assert shown_checks(page) == ["Root user must have MFA", "S3 bucket must not be open to everyone"]
    button = page.get_by_role("button", name="2 Critical")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    assert shown_checks(page) == everything
    page.get_by_role("button", name="5 High").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#shown")).to_contain_text("checks shown")
    assert len(shown_checks(page)) == 5


def test_findings_are_searched_and_sorted(show: Show) -> None:
    page = show(demo_report(), "html")
    page.get_by_role("searchbox").fill("northwind-customer-exports public")
    expect(page.locator("#shown")).to_contain_text("of")
    assert "S3 bucket must not be open to everyone" in shown_checks(page)
    assert "Root user must have MFA" not in shown_checks(page)
    page.get_by_role("searchbox").fill("")
    expect(page.locator("#shown")).to_have_text("")
    page.get_by_label("Sort by").select_option("title")
    titles = shown_checks(page)
    assert titles == sorted(titles, key=str.lower)
    page.get_by_label("Sort by").select_option("failing")
    assert shown_checks(page)[0] == "S3 bucket must block public access"


def test_rows_are_sorted_by_their_heads(show: Show) -> None:
    rows = [finding(id=f"F-{n}", resource=f"bucket-{n}", check_id="c") for n in (2, 10, 1)]
    page = show(ReportSource.from_data({"findings": rows}, now=NOW), "html")
    head = page.get_by_role("columnheader", name="Resource")
    for expected in (["1", "2", "10"], ["10", "2", "1"]):
        head.get_by_role("button").click()
        cells = page.locator("#findings tbody th").all_text_contents()
        assert [cell.removeprefix("bucket-") for cell in cells] == expected
    expect(head).to_have_attribute("aria-sort", "descending")


def test_the_contents_lead_to_a_check_and_open_it(show: Show) -> None:
    page = show(demo_report(), "html")
    page.locator(".contents summary.low").click()
    page.locator(".contents").get_by_role("link", name="VPC must keep flow logs").click()
    check = page.locator(".check", has=page.get_by_role("heading", name="VPC must keep flow logs"))
    expect(check).to_have_attribute("open", "")
    expect(check).to_be_in_viewport()


LOW_CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const box = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !box.checkVisibility() || box.closest("svg, script, style, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(box).color)), light(behind(box))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(texts.currentNode.data.trim());
  }
  return [...poor];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["html", "executive", "email"])
def test_every_word_stands_out_from_its_ground(show: Show, name: str, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    assert show(demo_report(), name, scheme=scheme).evaluate(LOW_CONTRAST) == []
