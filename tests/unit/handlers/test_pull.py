"""`/report pull aws`: what its words mean, and what is said of what came."""

import pytest

from audit.errors import InputError
from audit.findings import Severity
from audit.ports import Ingested
from audit.pulling import PullRequest
from audit.report import ReportHeader, Tally
from handlers.commands.pull import describe, read_request
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("aws", PullRequest()),
        ("AWS eu-central-1", PullRequest(region="eu-central-1")),
        (
            "aws 123456789012 us-gov-west-1 high critical",
            PullRequest(
                region="us-gov-west-1",
                account_id="123456789012",
                severities=(Severity.HIGH, Severity.CRITICAL),
            ),
        ),
    ],
)
def test_words_in_any_order(words: str, meant: PullRequest) -> None:
    assert read_request(words.split()) == meant


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("gcp", "come from aws"),
        ("aws everywhere", "is not a severity"),
        ("aws eu-west-1 eu-west-2", "one region"),
        ("aws 123456789012 210987654321", "one account"),
    ],
)
def test_words_that_mean_nothing(words: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_request(words.split())


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
