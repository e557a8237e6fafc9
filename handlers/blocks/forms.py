"""The forms of bare commands: what could be typed, with pickers for what nobody remembers."""

import json
from collections.abc import Iterable, Mapping, Sequence

from slack_sdk.models.blocks import (
    ExternalDataMultiSelectElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from audit.findings import Finding
from audit.report import ReportHeader
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
from handlers.blocks.parts import context, section
from handlers.blocks.texts import plain, severity_words
from handlers.vocabulary import PLAYBOOK, REPORT, CommandHelp
from remediation.batches import MOST_ITEMS
from remediation.playbook import RemediationPlaybook

MOST_OPTIONS = 100
LONGEST_VALUE = 150
_LABEL = 75
_LONGEST_ADDRESSES = 1000
REPORT_WORDS = ("show", "export", "email")
PLAYBOOK_WORDS = ("run", "show", "pending", "history")


def build_report_form(formats: Mapping[str, str], *, channel: str, channel_name: str) -> View:
    """Return the form of `/report`; `formats` are names with what each is for."""
    kinds = [_option(name, name, what) for name, what in formats.items()]
    return _form(
        REPORT_FORM,
        REPORT,
        [
            _input(WORD, "What would you like?", _choice(WORD, _words(REPORT, REPORT_WORDS))),
            _input(REPORT_PICK, "Which report?", _picker(REPORT_PICK, "The newest"), is_optional=True),
            _input(FORMAT, "As what kind of file?", _choice(FORMAT, kinds, first=False), is_optional=True),
            _input(ADDRESSES, "To which addresses?", _text(ADDRESSES), is_optional=True),
        ],
        carries={"channel": channel, "channel_name": channel_name},
    )


def build_playbook_form(*, channel: str, channel_name: str) -> View:
    """Return the form of `/playbook`."""
    return _form(
        PLAYBOOK_FORM,
        PLAYBOOK,
        [
            _input(WORD, "What would you like?", _choice(WORD, _words(PLAYBOOK, PLAYBOOK_WORDS))),
            _input(
                FINDING_PICK, "Which findings?", _pickers(FINDING_PICK, "Search findings"), is_optional=True
            ),
            _input(
                PLAYBOOK_PICK, "Which playbook?", _picker(PLAYBOOK_PICK, "Search playbooks"), is_optional=True
            ),
        ],
        carries={"channel": channel, "channel_name": channel_name},
    )


def finding_options(findings: Iterable[Finding]) -> list[Option]:
    """Return findings as a picker offers them; a scanner may list the same one twice."""
    by_handle = {finding.handle: finding for finding in findings}
    return [
        _option(
            handle, f"{severity_words(finding.severity)}  {finding.title}", f"{handle} {finding.resource}"
        )
        for handle, finding in list(by_handle.items())[:MOST_OPTIONS]
    ]


def report_options(reports: Iterable[ReportHeader]) -> list[Option]:
    """Return reports as a picker offers them."""
    return [
        _option(report.report_id, report.name, f"{report.generated_at:%Y-%m-%d %H:%M} UTC, {report.source}")
        for report in list(reports)[:MOST_OPTIONS]
    ]


def playbook_options(playbooks: Iterable[RemediationPlaybook]) -> list[Option]:
    """Return playbooks as a picker offers them; one whose id is longer than Slack takes has to be typed."""
    fitting = [book for book in playbooks if len(book.playbook_id) <= LONGEST_VALUE]
    return [_option(book.playbook_id, book.playbook_id, book.name) for book in fitting[:MOST_OPTIONS]]


def _form(
    form: str, command: CommandHelp, fields: Sequence[InputBlock], *, carries: Mapping[str, str]
) -> View:
    lead = section(f"{command.description}. The answer is for your eyes alone.")
    hint = context(f"Everything here can be typed as well: `{command.name} help`")
    return View(
        type="modal",
        callback_id=form,
        title=_plain(command.name.removeprefix("/").capitalize(), 24),
        submit=_plain("Go", 24),
        close=_plain("Cancel", 24),
        private_metadata=json.dumps(dict(carries)),
        blocks=[lead, *fields, hint],
    )


def _words(command: CommandHelp, names: Iterable[str]) -> list[Option]:
    known = {word.name: word for word in command.words}
    return [_option(name, known[name].description, "") for name in names]


def _input(
    name: str, label: str, element: InputInteractiveElement, *, is_optional: bool = False
) -> InputBlock:
    return InputBlock(block_id=name, label=_plain(label, _LABEL), element=element, optional=is_optional)


def _choice(name: str, options: Sequence[Option], *, first: bool = True) -> StaticSelectElement:
    return StaticSelectElement(action_id=name, options=options, initial_option=options[0] if first else None)


def _picker(name: str, placeholder: str) -> ExternalDataSelectElement:
    return ExternalDataSelectElement(
        action_id=name, placeholder=_plain(placeholder, _LABEL), min_query_length=0
    )


def _pickers(name: str, placeholder: str) -> ExternalDataMultiSelectElement:
    return ExternalDataMultiSelectElement(
        action_id=name,
        placeholder=_plain(placeholder, _LABEL),
        min_query_length=0,
        max_selected_items=MOST_ITEMS,
    )


def _text(name: str) -> PlainTextInputElement:
    return PlainTextInputElement(
        action_id=name, placeholder=_plain("ciso@company.com", _LABEL), max_length=_LONGEST_ADDRESSES
    )


def _option(value: str, text: str, description: str) -> Option:
    about = plain(description, _LABEL)
    return Option(
        value=value, text=_plain(text, _LABEL), description=_plain(about, _LABEL) if about else None
    )


def _plain(text: str, limit: int) -> PlainTextObject:
    return PlainTextObject(text=plain(text, limit) or "(no name)", emoji=False)
