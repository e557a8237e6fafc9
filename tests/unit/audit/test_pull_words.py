"""What the words of a pull mean, and that they are read back as they are stored."""

import pytest

from audit.errors import InputError
from audit.findings import Severity
from audit.pull_words import read_pull, spell_pull
from audit.pulling import PullRequest


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
        ("aws Archived since:7", PullRequest(with_archived=True, since_days=7)),
    ],
)
def test_words_in_any_order(words: str, meant: PullRequest) -> None:
    assert read_pull(words.split()) == meant


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("gcp", "come from aws"),
        ("aws everywhere", "is not a severity"),
        ("aws eu-west-1 eu-west-2", "one region"),
        ("aws 123456789012 210987654321", "one account"),
        ("aws since:7 since:8", "at most"),
        ("aws since:9999", "0 to 3650"),
        ("aws eu-west-\N{ARABIC-INDIC DIGIT ONE}", "is not a severity"),
        ("", "come from aws"),
    ],
)
def test_words_that_mean_nothing(words: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_pull(words.split())


@pytest.mark.parametrize(
    "words",
    ["aws", "aws eu-central-1 123456789012 critical high archived since:7", "aws info"],
)
def test_they_are_stored_as_words(words: str) -> None:
    assert spell_pull(read_pull(words.split())) == words
    assert spell_pull(read_pull([*words.split(), "high", "critical"])) == spell_pull(
        read_pull([*words.split(), "critical", "high", "high"])
    )
