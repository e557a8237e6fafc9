"""What IAM's credential report says of the root user and each user's console password.

AWS makes a new one at most every four hours: what changed since is seen by the next audit.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

from audit.collect.facts import Facts, Unread
from audit.collect.reader import Ask, Reader, unread
from audit.errors import ActionError, Cause, TemporaryActionError

GENERATE: Final = Ask("iam", "generate_credential_report", "iam:GenerateCredentialReport")
GET: Final = Ask("iam", "get_credential_report", "iam:GetCredentialReport")
ASKS: Final = (GENERATE, GET)
ROOT: Final = "<root_account>"
_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
_NO_TIME: Final = frozenset({"", "N/A", "no_information", "not_supported"})


def read_credentials(reader: Reader) -> dict[str, Facts] | Unread:
    """Return the facts by user name, the root user's under `ROOT`; why not, where it cannot be read."""
    try:
        _make(reader)
    except ActionError as error:
        return unread(error, GENERATE)
    try:
        answer = reader.read(GET)
    except ActionError as error:
        return unread(error, GET)
    content = bytes(answer["Content"]).decode("utf-8") if answer else ""
    return {row["user"]: _facts(row) for row in csv.DictReader(io.StringIO(content)) if row.get("user")}


def _make(reader: Reader) -> None:
    """Have AWS make the report, and wait for it."""
    for pause in _WAITS_S:
        answer = reader.read(GENERATE)
        if answer and answer.get("State") == "COMPLETE":
            return
        reader.sleep(pause)
    raise TemporaryActionError("IAM has not finished its credential report", cause=Cause.TIMED_OUT)


def _facts(row: dict[str, str]) -> Facts:
    facts: dict[str, object] = {
        "arn": row.get("arn", ""),
        "password_enabled": row.get("password_enabled") == "true",
        "mfa_active": row.get("mfa_active") == "true",
        "password_last_used": _time(row.get("password_last_used")),
        "password_last_changed": _time(row.get("password_last_changed")),
    }
    return facts | {"last_used": max(_uses(row), default=None)}


def _uses(row: dict[str, str]) -> Iterator[str]:
    """Yield when password and keys were last used; texts of one form, so that they compare as times."""
    names = ("password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date")
    return filter(None, (_time(row.get(name)) for name in names))


def _time(cell: str | None) -> str | None:
    return None if cell is None or cell in _NO_TIME else cell
