"""The forms of bare `/report`, `/playbook` and `/schedule`: open one, fill its pickers, and turn what was chosen into the typed command.

A form is opened within the listener: its `trigger_id` is worth nothing after three seconds. Pickers read the local database alone.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.models.blocks import Option
from slack_sdk.models.views import View

from exporters.cadence import WEEKDAY_NAMES, zones_like
from handlers.blocks.form_parts import MOST_OPTIONS, option
from handlers.blocks.forms import (
    build_playbook_form,
    build_report_form,
    finding_options,
    playbook_options,
    report_options,
)
from handlers.blocks.names import (
    ADDRESSES,
    FINDING_PICK,
    FORMAT,
    PLAYBOOK_FORM,
    PLAYBOOK_PICK,
    REPORT_FORM,
    REPORT_PICK,
    SCHEDULE_FORM,
    WORD,
    ZONE_PICK,
)
from handlers.blocks.schedule_form import build_schedule_form
from handlers.clients import make_impatient
from handlers.listeners import any_of
from handlers.requests import chosen, command_request, form_request, response_url_of
from handlers.schedule_form import read_schedule_form
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of
from handlers.vocabulary import PLAYBOOK, REPORT, SCHEDULE
from remediation.ports import Request

log = structlog.get_logger()
Body = dict[str, Any]
Errors = dict[str, str]
_LONGEST_QUERY = 80
_FORMS_AT_ONCE = 8
_TRIGGER_LIVES_S = 3


def register_forms(app: App, services: Services) -> None:
    """Listen for commands with nothing behind them, for their forms, and for what is typed into a picker.

    Has to be registered ahead of the commands themselves: Bolt asks the first listener that fits.
    """
    # Acknowledged ahead of the call to Slack, which may take a second: the response waits for the listener to end.
    threads = ThreadPoolExecutor(_FORMS_AT_ONCE, thread_name_prefix="form")

    def on_bare(ack: Ack, body: Body, client: WebClient) -> None:
        form = _build(services, body)
        ack()
        threads.submit(open_or_help, body, form, client)

    def open_or_help(body: Body, form: View, client: WebClient) -> None:
        if not _opened(make_impatient(client, timeout_s=_TRIGGER_LIVES_S), body, form):
            request = command_request(body, now=services.clock())  # answered with the help page
            _hand_on(services, request, body)

    def on_form(ack: Ack, body: Body) -> None:
        command, read = _FORMS[str(body["view"]["callback_id"])]
        words, errors = read(body)
        if errors:
            ack(response_action="errors", errors=errors)
            return
        request = form_request(body, command, words, now=services.clock())
        services.inbox.put(request)
        ack()
        services.dispatcher.submit("request", request.request_id)

    def on_query(ack: Ack, body: Body) -> None:
        offer = _OFFERS[str(body.get("action_id"))]
        ack(options=[option.to_dict() for option in offer(services, str(body.get("value") or ""))])

    app.command(any_of((REPORT.name, PLAYBOOK.name, SCHEDULE.name)), matchers=[_is_bare])(on_bare)
    app.view(any_of(_FORMS))(on_form)
    app.options(any_of(_OFFERS))(on_query)


def _is_bare(body: Body) -> bool:
    return not str(body.get("text") or "").strip()


def _hand_on(services: Services, request: Request, body: Body) -> None:
    services.reply_urls.keep(request.request_id, response_url_of(body), now=request.received_at)
    services.inbox.put(request)
    services.dispatcher.submit("request", request.request_id)


def _build(services: Services, body: Body) -> View:
    where = {
        "channel": str(body.get("channel_id") or "")[:100],
        "channel_name": str(body.get("channel_name") or "")[:100],
    }
    if body.get("command") == PLAYBOOK.name:
        return build_playbook_form(**where)
    formats = {name: kind.description for name, kind in services.exports.formats.items()}
    if body.get("command") == SCHEDULE.name:
        return build_schedule_form(formats, WEEKDAY_NAMES, **where)
    return build_report_form(formats, **where)


def _opened(client: WebClient, body: Body, form: View) -> bool:
    """Open a form; tell whether Slack took it."""
    try:
        client.views_open(trigger_id=str(body.get("trigger_id") or ""), view=form.to_dict())
    except SLACK_FAILURES as error:
        log.warning("form not opened", error=code_of(error))
        return False
    return True


def _read_report_form(body: Body) -> tuple[list[str], Errors]:
    """Return the words that were chosen, or what is wrong, by field."""
    word, report = chosen(body, WORD), chosen(body, REPORT_PICK)
    kind, addresses = (
        chosen(body, FORMAT),
        chosen(body, ADDRESSES).replace(",", " ").replace(";", " ").split(),
    )
    if word == "export" and not kind:
        return [], {FORMAT: "Choose a kind of file."}
    if word == "email" and not addresses:
        return [], {ADDRESSES: "Say to whom, such as ciso@company.com."}
    if word == "email" and any("@" not in address for address in addresses):
        return [], {ADDRESSES: "Only addresses, please, such as ciso@company.com."}
    chosen_words = {"export": [kind, report], "email": [*addresses, kind, report]}.get(word, [report])
    return [word, *filter(None, chosen_words)], {}


def _read_playbook_form(body: Body) -> tuple[list[str], Errors]:
    """Return the words that were chosen, or what is wrong, by field."""
    word, playbook, finding = chosen(body, WORD), chosen(body, PLAYBOOK_PICK), chosen(body, FINDING_PICK)
    if word == "run" and not finding:
        return [], {FINDING_PICK: "Choose the finding to fix."}
    if word == "show" and not playbook:
        return [], {PLAYBOOK_PICK: "Choose a playbook."}
    if word == "history" and playbook and finding:
        return [], {PLAYBOOK_PICK: "Choose a finding or a playbook, not both."}
    asked = {"run": [playbook, finding], "show": [playbook], "history": [playbook or finding]}.get(word, [])
    return [word, *filter(None, asked)], {}


def _offer_findings(services: Services, query: str) -> list[Option]:
    return finding_options(services.reports.search(query[:_LONGEST_QUERY], limit=MOST_OPTIONS))


def _offer_reports(services: Services, query: str) -> list[Option]:
    """Return the newest reports that hold the text; older ones are named by id."""
    wanted = query[:_LONGEST_QUERY].casefold()
    newest = services.reports.list_reports(MOST_OPTIONS)
    return report_options(each for each in newest if wanted in f"{each.name} {each.report_id}".casefold())


def _offer_playbooks(services: Services, query: str) -> list[Option]:
    wanted = query[:_LONGEST_QUERY].casefold()
    books = services.playbooks.values()
    return playbook_options(book for book in books if wanted in f"{book.playbook_id} {book.name}".casefold())


def _offer_zones(_services: Services, query: str) -> list[Option]:
    return [option(name, name) for name in zones_like(query[:_LONGEST_QUERY], MOST_OPTIONS)]


_FORMS: Mapping[str, tuple[str, Callable[[Body], tuple[list[str], Errors]]]] = MappingProxyType(
    {
        REPORT_FORM: (REPORT.name, _read_report_form),
        PLAYBOOK_FORM: (PLAYBOOK.name, _read_playbook_form),
        SCHEDULE_FORM: (SCHEDULE.name, read_schedule_form),
    }
)
_OFFERS: Mapping[str, Callable[[Services, str], list[Option]]] = MappingProxyType(
    {
        FINDING_PICK: _offer_findings,
        REPORT_PICK: _offer_reports,
        PLAYBOOK_PICK: _offer_playbooks,
        ZONE_PICK: _offer_zones,
    }
)
