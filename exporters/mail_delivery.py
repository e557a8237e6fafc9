"""A mailbox as the place an exported report is handed over to (`/report email`, `countersign report email`, schedules)."""

from dataclasses import dataclass, replace

from exporters.mail_model import Attachment, Mail, require_size
from exporters.mail_report import DeliveryReport
from exporters.mail_sender import Mailer
from exporters.ports import ExportedFile


@dataclass(slots=True)
class MailDelivery:
    """Attaches the file to `mail` and sends that. `report` then says who was accepted and who was not."""

    mailer: Mailer
    mail: Mail
    report: DeliveryReport | None = None

    def deliver(self, file: ExportedFile) -> None:
        """Send the mail.

        Raises:
            InputError: the file is too large for a mail, or something in the mail cannot be sent.
            RefusedError: a recipient's domain is not allowed.
            DeliveryError: nobody was accepted. A partial refusal is no error here: look at `report`.
        """
        require_size(file.size, what=f"{file.name}", most=self.mailer.rules.max_bytes)
        attachment = Attachment(file.name, file.content.read(), file.media_type)
        self.report = self.mailer.send(replace(self.mail, attachments=(*self.mail.attachments, attachment)))
