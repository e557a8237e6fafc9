"""The words that what waits is searched by."""

import pytest

from audit.errors import InputError
from audit.findings import Severity
from remediation.pending_query import ALL_PENDING, PendingQuery, parse_pending, spell_pending

WHOLE = PendingQuery(
    severities=frozenset({Severity.CRITICAL, Severity.HIGH}),
    accounts=frozenset({"123456789012", "987654321098"}),
    playbooks=frozenset({"AWS-PUBLIC-S3", "CLOSE-DOOR"}),
    is_mine=True,
)


def test_what_was_read_is_spelled_and_read_again() -> None:
    words = [
        "MINE",
        "Severity:high,critical",
        "account:123456789012",
        "account:987654321098",
        "playbook:AWS-PUBLIC-S3,CLOSE-DOOR",
    ]
    assert parse_pending(words) == WHOLE
    assert parse_pending(spell_pending(WHOLE)) == WHOLE
    assert parse_pending([" "]) == ALL_PENDING
    assert spell_pending(ALL_PENDING) == []


@pytest.mark.parametrize(
    "word", ["overdue", "status:all", "check:x", "text:x", "bucket", "playbook: ,", "mine:"]
)
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(InputError):
        parse_pending([word])
