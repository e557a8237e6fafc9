"""Putting the file's name before what is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from audit.errors import InputError


def printable(name: str) -> str:
    """Return a name that stays on its line: what cannot be printed becomes U+FFFD."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Name the file in the errors that are raised here."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{printable(name)}: {printable(str(error))}") from None
