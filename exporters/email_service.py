"""The specification's `EmailService`: reports and alerts by mail.

Its methods answer True or False as the specification wants it; beneath them lies `Mailer.send`, which raises, and answers address by
address. The rest of the bot uses that one, through `EmailService.mailer`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from audit.errors import ConfigError, InputError
from exporters.brand import Brand
from exporters.mail_alert import EscalationLevel, alert_mail
from exporters.mail_model import DEFAULT_MAX_BYTES, MEDIA_TYPES, Attachment, AttachmentLike, Mail
from exporters.mail_options import MailAccount, MailOptions, to_mailer
from exporters.mail_report import DeliveryError
from exporters.text import clip, one_line
from exporters.writing import AnyPath

if TYPE_CHECKING:  # smtplib, structlog and tenacity come with the first mail
    from exporters.mail_sender import Mailer

_REPORT_FORMATS: Mapping[str, str] = {
    **dict.fromkeys(("pdf",), MEDIA_TYPES[".pdf"]),
    **dict.fromkeys(("html", "executive", "email"), MEDIA_TYPES[".html"]),
    **dict.fromkeys(("json", "generic", "gitlab", "github", "jenkins", "ocsf"), MEDIA_TYPES[".json"]),
    **dict.fromkeys(("sarif",), MEDIA_TYPES[".sarif"]),
    **dict.fromkeys(("csv", "tracker", "compliance", "summary"), MEDIA_TYPES[".csv"]),
}


class EmailService:
    """Sends reports and alerts by mail, over TLS.

    What is not given comes from the environment: `SMTP_SERVER`, `SMTP_PORT` (587), `SENDER_EMAIL`, `SENDER_PASSWORD`, and
    `SMTP_USERNAME` where that is not the sender's address. Port 465 begins with TLS, any other demands STARTTLS. Without a password
    nobody signs in; one is never shown, logged or sent without TLS.

    Methods that answer with a bool say True only if the server accepted the mail for every recipient. Where the service or its
    settings are at fault they log it, keep it as `last_error` (whose `report` goes address by address) and say False; where the
    mail itself is, they raise. `last_error` belongs to the last call: threads share `mailer` instead.

    Args:
        smtp_server: host name or address.
        smtp_port: where it listens.
        sender_email: the bare address mails come from.
        sender_password: for that address, or an app password.
        options: see `MailOptions`.

    Raises:
        ConfigError: nothing here; `mailer` says what is missing or wrong, once it is needed.
    """

    def __init__(
        self,
        smtp_server: str | None = None,
        smtp_port: int | str | None = None,
        sender_email: str | None = None,
        sender_password: str | None = None,
        **options: Unpack[MailOptions],
    ) -> None:
        self.last_error: ConfigError | DeliveryError | None = None
        self._account = MailAccount.read(
            smtp_server,
            smtp_port,
            sender_email,
            password=sender_password,
            username=options.get("smtp_username"),
        )
        self._options = options

    def __repr__(self) -> str:
        return f"EmailService({self._account.host}:{self._account.port} as {self._account.sender})"

    @cached_property
    def mailer(self) -> "Mailer":
        """Return what sends the mails, and raises.

        Raises:
            ConfigError: a setting is missing or wrong; names it.
        """
        return to_mailer(self._account, self._options)

    def send_report(  # noqa: PLR0913, PLR0917 - the specification's signature
        self,
        recipient_emails: str | Iterable[str],
        subject: str,
        html_content: str,
        attachments: Iterable[AttachmentLike | Attachment] | None = None,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        reply_to: str | None = None,
    ) -> bool:
        """Send a page as a mail, with files if wanted: each a path, or a name with its bytes and media type.

        Raises:
            InputError: an address, header or attachment cannot be used; names it. Nothing was sent.
            RefusedError: a recipient's domain is not allowed. Nothing was sent.
        """
        return self._deliver(
            Mail(
                to=recipient_emails,
                subject=subject,
                html=html_content,
                attachments=tuple(attachments or ()),
                cc=cc,
                bcc=bcc,
                reply_to=reply_to,
            )
        )

    def send_report_with_attachment(
        self,
        recipient_emails: str | Iterable[str],
        subject: str,
        html_content: str,
        report_file_path: AnyPath,
        report_format: str = "pdf",
    ) -> bool:
        """Send a page with one report attached. The file's own suffix says what it is; `report_format` does where it has none.

        Raises:
            InputError: see `send_report`; or there is no such format.
            RefusedError: see `send_report`.
        """
        if not (media_type := _REPORT_FORMATS.get(report_format.strip().lower())):
            known = ", ".join(_REPORT_FORMATS)
            raise InputError(f"report_format: “{one_line(clip(report_format, 40))}” is none of {known}")
        most = self._options.get("max_bytes", DEFAULT_MAX_BYTES)
        report = Attachment.from_path(report_file_path, media_type=media_type, most=most)
        return self.send_report(recipient_emails, subject, html_content, [report])

    def send_critical_alert(
        self,
        recipient_emails: str | Iterable[str],
        finding_data: Mapping[str, object],
        escalation_level: str = "HIGH",
    ) -> bool:
        """Send one finding as an alert. The level decides its words, its colour and how mail programs ring.

        Raises:
            InputError: see `send_report`; no such level; or the finding has no title.
            RefusedError: see `send_report`.
        """
        level = EscalationLevel.named(escalation_level)
        brand = self._options.get("brand", Brand())
        return self._deliver(alert_mail(recipient_emails, finding_data, level=level, brand=brand))

    def test_connection(self) -> bool:
        """Connect, check the certificate, sign in, and leave without sending anything."""
        return self._answer(lambda mailer: mailer.check())

    def _deliver(self, mail: Mail) -> bool:
        return self._answer(lambda mailer: mailer.send(mail).require_complete())

    def _answer(self, act: Callable[["Mailer"], object]) -> bool:
        """Put on the specification's face: True, or False with `last_error` set."""
        self.last_error = None
        try:
            act(self.mailer)
        except (ConfigError, DeliveryError) as error:
            self.last_error = error
            import structlog

            structlog.get_logger().warning("mail failed", error=str(error))
        return self.last_error is None
