"""What the database says when it cannot, in words a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from audit.errors import ConfigError, CountersignError

_BUSY = "the database is locked: another program keeps it busy; nothing was changed, try again"
_FULL = "the disk that holds the database is full: free some space; nothing was changed"
_TABLES = "the database's tables are not those this program needs: run `countersign db upgrade`"
_SHUT = "DATABASE_URL: the database cannot be opened; check that its folder exists and may be written to"
_READ_ONLY = "DATABASE_URL: the database may not be written to; check who owns its file and folder"
_FOREIGN = "DATABASE_URL: the file is no SQLite database, or a damaged one"
_AWAY = "DATABASE_URL: the database server does not answer, or refuses this user or name"

# Parts of the messages of SQLite (sqlite3ErrStr in its main.c) and of Postgres; the first that fits decides.
_WORDS: tuple[tuple[str, type[CountersignError], str], ...] = (
    ("connection", ConfigError, _AWAY),
    ("is locked", CountersignError, _BUSY),
    ("disk is full", CountersignError, _FULL),
    ("no space left", CountersignError, _FULL),
    ("no such table", ConfigError, _TABLES),
    ("no such column", ConfigError, _TABLES),
    ("has no column named", ConfigError, _TABLES),
    ("does not exist", ConfigError, _TABLES),
    ("unable to open database", ConfigError, _SHUT),
    ("readonly database", ConfigError, _READ_ONLY),
    ("not a database", ConfigError, _FOREIGN),
    ("malformed", ConfigError, _FOREIGN),
)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what a database can do to anyone into our errors. What is left is a bug, and stays as it is."""
    try:
        yield
    except PoolTimeoutError as error:
        raise CountersignError(_BUSY) from error
    except IntegrityError:  # Postgres quotes the row in it, so the words may be anybody's
        raise
    except DBAPIError as error:
        raised = _translate(error)
        if raised is None:
            raise
        raise raised from error


def _translate(error: DBAPIError) -> CountersignError | None:
    said = str(error.orig).lower()
    for part, kind, words in _WORDS:
        if part in said:
            return kind(words)
    return None
