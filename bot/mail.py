"""Mail, put together from the environment and the configuration."""

from functools import partial

from bot.config import Config
from bot.links import ReportLinks
from bot.settings import Settings
from bot.style import make_brand, make_style
from exporters.email_service import EmailService
from exporters.formats import export_formats
from exporters.mail_options import MailOptions
from exporters.mail_security import Security
from exporters.mailing import MailService
from exporters.service import ExportService
from remediation.service import utc_now
from storage import Stores


def make_email_service(settings: Settings, config: Config) -> EmailService:
    """Return the specification's service; its account comes from SMTP_SERVER and its like.

    A bot that may talk to this machine only sends without TLS, to an inbox on this machine.
    """
    options = MailOptions(allowed_domains=config.email.allowed_domains, brand=make_brand(settings, config))
    if settings.countersign_loopback_only:
        options["security"] = Security.PLAIN_LOOPBACK
    return EmailService(**options)


def make_mail_service(settings: Settings, config: Config, stores: Stores) -> MailService:
    """Return the use case that mails stored reports."""
    style = make_style(settings, config)
    exports = ExportService(
        reports=stores.reports, trail=stores.trail, clock=utc_now, formats=export_formats(style)
    )
    service, links = make_email_service(settings, config), settings.report_links()
    link_to = partial(_link, links) if links else None
    return MailService(exports=exports, mailer=lambda: service.mailer, style=style, link_to=link_to)


def _link(links: ReportLinks, report_id: str) -> str:
    return links.make(report_id, now=utc_now())
