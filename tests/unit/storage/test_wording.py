import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from audit.errors import ConfigError, CountersignError
from storage.wording import in_words


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("database is locked", CountersignError, "keeps it busy"),
        ("database table is locked: reports", CountersignError, "keeps it busy"),
        ("database or disk is full", CountersignError, "free some space"),
        ('could not extend file "base/1": No space left on device', CountersignError, "free some space"),
        ("no such table: reports", ConfigError, "countersign db upgrade"),
        ("no such column: reports.extra", ConfigError, "countersign db upgrade"),
        ("table reports has no column named extra", ConfigError, "countersign db upgrade"),
        ('relation "reports" does not exist\nLINE 1: SELECT', ConfigError, "countersign db upgrade"),
        ("unable to open database file", ConfigError, "cannot be opened"),
        ("attempt to write a readonly database", ConfigError, "may not be written to"),
        ("file is not a database", ConfigError, "no SQLite database"),
        ("database disk image is malformed", ConfigError, "no SQLite database"),
        ('connection failed: FATAL: database "x" does not exist', ConfigError, "does not answer"),
        ("server closed the connection unexpectedly", ConfigError, "does not answer"),
    ],
)
def test_what_can_happen_to_anyone_is_one_line(said: str, kind: type[CountersignError], words: str) -> None:
    with pytest.raises(CountersignError, match=words) as caught, in_words():
        raise OperationalError("SELECT secret", {}, Exception(said))
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_waiting_in_vain_for_a_connection_is_a_busy_database() -> None:
    with pytest.raises(CountersignError, match="busy"), in_words():
        raise PoolTimeoutError


@pytest.mark.parametrize(
    "said",
    [
        "UNIQUE constraint failed: executions.held",
        "DETAIL:  Key (held)=(arn:aws:directconnect:connection/dx-1) already exists.",
        "DETAIL:  Key (held)=(what does not exist) already exists.",
    ],
)
def test_a_bug_stays_as_it_is(said: str) -> None:
    bug = IntegrityError("INSERT", {}, Exception(said))
    with pytest.raises(IntegrityError) as caught, in_words():
        raise bug
    assert caught.value is bug
