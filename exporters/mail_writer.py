"""The report as the body of a mail: tables 600 pixels wide, styles on the elements, bars that are table cells.

Mail programs run no script and show neither SVG nor `data:` images; Outlook on Windows lays out with Word. Gmail cuts a mail at
about 102 kB, so every list and every text here has an end, whatever the report's size.
"""

from dataclasses import dataclass, field
from datetime import datetime

from audit.errors import ConfigError
from audit.findings import Severity
from exporters.brand import Brand
from exporters.open_now import OpenNow, as_of_now
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource
from exporters.templating import inline_styles, mail_style_sheet, template
from exporters.text import percent, web_url
from exporters.view import minute, posture, pressing, severity_counts, weakest

LARGEST_MAIL = 102_000
MOST_ALERTS = 5
MOST_ADVICE = 5
MOST_FRAMEWORKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStyle:
    """Whose mail it is, to whom, and where its buttons lead; a button without an address is not shown.

    Raises:
        ConfigError: an address that is no web address.
    """

    brand: Brand = field(default_factory=Brand)
    recipient_name: str = ""
    report_url: str = ""
    dashboard_url: str = ""
    has_buttons: bool = True

    def __post_init__(self) -> None:
        for address in (self.report_url, self.dashboard_url):
            if address and not web_url(address):
                raise ConfigError(f"“{address[:60]}” is no web address a mail's button could lead to")

    @property
    def buttons(self) -> dict[str, str]:
        """Return the buttons that lead somewhere: label to address."""
        if not self.has_buttons:
            return {}
        buttons = {"View Report": self.report_url, "View Dashboard": self.dashboard_url}
        return {label: address for label, address in buttons.items() if address}


PLAIN_MAIL = MailStyle()


def write_mail(
    source: ReportSource,
    out: ByteSink,
    *,
    now: datetime,
    style: MailStyle = PLAIN_MAIL,
    open_now: OpenNow | None = None,
) -> Written:
    """Write the mail's HTML, below Gmail's limit; where `open_now` is given, it counts and lists that in place of what the scan found."""
    source = as_of_now(source, open_now) if open_now else source
    header, brand = source.header, style.brand
    summary = header.summary
    page = template("mail.html.j2").render(
        brand=brand,
        style=mail_style_sheet("mail.css", brand),
        open_now=open_now,
        header=header,
        scanned=minute(header.generated_at),
        exported=minute(now),
        recipient=style.recipient_name,
        posture=posture(summary),
        counts=severity_counts(summary),
        most=max(1, *severity_counts(summary).values()),
        alerts=[found for found in pressing(source, MOST_ALERTS) if found.severity is Severity.CRITICAL],
        advice=header.recommendations[:MOST_ADVICE],
        frameworks=weakest(header.compliance, MOST_FRAMEWORKS),
        percent=percent,
        buttons=style.buttons,
    )
    out.write(inline_styles(page).encode())
    return Written(summary["total_findings"])
