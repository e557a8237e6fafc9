"""The message shortcut “Import as audit report”: the files of a message become reports."""

from collections.abc import Iterator

from audit.errors import CountersignError, HandedOverError, InputError
from audit.ingest import Member
from handlers.blocks.parts import Message
from handlers.blocks.texts import escape
from handlers.commands.pull import describe
from handlers.lateness import refuse_old
from handlers.members import from_member
from handlers.requests import said, said_list
from handlers.services import Services
from handlers.slack_files import fetched, find_file
from handlers.vocabulary import IMPORT_REPORT
from remediation.ports import Request

_LONGEST_LINE = 700
_MOST_LINES = 15


def answer_shortcut(services: Services, request: Request) -> Message:
    """Take in a message's files, each on its own; say privately what came of each. The same file twice changes nothing.

    Raises:
        InputError: the shortcut is from another version, or the message has no file.
        RefusedError: it was asked for too long ago, or by somebody who is no member of the workspace.
        HandedOverError: this process is stopping. What is in already is found to be there by the next one.
    """
    if said(request, "callback_id") != IMPORT_REPORT.callback_id:
        raise InputError("This shortcut is from another version. Nothing was done.")
    refuse_old(request, now=services.clock())
    request = from_member(services, request)
    files = said_list(request, "files")
    if not files:
        raise InputError(
            "There is no file in this message. Use the shortcut on a message with a report in it."
        )
    lines = [line for file_id in files for line in _import(services, request, file_id)]
    more = len(lines) - _MOST_LINES
    return Message("\n".join([*lines[:_MOST_LINES], *([f"and {more} more"] if more > 0 else [])]))


def _import(services: Services, request: Request, file_id: str) -> Iterator[str]:
    """Yield a line for each report of a file: what it came to, or why it did not."""
    try:
        file = find_file(services.client, file_id)
        with (
            fetched(services.client, file) as stream,
            services.open_file(
                stream, file.name, columns=services.csv_columns, say=lambda _bytes: services.go_on()
            ) as members,
        ):
            for member in members:
                yield _take(services, request, member)
    except HandedOverError:
        raise
    except CountersignError as error:
        yield _trouble(error)


def _take(services: Services, request: Request, member: Member) -> str:
    try:
        done = services.reports.ingest(member.open(), actor=request.actor, now=services.clock())
    except HandedOverError:
        raise
    except CountersignError as error:
        return _trouble(error)
    return describe(done, member.label).text


def _trouble(error: CountersignError) -> str:
    return f"Not imported: {escape(error.explain(), _LONGEST_LINE)}"
