"""The demo's mail server: it keeps every mail and passes none on.

It listens on this machine only, without TLS and without a password, and forgets the oldest mails first.
"""

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.sandbox.mails import Mail
from exporters.clock import Clock, utc_now
from exporters.mail_model import DEFAULT_MAX_BYTES

MOST_MAILS = 200
MOST_BYTES = 4 * DEFAULT_MAX_BYTES
_HOST = "127.0.0.1"
_START_S = 60.0


@dataclass(repr=False, eq=False)
class Inbox:
    """A running mail server on 127.0.0.1 and what arrived there.

    `port` is where it listens; `listeners` are called after each mail, from the server's thread; `largest` is the
    most bytes that one mail may have.
    """

    port: int
    largest: int
    clock: Clock
    listeners: list[Callable[[], None]] = field(default_factory=list)
    _mails: list[Mail] = field(default_factory=list)
    _arrival: threading.Condition = field(default_factory=threading.Condition)
    _server: "_Server | None" = None

    @classmethod
    def start(cls, *, port: int = 0, largest: int = DEFAULT_MAX_BYTES, clock: Clock = utc_now) -> Self:
        """Start the server in a thread of its own; `port` 0 takes a free one. Raises OSError."""
        listener = socket.create_server((_HOST, port))
        inbox = cls(listener.getsockname()[1], largest, clock)
        inbox._server = _Server(_Postman(inbox.put), largest)
        inbox._server.start(listener)
        return inbox

    def stop(self) -> None:
        """End every conversation and the server thread; the mails stay readable."""
        if self._server:
            self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def mails(self) -> tuple[Mail, ...]:
        """Every mail still kept, newest first."""
        with self._arrival:
            return tuple(reversed(self._mails))

    def mail(self, mail_id: str) -> Mail:
        """One mail by its id; raises LookupError."""
        for mail in self.mails():
            if mail.id == mail_id:
                return mail
        raise LookupError(f"no mail {mail_id}")

    def wait_for(self, matches: Callable[[Mail], bool] = lambda _: True, timeout_s: float = 5.0) -> Mail:
        """The newest mail that matches, as soon as there is one; raises TimeoutError."""

        def see() -> Mail | None:
            return next(filter(matches, reversed(self._mails)), None)

        with self._arrival:
            found = self._arrival.wait_for(see, timeout_s)
            if found is None:
                subjects = [mail.subject for mail in self._mails]
                raise TimeoutError(f"no such mail within {timeout_s} s; subjects so far: {subjects}")
            return found

    def put(self, envelope: Envelope) -> None:
        """Keep what a client handed over, then tell everyone who waits or listens."""
        mail = _open_envelope(envelope, now=self.clock())
        with self._arrival:
            self._mails.append(mail)
            self._forget_oldest()
            self._arrival.notify_all()
        for listener in tuple(self.listeners):
            listener()

    def _forget_oldest(self) -> None:
        while len(self._mails) > MOST_MAILS or sum(mail.size for mail in self._mails) > MOST_BYTES:
            del self._mails[0]


def _open_envelope(envelope: Envelope, *, now: datetime) -> Mail:
    content = envelope.original_content or b""
    ident = secrets.token_hex(8)  # never the same in two runs: the page remembers by it what was read
    return Mail.parse(
        content, ident=ident, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos, now=now
    )


@dataclass(frozen=True, slots=True)
class _Postman:
    """What aiosmtpd calls for each mail."""

    put: Callable[[Envelope], None]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        self.put(envelope)
        return "250 2.0.0 Kept here; it goes no further"


@dataclass(eq=False)
class _Server:
    """aiosmtpd on an event loop in a thread of its own."""

    postman: _Postman
    largest: int
    _ready: threading.Event = field(default_factory=threading.Event)
    _end: Callable[[], object] = lambda: None
    _thread: threading.Thread | None = None

    def start(self, listener: socket.socket) -> None:
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener)), name="inbox", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise OSError("the mail server did not start")

    def stop(self) -> None:
        if self._thread and self._thread.is_alive():
            self._end()
            self._thread.join()

    async def _serve(self, listener: socket.socket) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        self._end = partial(loop.call_soon_threadsafe, over.set)
        server = await loop.create_server(partial(self._make_session, loop), sock=listener)
        self._ready.set()
        await over.wait()
        server.close()  # conversations under way end with the loop

    def _make_session(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        # Without a name it would ask the DNS for its own, which the demo's fence forbids.
        return SMTP(
            self.postman, data_size_limit=self.largest, enable_SMTPUTF8=True, hostname="localhost", loop=loop
        )
