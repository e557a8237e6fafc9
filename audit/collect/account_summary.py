"""What IAM's account summary says of the root user: as of now, unlike the credential report."""

from typing import Final

from audit.collect.facts import Facts
from audit.collect.reader import Answer, Ask, Reader

SUMMARY: Final = Ask("iam", "get_account_summary", "iam:GetAccountSummary")
ASKS: Final = (SUMMARY,)


def read_root(reader: Reader) -> Facts:
    """Return whether the root user has MFA, and its access keys."""
    return {
        "mfa_active": reader.value(SUMMARY, lambda answer: _count(answer, "AccountMFAEnabled") > 0),
        "access_keys": reader.value(SUMMARY, lambda answer: _count(answer, "AccountAccessKeysPresent")),
    }


def _count(answer: Answer, name: str) -> int:
    return int(answer["SummaryMap"].get(name, 0))
