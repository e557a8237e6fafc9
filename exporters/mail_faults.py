"""What went wrong while talking to a mail server, in words, and whether another try makes sense."""

import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from exporters.mail_report import Refusal
from exporters.mail_security import Security
from exporters.mail_server import SmtpServer
from exporters.text import clip, one_line

_OK = range(200, 300)
_TEMPORARY = range(400, 500)
_LONGEST_REPLY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure. `code` is the server's reply code (RFC 5321 §4.2), 0 where it did not come to a reply."""

    reason: str
    code: int = 0
    is_temporary: bool = False

    @classmethod
    def of_reply(cls, server: SmtpServer, code: int, text: bytes | str) -> Self:
        """Read a reply: 4xx is worth another try, 5xx is not; no reply at all (-1) is like a lost connection."""
        return cls(
            reason=reply_text(server, text),
            code=max(code, 0),
            is_temporary=code in _TEMPORARY or code < 0,
        )

    def to_refusal(self) -> Refusal:
        """Return what the report says."""
        return Refusal(self.code, self.reason)


def is_ok(code: int) -> bool:
    """Tell whether a reply code means yes."""
    return code in _OK


def reply_text(server: SmtpServer, text: bytes | str) -> str:
    """Return a server's words on one line, bounded, without our password."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return clip(one_line(server.scrub(words)), _LONGEST_REPLY)


def to_fault(error: OSError, server: SmtpServer) -> Fault:
    """Give an error from `SmtpServer.connected` or a conversation its words."""
    for kind, explain in _EXPLAINERS:
        if isinstance(error, kind):
            return explain(error, server)
    return Fault(reason=f"{server.name} cannot be reached: {error.strerror or error}", is_temporary=True)


def _sign_in(error: smtplib.SMTPAuthenticationError, server: SmtpServer) -> Fault:
    reply = Fault.of_reply(server, error.smtp_code, error.smtp_error)
    advice = "check SENDER_EMAIL and SENDER_PASSWORD (most services want an app password, see docs/email.md)"
    return Fault(
        reason=f"{server.name} refuses the sign-in: {reply.reason}. Next: {advice}",
        code=reply.code,
        is_temporary=reply.is_temporary,
    )


def _reply(error: smtplib.SMTPResponseException, server: SmtpServer) -> Fault:
    return Fault.of_reply(server, error.smtp_code, error.smtp_error)


def _unsupported(error: smtplib.SMTPNotSupportedError, server: SmtpServer) -> Fault:
    if server.security is Security.STARTTLS and "STARTTLS" in str(error):
        return Fault(reason=f"{server.name} offers no STARTTLS, so neither password nor mail was sent")
    return Fault(reason=f"{server.name} offers no sign-in with a password: {reply_text(server, str(error))}")


def _no_method(error: smtplib.SMTPException, server: SmtpServer) -> Fault:
    return Fault(reason=f"{server.name} cannot be used: {reply_text(server, str(error))}")


def _hung_up(error: smtplib.SMTPServerDisconnected, server: SmtpServer) -> Fault:
    if isinstance(error.__context__, TimeoutError):
        return _timed_out(error.__context__, server)
    return Fault(reason=f"{server.name} closed the connection", is_temporary=True)


def _timed_out(_error: OSError, server: SmtpServer) -> Fault:
    return Fault(reason=f"{server.name} did not answer within {server.timeout_s:g} s", is_temporary=True)


def _untrusted(error: ssl.SSLCertVerificationError, server: SmtpServer) -> Fault:
    return Fault(
        reason=f"{server.name} shows a certificate we cannot trust: {one_line(error.verify_message)}. Nothing was sent"
    )


def _no_tls(error: ssl.SSLError, server: SmtpServer) -> Fault:
    advice = "465 begins with TLS, 587 and 25 with STARTTLS"
    return Fault(reason=f"{server.name} does not agree on TLS ({one_line(error.reason or '')}): {advice}")


def _unknown_host(error: socket.gaierror, server: SmtpServer) -> Fault:
    return Fault(
        reason=f"SMTP_SERVER: the name {server.host} is not known ({error.strerror})",
        is_temporary=error.errno == socket.EAI_AGAIN,
    )


def _forbidden(error: PermissionError, server: SmtpServer) -> Fault:
    return Fault(reason=f"{server.name} may not be reached: {error.strerror or error}")


_Explainer = Callable[..., Fault]
# From the special to the general: each is an OSError, and most are SMTPExceptions.
_EXPLAINERS: tuple[tuple[type[OSError], _Explainer], ...] = (
    (smtplib.SMTPAuthenticationError, _sign_in),
    (smtplib.SMTPResponseException, _reply),
    (smtplib.SMTPNotSupportedError, _unsupported),
    (smtplib.SMTPServerDisconnected, _hung_up),
    (smtplib.SMTPException, _no_method),
    (ssl.SSLCertVerificationError, _untrusted),
    (ssl.SSLEOFError, _hung_up),
    (ssl.SSLError, _no_tls),
    (socket.gaierror, _unknown_host),
    (PermissionError, _forbidden),
    (TimeoutError, _timed_out),
)
