"""The use case behind `/report email` and `countersign report email`: a report as a mail, with the file attached.

The same road as every export (`exporters.service`): rendered, recorded in the trail, then handed over, here to a mailbox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

from audit.actor import Actor
from audit.findings import Severity
from audit.ports import LATEST
from audit.report import ReportHeader
from exporters.mail_delivery import MailDelivery
from exporters.mail_letter import write_letter
from exporters.mail_model import Mail
from exporters.mail_report import DeliveryReport
from exporters.mail_writer import MailStyle, write_mail
from exporters.open_now import OpenNow
from exporters.service import ExportRequest, ExportService, open_report
from exporters.text import clip, one_line

if TYPE_CHECKING:
    from exporters.mail_sender import Mailer

DEFAULT_ATTACHMENT = "html"
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRequest:
    """Who wants which report sent to whom; `format` names what is attached.

    `key` names the occasion (see `Mail`), `remark` is added to the subject. With `open_now` the mail is a digest: it counts and
    lists what is open at this moment; the file is the report's.
    """

    recipients: Sequence[str]
    actor: Actor
    report_id: str = LATEST
    format: str = DEFAULT_ATTACHMENT
    key: str = ""
    remark: str = ""
    open_now: OpenNow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailService:
    """Mails stored reports.

    `mailer` is asked when a mail is to be sent, so that a bot without mail settings runs until then. `link_to` makes the
    address behind the mail's button; None where the bot has no public address, and the mail then has no button.
    """

    exports: ExportService
    mailer: Callable[[], "Mailer"]
    style: MailStyle
    link_to: Callable[[str], str] | None = None

    def send(self, request: MailRequest) -> DeliveryReport:
        """Send a report; the answer says who was accepted and who was not.

        Raises:
            InputError: no such report or format, an address that is none, or a file too large for a mail.
            RefusedError: a recipient's domain is not allowed.
            ConfigError: mail is not set up; names the variable.
            TrailError: the trail cannot be written; nothing was sent.
            DeliveryError: nobody was accepted.
        """
        mailer = self.mailer()
        source = open_report(self.exports.reports, request.report_id)
        remark = f" ({request.remark})" if request.remark else ""
        mail = Mail(
            to=request.recipients,
            subject=f"{_subject(source.header, request.open_now)}{remark}",
            html=self._body(source.header, request.open_now),
            key=request.key,
        )
        # What cannot be sent is refused here, before the trail says that a report was handed out.
        write_letter(mail, sender=mailer.sender, rules=mailer.rules, now=self.exports.clock())
        delivery = MailDelivery(mailer, mail)
        self.exports.export(
            ExportRequest(
                format=request.format,
                actor=request.actor,
                report_id=source.header.report_id,
                destination=f"mail to {', '.join(request.recipients)}",
            ),
            delivery,
        )
        return delivery.report or DeliveryReport(message_id="")

    def _body(self, header: ReportHeader, open_now: OpenNow | None) -> str:
        link = self.link_to(header.report_id) if self.link_to else ""
        body = BytesIO()
        source = open_report(self.exports.reports, header.report_id)
        style = replace(self.style, report_url=link)
        write_mail(source, body, now=self.exports.clock(), style=style, open_now=open_now)
        return body.getvalue().decode()


def _subject(header: ReportHeader, open_now: OpenNow | None) -> str:
    if open_now is None:
        return subject_of(header)
    counts, name = open_now.counts, one_line(clip(header.name, _LONGEST_NAME))
    critical, high = counts.get(Severity.CRITICAL, 0), counts.get(Severity.HIGH, 0)
    about = one_line(clip(open_now.about, _LONGEST_NAME))
    return f"Security digest: {critical:,} critical, {high:,} high open in {about}, with {name}"


def subject_of(header: ReportHeader) -> str:
    """Return a subject that says at a glance whether to open the mail."""
    summary, name = header.summary, one_line(clip(header.name, _LONGEST_NAME))
    return f"Security report: {summary['critical']} critical, {summary['high']} high in {name}"
