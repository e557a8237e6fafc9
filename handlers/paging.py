"""Turning the pages of lists: all of them by the same two buttons, and each as if its command had been typed by whoever uses them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from audit.errors import InputError
from handlers.blocks.names import SHOW_FINDINGS
from handlers.blocks.paging import FINDINGS, PageRef
from handlers.blocks.parts import Message
from handlers.commands import exceptions, executions, findings, report, schedule
from handlers.requests import said
from handlers.services import Services
from remediation.ports import Request

Show = Callable[[Services, Request, PageRef], Message]
_LISTS: Mapping[str, Show] = MappingProxyType(
    {
        FINDINGS: findings.show_findings,
        report.REPORTS: report.show_reports,
        executions.PENDING: executions.show_pending,
        executions.HISTORY: executions.show_history,
        exceptions.EXCEPTIONS: exceptions.show_exceptions,
        schedule.SCHEDULES: schedule.show_schedules,
    }
)


def turn_page(services: Services, request: Request) -> Message:
    """Show a page of a list: another one, in place of the one that the button was on, or the first one of a channel's message.

    Raises:
        InputError: the button is none of ours.
    """
    ref = PageRef.parse(said(request, "value"))
    show = _LISTS.get(ref.list_name)
    if show is None:
        raise InputError("This button is from another version. Ask for the list once more.")
    page = show(services, request, ref)
    # A button in a channel is everybody's: what it stands on stays.
    return replace(page, replaces=said(request, "action_id") != SHOW_FINDINGS)
