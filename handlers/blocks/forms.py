"""The forms of bare commands: what could be typed, with pickers for what nobody remembers."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from slack_sdk.models.blocks import Option
from slack_sdk.models.views import View

from audit.findings import Finding
from audit.report import ReportHeader
from handlers.blocks.form_parts import (
    LONGEST_VALUE,
    MOST_OPTIONS,
    build_form,
    choice,
    field,
    line,
    option,
    picker,
    pickers,
)
from handlers.blocks.names import (
    ADDRESSES,
    FINDING_PICK,
    FORMAT,
    PLAYBOOK_FORM,
    PLAYBOOK_PICK,
    REPORT_FORM,
    REPORT_PICK,
    WORD,
)
from handlers.blocks.texts import severity_words
from handlers.vocabulary import PLAYBOOK, REPORT
from remediation.batches import MOST_ITEMS
from remediation.playbook import RemediationPlaybook

ADDRESS = "ciso@company.com"
# What can be done, as a verb, and what comes of it, each short enough that Slack shows all of it.
REPORT_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "show": ("Show a report", "its worst findings, and the playbook that fixes each"),
        "export": ("Export a report", "as a file, posted in this channel"),
        "email": ("Email a report", "with the file attached"),
    }
)
PLAYBOOK_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "run": ("Run a fix", "plan it and ask for approval; nothing runs before"),
        "show": ("Show a playbook", "what it does, step by step"),
        "pending": ("List what waits", "the fixes that wait for a decision"),
        "history": ("Look back", "what was asked for, and what became of it"),
    }
)


def build_report_form(formats: Mapping[str, str], *, channel: str, channel_name: str) -> View:
    """Return the form of `/report`; `formats` are names with what each is for."""
    kinds = [option(name, name, what) for name, what in formats.items()]
    return build_form(
        REPORT_FORM,
        REPORT,
        [
            field(WORD, "What would you like?", choice(WORD, _words(REPORT_WORDS))),
            field(REPORT_PICK, "Which report?", picker(REPORT_PICK, "The newest"), is_optional=True),
            field(FORMAT, "As what kind of file?", choice(FORMAT, kinds, first=False), is_optional=True),
            field(ADDRESSES, "To which addresses?", line(ADDRESSES, ADDRESS), is_optional=True),
        ],
        carries={"channel": channel, "channel_name": channel_name},
    )


def build_playbook_form(*, channel: str, channel_name: str) -> View:
    """Return the form of `/playbook`."""
    return build_form(
        PLAYBOOK_FORM,
        PLAYBOOK,
        [
            field(WORD, "What would you like?", choice(WORD, _words(PLAYBOOK_WORDS))),
            field(
                FINDING_PICK,
                "Which findings?",
                pickers(FINDING_PICK, "Search findings", most=MOST_ITEMS),
                is_optional=True,
            ),
            field(
                PLAYBOOK_PICK, "Which playbook?", picker(PLAYBOOK_PICK, "Search playbooks"), is_optional=True
            ),
        ],
        carries={"channel": channel, "channel_name": channel_name},
    )


def _words(words: Mapping[str, tuple[str, str]]) -> list[Option]:
    return [option(name, label, about) for name, (label, about) in words.items()]


def finding_options(findings: Iterable[Finding]) -> list[Option]:
    """Return findings as a picker offers them; a scanner may list the same one twice."""
    by_handle = {finding.handle: finding for finding in findings}
    return [
        option(handle, f"{severity_words(finding.severity)}  {finding.title}", f"{handle} {finding.resource}")
        for handle, finding in list(by_handle.items())[:MOST_OPTIONS]
    ]


def report_options(reports: Iterable[ReportHeader]) -> list[Option]:
    """Return reports as a picker offers them."""
    return [
        option(report.report_id, report.name, f"{report.generated_at:%Y-%m-%d %H:%M} UTC, {report.source}")
        for report in list(reports)[:MOST_OPTIONS]
    ]


def playbook_options(playbooks: Iterable[RemediationPlaybook]) -> list[Option]:
    """Return playbooks as a picker offers them; one whose id is longer than Slack takes has to be typed."""
    fitting = [book for book in playbooks if len(book.playbook_id) <= LONGEST_VALUE]
    return [option(book.playbook_id, book.playbook_id, book.name) for book in fitting[:MOST_OPTIONS]]
