"""The forms of bare `/report`, `/playbook` and `/schedule`: open one, fill its pickers, and turn what was chosen into the typed command.

Pickers read the local database alone.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk.models.blocks import Option
from slack_sdk.models.views import View

from audit.lifecycle import FindingQuery
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
from handlers.intake import acknowledge
from handlers.patterns import any_of
from handlers.requests import chosen, chosen_all, command_request, form_request, response_url_of
from handlers.schedule_form import read_schedule_form
from handlers.services import Services
from handlers.vocabulary import PLAYBOOK, REPORT, SCHEDULE
from handlers.windows import open_window

Body = dict[str, Any]
Errors = dict[str, str]
_LONGEST_QUERY = 80
_WITH_FORM = (REPORT.name, PLAYBOOK.name, SCHEDULE.name)


def asks_for_form(body: Body) -> bool:
    """Tell whether a command that has a form came without any words."""
    return body.get("command") in _WITH_FORM and not str(body.get("text") or "").strip()


def open_form(services: Services, body: Body) -> None:
    """Have a bare command's form opened. Where Slack does not open it, the command is answered with its help page."""

    def answer_in_words() -> None:
        request = command_request(body, now=services.clock())
        services.reply_urls.keep(request.request_id, response_url_of(body), now=request.received_at)
        services.intake.keep(request).result()

    open_window(services, body, lambda: _build(services, body), or_else=answer_in_words)


def register_forms(app: App, services: Services) -> None:
    """Listen for the forms of bare commands, and for what is typed into a picker."""

    def on_form(ack: Ack, body: Body, context: BoltContext) -> None:
        command, read = _FORMS[str(body["view"]["callback_id"])]
        words, errors = read(body)
        if errors:
            ack(response_action="errors", errors=errors)
            return
        request = form_request(body, command, words, now=services.clock())
        acknowledge(services.intake, ack, context, request)

    def on_query(ack: Ack, body: Body) -> None:
        offer = _OFFERS[str(body.get("action_id"))]
        ack(options=[option.to_dict() for option in offer(services, str(body.get("value") or ""))])

    app.view(any_of(_FORMS))(on_form)
    app.options(any_of(_OFFERS))(on_query)


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
    word, playbook, findings = chosen(body, WORD), chosen(body, PLAYBOOK_PICK), chosen_all(body, FINDING_PICK)
    if word == "run" and not findings:
        return [], {FINDING_PICK: "Choose what to fix."}
    if word == "run" and len(findings) > 1 and not playbook:
        return [], {PLAYBOOK_PICK: "Choose the one playbook that fixes all of these."}
    if word == "show" and not playbook:
        return [], {PLAYBOOK_PICK: "Choose a playbook."}
    if word == "history" and len([*filter(None, [playbook]), *findings]) > 1:
        return [], {PLAYBOOK_PICK: "Choose one finding or a playbook, not both."}
    about = [playbook] if playbook else findings
    asked = {"run": [playbook, *findings], "show": [playbook], "history": about}.get(word, [])
    return [word, *filter(None, asked)], {}


def _offer_findings(services: Services, query: str) -> list[Option]:
    """Return the open findings of all reports that hold the text; what a new report shows is not tracked from its first moment."""
    text, tracker = query[:_LONGEST_QUERY].strip(), services.tracker
    page = tracker.search(FindingQuery(text=text), now=services.clock(), limit=MOST_OPTIONS)
    found = [tracked.finding for tracked in page.items]
    if not found or tracker.is_behind():
        found += services.reports.search(text, limit=MOST_OPTIONS)
    return finding_options(found)


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
