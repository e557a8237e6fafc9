"""Hands mails to a server, and tries again where that makes sense.

Every recipient is accounted for: a mail that the server takes for three of five addresses is done for those three; a second try,
after a temporary refusal, goes to the others only. A connection that breaks after the last byte and before the server's answer
leaves open whether the mail was taken; it is sent again with the same Message-ID, for twice is better than not at all.
"""

import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from audit.errors import ConfigError
from exporters.clock import Clock, utc_now
from exporters.mail_faults import Fault, is_ok, to_fault
from exporters.mail_letter import Letter, MailRules, Sender, write_letter
from exporters.mail_model import DEFAULT_MAX_ATTEMPTS, Mail
from exporters.mail_report import DeliveryError, DeliveryReport, NotDeliveredYetError
from exporters.mail_server import SmtpServer

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCheck:
    """What a server said when asked: `tls` is the protocol's version, `max_bytes` its own limit (0: none named)."""

    name: str
    tls: str
    is_signed_in: bool
    max_bytes: int


@dataclass(slots=True)
class _Tally:
    """Who has the mail, who cannot get it, who still waits and why. Every address is in exactly one of the three."""

    waiting: dict[str, Fault | None]
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, Fault] = field(default_factory=dict)
    attempts: int = 0

    def accept(self, addresses: list[str]) -> None:
        for address in addresses:
            del self.waiting[address]
        self.accepted += addresses

    def fail(self, addresses: list[str], fault: Fault) -> None:
        for address in addresses:
            self.waiting[address] = fault
            if not fault.is_temporary:
                self.refused[address] = fault
                del self.waiting[address]

    def to_report(self, letter: Letter) -> DeliveryReport:
        faults = {**self.refused, **self.waiting}
        return DeliveryReport(
            message_id=letter.message_id,
            accepted=tuple(address for address in letter.recipients if address in self.accepted),
            refused={address: fault.to_refusal() for address, fault in faults.items() if fault},
            attempts=self.attempts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailer:
    """Sends mails through one server. Safe to share between threads: each mail has a connection of its own.

    Waits `sleep` seconds between at most `max_attempts` tries: 1, 2, 4 …, at most 30.
    """

    server: SmtpServer
    sender: Sender
    rules: MailRules = field(default_factory=MailRules)
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    clock: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ConfigError("max_attempts must be at least 1")

    def send(self, mail: Mail) -> DeliveryReport:
        """Send a mail; return who was accepted and who was not.

        Raises:
            InputError: the mail cannot be sent as it is; the server heard nothing of it.
            RefusedError: a recipient's domain is not allowed; nor of this.
            DeliveryError: nobody was accepted; its report says why, by address. `NotDeliveredYetError` where that may pass.
        """
        letter = write_letter(mail, sender=self.sender, rules=self.rules, now=self.clock())
        tally = _Tally(dict.fromkeys(letter.recipients))
        self._retrying()(self._attempt, letter, tally)
        report = tally.to_report(letter)
        _log_outcome(report, self.server)
        if not report.accepted:
            raise NotDeliveredYetError(report) if tally.waiting else DeliveryError(report)
        return report

    def check(self) -> ServerCheck:
        """Connect, encrypt, sign in, and leave again without sending anything.

        Raises:
            DeliveryError: any of it failed; the text says what and what to do.
        """
        try:
            with self.server.connected() as client:
                client.noop()
                return _facts(client, self.server)
        except OSError as error:
            fault = to_fault(error, self.server)
        raise DeliveryError(DeliveryReport(message_id=""), reason=str(fault.to_refusal()))

    def _retrying(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(self.max_attempts),
            wait=wait_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S),
            retry=retry_if_result(bool),
            retry_error_callback=_give_up,
            sleep=self.sleep,
        )

    def _attempt(self, letter: Letter, tally: _Tally) -> bool:
        """Try once for all who wait; tell whether anybody still does."""
        tally.attempts += 1
        try:
            with self.server.connected() as client:
                _Conversation(client, self.server, tally).deliver(letter)
        except OSError as error:
            tally.fail(list(tally.waiting), to_fault(error, self.server))
        return bool(tally.waiting)


def _give_up(_state: RetryCallState) -> None:
    """Leave those who wait as they are: the report names them."""


@dataclass(frozen=True, slots=True)
class _Conversation:
    """One mail transaction (RFC 5321 §3.3), with an answer for every address."""

    client: smtplib.SMTP
    server: SmtpServer
    tally: _Tally

    def deliver(self, letter: Letter) -> None:
        if not self._begin(letter):
            return
        takers = [address for address in list(self.tally.waiting) if self._takes(address)]
        if not takers:
            return
        code, text = self.client.data(letter.content)
        if is_ok(code):
            self.tally.accept(takers)
        else:
            self.tally.fail(takers, Fault.of_reply(self.server, code, text))

    def _begin(self, letter: Letter) -> bool:
        size = [f"size={len(letter.content)}"] if self.client.has_extn("size") else []
        code, text = self.client.mail(letter.sender, size)
        if not is_ok(code):
            self.tally.fail(list(self.tally.waiting), Fault.of_reply(self.server, code, text))
        return is_ok(code)

    def _takes(self, address: str) -> bool:
        code, text = self.client.rcpt(address)
        if not is_ok(code):
            self.tally.fail([address], Fault.of_reply(self.server, code, text))
        return is_ok(code)


def _facts(client: smtplib.SMTP, server: SmtpServer) -> ServerCheck:
    version = getattr(client.sock, "version", None)
    limit = client.esmtp_features.get("size", "").strip()
    return ServerCheck(
        name=server.name,
        tls=version() if version else "",
        is_signed_in=server.password is not None,
        max_bytes=int(limit) if limit.isdecimal() else 0,
    )


def _log_outcome(report: DeliveryReport, server: SmtpServer) -> None:
    facts = {
        "server": server.name,
        "message_id": report.message_id,
        "accepted": len(report.accepted),
        "attempts": report.attempts,
    }
    if report.is_complete:
        log.info("mail sent", **facts)
    else:
        refused = {address: str(refusal) for address, refusal in report.refused.items()}
        log.warning("mail refused", **facts, refused=refused)
