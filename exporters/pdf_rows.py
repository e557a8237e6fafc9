"""A finding as a row of the PDF, and the head of its check: plain data, everything from outside made fit to be shown."""

from typing import NamedTuple, TypedDict

from audit.findings import Finding
from exporters.pdf_text import LONGEST_TEXT, address, cell, prose, title
from exporters.text import web_url

_MOST_CONTROLS = 40


class Row(TypedDict):
    """A line of a check's table. `handle` is the finding's short name, the one people type in Slack."""

    resource: str
    kind: str
    account: str
    region: str
    found: str
    handle: str


class Head(TypedDict):
    """What is said once above a check's table. `link` is empty unless a browser may follow the reference."""

    title: str
    origin: str
    description: str
    remediation: str
    reference: str
    link: str
    controls: str


class Said(NamedTuple):
    """The texts of the finding that opened its check; only what differs from them is repeated in a row."""

    title: str
    description: str
    remediation: str


def said_by(finding: Finding) -> Said:
    """Return the texts, cut, so that what is kept stays small."""
    texts = (finding.title, finding.description, finding.remediation)
    return Said(*(text[:LONGEST_TEXT] for text in texts))


def head_of(finding: Finding) -> Head:
    """Return the head of the check that this finding opens."""
    link = web_url(finding.reference_url)
    return Head(
        title=title(finding.title),
        origin=cell(_origin(finding)),
        description=prose(finding.description),
        remediation=prose(finding.remediation),
        reference=address(link) if link else cell(finding.reference_url),
        link=link,
        controls=prose(_controls(finding)),
    )


def row_of(finding: Finding, said: Said) -> Row:
    """Return the finding as a row below a head that already says `said`."""
    own = [text for text, known in zip(said_by(finding), said, strict=True) if text != known]
    return Row(
        resource=cell(finding.resource),
        kind=cell(finding.resource_type),
        account=cell(finding.account_id),
        region=cell(finding.region),
        found=cell("\n".join(filter(None, [finding.evidence, *own]))),
        handle=finding.handle,
    )


def _origin(finding: Finding) -> str:
    names = (finding.check_id, finding.category, finding.service)
    return " · ".join(dict.fromkeys(filter(None, names)))


def _controls(finding: Finding) -> str:
    shown = list(finding.compliance.items())[:_MOST_CONTROLS]
    return "; ".join(f"{framework} {', '.join(controls)}".strip() for framework, controls in shown)
