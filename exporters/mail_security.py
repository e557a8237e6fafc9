"""What is secret about mail and how it is kept so. Importing this costs nothing; the protocol itself is in `exporters.mail_server`."""

from enum import StrEnum
from typing import NoReturn

IMPLICIT_TLS_PORT = 465
SUBMISSION_PORT = 587
DEFAULT_TIMEOUT_S = 20.0


class Security(StrEnum):
    """How the connection is kept private. `PLAIN_LOOPBACK` is for an inbox on this very machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN_LOOPBACK = "plain-loopback"

    @classmethod
    def for_port(cls, port: int) -> "Security":
        """Return what the port is registered for: TLS from the first byte on 465 (RFC 8314 §3.3), else STARTTLS."""
        return cls.TLS if port == IMPLICIT_TLS_PORT else cls.STARTTLS


class Secret:
    """A text that shows itself to nobody who does not ask for it by name; it cannot be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")
