"""One finding as a table row, and the head of its check: pure text, everything from outside escaped."""

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import escape

from audit.findings import FindingDict, Severity
from exporters.text import clip, showable, web_url

LONGEST_SHOWN = 20_000
_MOST_CONTROLS = 40
_STATUS_WORDS = {"FAIL": "Failing", "PASS": "Passed", "MANUAL": "For review"}
MUTED, FAILING, FOR_REVIEW = "Muted", "Failing", "For review"
_GROUP_TEXTS = ("title", "description", "remediation")

GroupKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A check and what is said once for all its resources; `first` is the finding that opened it, the last two are HTML."""

    key: GroupKey
    first: FindingDict
    severity: Severity
    title: str
    body: str


class Row(NamedTuple):
    """A shaped finding: the group it belongs to, its status in a word, its cells as HTML."""

    group: Group
    status: str
    html: str


def key_of(record: FindingDict) -> GroupKey:
    """Return what findings of one group share: the severity and the check, or the title where no check is named."""
    return (record["severity"], record.get("check_id") or record["title"])


def status_of(record: FindingDict) -> str:
    """Return the status in a word for people.

    Raises:
        KeyError: it is none of the three.
    """
    word = _STATUS_WORDS[record["status"]]
    return MUTED if record.get("muted") else word


def row_html(record: FindingDict, first: FindingDict, status: str) -> str:
    """Return the cells of one finding: resource, where, what was found, status, id.

    `first` is the finding whose texts stand in the group's head; only texts that differ from them are repeated here.
    """
    kind, place = record.get("resource_type", ""), _place(record)
    html = (
        f'<tr><th scope="row">{_text(record["resource"])}{_aside(kind)}</th>'
        f"<td>{_text(place)}</td><td>{_text(_found(record, first))}</td>"
        f"<td>{status}</td><td>{_text(record['id'])}</td></tr>"
    )
    return html if html.isprintable() else showable(html)


def _text(text: str) -> str:
    return escape(clip(text, LONGEST_SHOWN))


def _aside(text: str) -> str:
    return f"<small>{_text(text)}</small>" if text else ""


def _place(record: FindingDict) -> str:
    account, region = record.get("account_id", ""), record.get("region", "")
    return f"{account} · {region}" if account and region else account or region


def _found(record: FindingDict, first: FindingDict) -> str:
    evidence = record.get("evidence", "")
    if record is first:
        return evidence
    own = [record[name] for name in _GROUP_TEXTS if record[name] != first[name]]  # type: ignore[literal-required]
    return "\n".join(filter(None, [evidence, *own])) if own else evidence


def open_group(record: FindingDict) -> Group:
    """Return the group that this finding opens.

    Raises:
        ValueError: its severity is none of ours.
    """
    return Group(
        key=key_of(record),
        first=record,
        severity=Severity(record["severity"]),
        title=_text(showable(record["title"])),
        body=showable(_body(record)),
    )


def _body(record: FindingDict) -> str:
    return (
        '<div class="what">'
        f"{_origin(record)}"
        f"{_paragraph('What it means', record['description'])}"
        f"{_paragraph('How to fix it', record['remediation'])}"
        f"{_reference(record.get('reference_url', ''))}"
        f"{_controls(record.get('compliance', {}))}"
        "</div>"
    )


def _origin(record: FindingDict) -> str:
    parts = (record.get("check_id", ""), record["category"], record.get("service", ""))
    names = list(dict.fromkeys(part for part in parts if part))
    return f'<p class="origin">{_text(" · ".join(names))}</p>' if names else ""


def _paragraph(head: str, text: str) -> str:
    return f"<h5>{head}</h5><p>{_text(text)}</p>" if text.strip() else ""


def _reference(url: str) -> str:
    """Link only what a browser may follow; anything else is shown as the text it is."""
    if not url:
        return ""
    if not (address := web_url(url)):
        return f'<p class="reference">{_text(url)}</p>'
    link = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{_text(address)}</a>'
    return f'<p class="reference">Reference: {link}</p>'


def _controls(compliance: dict[str, list[str]]) -> str:
    if not compliance:
        return ""
    shown = [f"{name} {', '.join(controls)}" for name, controls in list(compliance.items())[:_MOST_CONTROLS]]
    items = "".join(f"<li>{_text(text)}</li>" for text in shown)
    return f'<ul class="controls" aria-label="Controls this bears on">{items}</ul>'
