"""One finding as a table row, and the head of its check: pure text, everything from outside escaped."""

import re
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from markupsafe import escape

from audit.findings import FindingDict, Severity
from exporters.text import clip, showable, web_url

LONGEST_SHOWN = 20_000
_MOST_CONTROLS = 40
_STATUS_WORDS = {"FAIL": "Failing", "PASS": "Passed", "MANUAL": "For review"}
MUTED, FAILING, FOR_REVIEW = "Muted", "Failing", "For review"
_HANDLE = re.compile(r"f-[0-9a-f]{8}")
_PLAIN_ASCII = bytes(code for code in range(0x20, 0x7F) if chr(code) not in "&<>\"'")
_group_texts = itemgetter("title", "description", "remediation")

GroupKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A check and what is said once for all its resources; the last two are HTML."""

    key: GroupKey
    severity: Severity
    texts: tuple[str, ...]
    title: str
    body: str


Row = tuple[Group, str, str]
"""A shaped finding: the group it belongs to, its status in a word, its cells as HTML."""


def key_of(record: FindingDict) -> GroupKey:
    """Return what findings of one group share: the severity and the check, or the title where no check is named."""
    return (record["severity"], record.get("check_id") or record["title"])


def row_of(record: FindingDict, group: Group | None) -> Row:
    """Shape a finding: into the open group if it belongs there, else into one of its own.

    Raises:
        KeyError, TypeError, ValueError: the record lacks a field, or one is of the wrong kind.
    """
    if group is None or group.key != key_of(record):
        group = open_group(record)
    status = _STATUS_WORDS[record["status"]]
    if record.get("muted"):
        status = MUTED
    return group, status, _cells(record, group, status)


def _cells(record: FindingDict, group: Group, status: str) -> str:
    """Return the cells: resource, where, what was found, status, id.

    Most rows hold nothing that needs escaping or cutting. To see that once for all cells together takes a third of the
    time that looking at each of them does.
    """
    resource, identifier = record["resource"], record["id"]
    kind, found = record.get("resource_type", ""), record.get("evidence", "")
    account, region = record.get("account_id", ""), record.get("region", "")
    if _group_texts(record) != group.texts:
        found = _with_own_texts(found, record, group)
    cells = (resource, kind, account, region, found, identifier)
    if not _is_plain("".join(cells)):
        resource, kind, account, region, found, identifier = map(_text, cells)
    between = " &middot; " if account and region else ""
    handle = record.get("handle", "")
    return (
        f'<tr><th scope="row">{resource}<small>{kind}</small></th>'
        f"<td>{account}{between}{region}</td><td>{found}</td>"
        f"<td>{status}</td><td>{_name(handle) if handle else ''}{identifier}</td></tr>"
    )


def _name(handle: str) -> str:
    """Return the short name that commands take; a text from outside that is none is left out."""
    return f"<code>{handle}</code> " if _HANDLE.fullmatch(handle) else ""


def _is_plain(text: str) -> bool:
    """Tell whether the text can stand in a page as it is: short, shown as written, without the five that HTML minds.

    Anything beyond ASCII goes the longer way. Deleting what is plain and seeing nothing left takes a third of the time of
    looking for what is not.
    """
    return (
        len(text) <= LONGEST_SHOWN
        and text.isascii()
        and not text.encode().translate(None, delete=_PLAIN_ASCII)
    )


def _with_own_texts(found: str, record: FindingDict, group: Group) -> str:
    """Add the texts in which this finding differs from its group's head, so that none is lost."""
    texts = zip(_group_texts(record), group.texts, strict=True)
    return "\n".join(filter(None, (found, *(own for own, common in texts if own != common))))


def _text(text: str) -> str:
    return str(escape(showable(clip(text, LONGEST_SHOWN))))


def open_group(record: FindingDict) -> Group:
    """Return the group that this finding opens.

    Raises:
        ValueError: its severity is none of ours.
    """
    return Group(
        key=key_of(record),
        severity=Severity(record["severity"]),
        texts=_group_texts(record),
        title=_text(record["title"]),
        body=_body(record),
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
    shown = [f"{name} {', '.join(controls)}" for name, controls in islice(compliance.items(), _MOST_CONTROLS)]
    items = "".join(f"<li>{_text(text)}</li>" for text in shown)
    return f'<ul class="controls" aria-label="Controls this bears on">{items}</ul>'
