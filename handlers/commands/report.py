"""`/report list | show | export | email`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import structlog

from audit.actor import Actor
from audit.errors import InputError, NotFoundError, RefusedError
from audit.findings import Finding
from audit.ports import LATEST
from audit.report import ReportHeader
from exporters.formats import format_named
from exporters.mailing import DEFAULT_ATTACHMENT, MailRequest
from exporters.service import ExportRequest
from handlers.blocks.lists import Fixable, build_report, build_report_list, count_failing
from handlers.blocks.paging import Page, PageRef
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape, mention, to_sentence
from handlers.conversations import find_conversation
from handlers.delivery import SlackDelivery
from handlers.requests import said
from handlers.services import Services
from remediation.matching import sure_match
from remediation.playbook import RemediationPlaybook
from remediation.ports import Request

REPORTS = "reports"
_MENTION = re.compile(r"@[UW][A-Z0-9]{2,20}")
_MOST_REPORTS = 10
_MOST_FINDINGS = 10
_LONGEST_ANSWER = 2000


def list_reports(services: Services, request: Request, _words: Sequence[str]) -> Message:
    """Show the newest reports."""
    return show_reports(services, request, PageRef(REPORTS))


def show_reports(services: Services, _request: Request, ref: PageRef) -> Message:
    """Show a page of the reports, newest first."""
    return build_report_list(Page.read(ref, services.reports.list_reports, size=_MOST_REPORTS))


def show_report(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show a report's worst findings and what fixes them.

    Raises:
        NotFoundError: no report, or more than one, goes by that name.
    """
    report = _find(services, words)
    return build_report(
        report, [_fixable(finding, services.playbooks) for finding in _worst(services, report)]
    )


def _find(services: Services, words: Sequence[str]) -> ReportHeader:
    """Return the report that the first word names, the newest where nothing is said; its id stands on each log line from here on."""
    found = _named(services, words[0]) if words else services.reports.header(LATEST)
    structlog.contextvars.bind_contextvars(report_id=found.report_id)
    return found


def _named(services: Services, name: str) -> ReportHeader:
    try:
        return services.reports.header(name)
    except NotFoundError as error:
        raise NotFoundError(f"{to_sentence(str(error))} `/report list` shows the newest.") from error


def _worst(services: Services, report: ReportHeader) -> list[Finding]:
    """Return the worst open findings. The header knows how many there are, so that no stream is read for nothing."""
    return list(islice(_open(services, report), min(count_failing(report), _MOST_FINDINGS)))


def _open(services: Services, report: ReportHeader) -> Iterator[Finding]:
    findings = map(Finding.from_dict, services.reports.stream_findings(report.report_id))
    return (finding for finding in findings if finding.is_open)


def _fixable(finding: Finding, playbooks: Mapping[str, RemediationPlaybook]) -> Fixable:
    match = sure_match(finding, playbooks)
    return Fixable(finding, match.playbook.playbook_id if match else "")


def export_report(services: Services, request: Request, words: Sequence[str]) -> Message | None:
    """Post a report as a file where it was asked for; say privately what was left out.

    Raises:
        InputError: no such format or report, or nowhere to post it.
        TrailError: the trail cannot be written; nothing was posted.
    """
    _refuse_channels(words, "A file goes where you type")
    kind = format_named(words[0], services.exports.formats)
    channel = find_conversation(services.client, request)
    wanted = ExportRequest(
        format=kind.name,
        actor=request.actor,
        report_id=_find(services, words[1:]).report_id,
        destination=said(request, "channel_id"),
    )
    comment = f"Report as {kind.name}, asked for by {mention(request.actor)}"
    receipt = services.exports.export(wanted, SlackDelivery(services.client, channel, comment=comment))
    if not receipt.rejected:
        return None
    return Message(
        f"{code(receipt.name, 150)}: {receipt.rejected:,} findings could not be written and were left out."
    )


def email_report(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Mail a report; say privately who got it.

    Words with an at sign are addresses or people, however they are separated; of the others one may name a format, and one a report.

    Raises:
        InputError: no address, one that is none, no such format or report, or a file too large for a mail.
        CountersignError: mail is not set up, a domain is not allowed, or the server took it for nobody.
    """
    _refuse_channels(words, "A mail goes to addresses, and a file in a channel goes where you type")
    recipients = [
        _address(services, request, part)
        for word in words
        if "@" in word
        for part in re.split("[,;]", word)
        if part
    ]
    others = [word for word in words if "@" not in word]
    formats = [word.lower() for word in others if word.lower() in services.exports.formats]
    reports = [word for word in others if word.lower() not in services.exports.formats]
    if not recipients or len(formats) > 1 or len(reports) > 1:
        raise InputError("Say to whom: /report email ciso@company.com [FORMAT] [REPORT]")
    sent = services.mailing.send(
        MailRequest(
            recipients=recipients,
            actor=request.actor,
            format=formats[0] if formats else DEFAULT_ATTACHMENT,
            report_id=_find(services, reports).report_id,
        )
    )
    return Message(escape(sent.explain(), _LONGEST_ANSWER))


def _address(services: Services, request: Request, word: str) -> str:
    """Return an address as it was typed; of somebody who was mentioned the one that Slack's directory has.

    Raises:
        InputError: the directory tells none.
    """
    if not _MENTION.fullmatch(word):
        return word
    person = Actor(workspace=request.actor.workspace, slack_id=word.removeprefix("@"))
    try:
        address = services.remediation.directory.look_up(person, groups=frozenset()).actor.email
    except RefusedError:
        address = ""
    if not address:
        raise InputError(f"Slack does not tell me the address of {word}: type it out.")
    return address


def _refuse_channels(words: Sequence[str], why: str) -> None:
    """Say to whoever names a channel why that does nothing here.

    Raises:
        InputError: a channel is among the words.
    """
    if any(word.startswith("#") for word in words):
        raise InputError(f"{why}: use `/report export FORMAT [REPORT]` in that channel.")
