"""The mail about one finding that somebody should see now."""

from collections.abc import Iterable, Mapping
from enum import Enum

from audit.errors import InputError
from exporters.brand import Brand
from exporters.mail_model import Mail
from exporters.templating import template
from exporters.text import clip, one_line, web_url

_LONGEST_SUBJECT = 200
_LONGEST_TEXT = 4000
_FACTS = {
    "severity": "Severity",
    "resource": "Resource",
    "resource_type": "Type",
    "account_id": "Account",
    "region": "Region",
    "category": "Category",
    "check_id": "Check",
    "id": "Finding",
}


class EscalationLevel(Enum):
    """How loud an alert is: the words it opens with, its colour, and the headers that mail programs sort and ring by.

    `X-Priority` counts down from 5 to 1 and is a custom, `Importance` stands in RFC 2156 §2.3.4; programs read one or the other.
    """

    LOW = ("#1f5c8a", "5 (Lowest)", "low", "For your information.")
    MEDIUM = ("#735400", "3 (Normal)", "normal", "Plan a fix into regular work.")
    HIGH = ("#9a3d0a", "2 (High)", "high", "Look at this today.")
    CRITICAL = ("#9b1c31", "1 (Highest)", "high", "Act now.")

    def __init__(self, colour: str, priority: str, importance: str, call: str) -> None:
        self.colour = colour
        self.headers = {"X-Priority": priority, "Importance": importance}
        self.call = call

    @classmethod
    def named(cls, word: str) -> "EscalationLevel":
        """Return a level by its name, in any case.

        Raises:
            InputError: there is none of that name; lists them.
        """
        try:
            return cls[word.strip().upper()]
        except (KeyError, AttributeError):
            known = ", ".join(level.name for level in cls)
            raise InputError(f"escalation_level: “{_shown(word)}” is none of {known}") from None


def alert_mail(to: str | Iterable[str], finding: object, *, level: EscalationLevel, brand: Brand) -> Mail:
    """Write the alert about a finding in the specification's form; only its title is needed.

    What comes from the scanner is shown as text whatever it holds: an alert is not held back by a line feed in a title.

    Raises:
        InputError: there is no finding, or it has no title.
    """
    if not isinstance(finding, Mapping) or not (title := _text(finding, "title")):
        raise InputError("finding_data: an alert needs a finding with a title")
    heading = one_line(title)
    return Mail(
        to=to,
        subject=clip(f"[{level.name}] {heading}", _LONGEST_SUBJECT),
        html=_render(finding, heading, level, brand),
        headers=level.headers,
    )


def _render(finding: Mapping[str, object], heading: str, level: EscalationLevel, brand: Brand) -> str:
    return template("alert_email.html.j2").render(
        brand=brand,
        level=level,
        title=clip(heading, _LONGEST_TEXT),
        facts={
            label: clip(text, _LONGEST_TEXT)
            for name, label in _FACTS.items()
            if (text := _text(finding, name))
        },
        description=clip(_text(finding, "description"), _LONGEST_TEXT),
        evidence=clip(_text(finding, "evidence"), _LONGEST_TEXT),
        remediation=clip(_text(finding, "remediation"), _LONGEST_TEXT),
        reference_url=web_url(_text(finding, "reference_url")),
    )


def _text(finding: Mapping[str, object], name: str) -> str:
    value = finding.get(name)
    return "" if value is None else str(value).strip()


def _shown(word: object) -> str:
    return clip(one_line(str(word)), 40)
