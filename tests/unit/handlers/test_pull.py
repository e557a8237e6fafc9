"""`/report pull aws`: what is said of what came."""

from audit.ports import Ingested
from audit.report import ReportHeader, Tally
from handlers.commands.pull import describe
from tests.conftest import NOW


def test_what_came_is_told_with_its_counts_and_escaped() -> None:
    header = ReportHeader(
        report_id="r-1",
        source="x",
        name="n",
        generated_at=NOW,
        summary=Tally().summary(),
        rejected=("finding 3: <!channel>",),
    )
    said = describe(Ingested(header, is_new=False), "<b>").text
    assert "nothing changed" in said
    assert "<!channel>" not in said
    assert "&lt;b&gt;" in said
