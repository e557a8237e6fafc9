"""Slash commands: text in, one private answer out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from audit.errors import InputError
from audit.wording import nearest
from handlers.blocks.lists import build_help
from handlers.blocks.parts import Message
from handlers.commands import batches, executions, findings, playbook, pull, report, schedule, trend
from handlers.commands.exceptions import answer_exceptions
from handlers.lateness import refuse_again, refuse_old
from handlers.members import from_member
from handlers.parsing import split_words
from handlers.requests import said
from handlers.services import Services
from handlers.vocabulary import COMMANDS, HELP, PLAYBOOK, REPORT, SCHEDULE, CommandHelp, Word
from remediation.ports import Request

Do = Callable[[Services, Request, Sequence[str]], Message | None]
_DO: Mapping[tuple[str, str], Do] = MappingProxyType(
    {
        (REPORT.name, "list"): report.list_reports,
        (REPORT.name, "show"): report.show_report,
        (REPORT.name, "export"): report.export_report,
        (REPORT.name, "email"): report.email_report,
        (REPORT.name, "findings"): findings.search_findings,
        (REPORT.name, "compare"): findings.compare_reports,
        (REPORT.name, "trend"): trend.show_trend,
        (REPORT.name, "pull"): pull.pull_report,
        (PLAYBOOK.name, "list"): playbook.list_playbooks,
        (PLAYBOOK.name, "show"): playbook.show_playbook,
        (PLAYBOOK.name, "run"): batches.run_one_or_many,
        (PLAYBOOK.name, "pending"): executions.list_pending,
        (PLAYBOOK.name, "history"): executions.list_history,
        (PLAYBOOK.name, "status"): executions.show_status,
        (PLAYBOOK.name, "approve"): executions.offer_to_sign,
        (PLAYBOOK.name, "reject"): executions.reject,
        (PLAYBOOK.name, "exceptions"): answer_exceptions,
        (PLAYBOOK.name, "rollback"): executions.offer_rollback,
        (SCHEDULE.name, "list"): schedule.list_schedules,
        (SCHEDULE.name, "daily"): schedule.make_daily,
        (SCHEDULE.name, "weekly"): schedule.make_weekly,
        (SCHEDULE.name, "cron"): schedule.make_cron,
        (SCHEDULE.name, "pause"): schedule.pause_schedule,
        (SCHEDULE.name, "resume"): schedule.resume_schedule,
        (SCHEDULE.name, "remove"): schedule.remove_schedule,
        (SCHEDULE.name, "run"): schedule.run_schedule,
    }
)

# Nobody can take back a file or a mail. The others find what an earlier attempt has stored.
_DONE_ONCE = frozenset({(REPORT.name, "export"), (REPORT.name, "email"), (REPORT.name, "trend")})
_SCHEDULES = frozenset(
    (SCHEDULE.name, word.name) for word in SCHEDULE.words if word.name not in {"list", HELP}
)
_FOR_MEMBERS = _SCHEDULES | {(REPORT.name, name) for name in ("export", "email", "trend", "pull")}
_ACTS = (
    _DONE_ONCE
    | {
        (REPORT.name, "pull"),
        (PLAYBOOK.name, "run"),
        (PLAYBOOK.name, "reject"),
        (PLAYBOOK.name, "exceptions"),
    }
    | _SCHEDULES
)


def answer_command(services: Services, request: Request) -> Message | None:
    """Do what a slash command says; return the private answer.

    Raises:
        CountersignError: it cannot be done; the text says why.
    """
    command = next((entry for entry in COMMANDS if entry.name == said(request, "command")), None)
    if command is None:
        raise InputError(f"There is no command {said(request, 'command')}.")
    call = _understand(services, command, _words(request))
    if isinstance(call, Message):
        return call
    what = (command.name, call.word.name)
    if what in _DONE_ONCE:
        refuse_again(request)
    if what in _ACTS:
        refuse_old(request, now=services.clock())
    if what in _FOR_MEMBERS:
        request = from_member(services, request)
    return _DO[what](services, request, call.arguments)


def _words(request: Request) -> Sequence[str]:
    """Return what was typed as words; a form has chosen them one by one."""
    words = request.payload.get("words")
    return [str(word) for word in words] if isinstance(words, list) else split_words(said(request, "text"))


@dataclass(frozen=True, slots=True)
class _Call:
    """A word of a command with what follows it."""

    word: Word
    arguments: Sequence[str]


def _understand(services: Services, command: CommandHelp, words: Sequence[str]) -> _Call | Message:
    """Return what was meant; for a question or a mistake, the page that helps."""
    name, *arguments = words or [HELP]
    word = command.word(name)
    if word is None:
        near = nearest(name, (entry.name for entry in command.words))
        return build_help(command, problem=f"There is no “{command.name} {name[:80]}”.", meant=near or "")
    if word.name == HELP:
        return build_help(command, formats=_formats(services, command))
    if not word.least <= len(arguments) <= word.most:
        return build_help(command, problem=f"“{command.name} {word.name}” {_expects(word)}.", meant=word.name)
    return _Call(word, arguments)


def _formats(services: Services, command: CommandHelp) -> Mapping[str, str]:
    """Return what a report can be exported to, for the command that does it."""
    if command is PLAYBOOK:
        return {}
    return {name: kind.description for name, kind in services.exports.formats.items()}


def _expects(word: Word) -> str:
    return f"is followed by {word.arguments}" if word.arguments else "is followed by nothing"
