"""The home of each person who has opened it: drawn when they look at it, and anew after every change.

Drawing is coalesced (many changes in a moment are one drawing) and kept below Slack's rate for views; `Homes` decides what is due.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk.models.views import View

from audit.errors import RefusedError
from audit.report import ReportHeader
from handlers.blocks.card import CardRules
from handlers.blocks.home import HomePage, Standing, build_home, build_plain_home
from handlers.blocks.names import (
    APPROVE_FORM,
    HOME_DETAILS,
    HOME_REVIEW,
    ROLL_BACK_FORM,
    CardRef,
)
from handlers.blocks.views import build_details_view, build_review_view
from handlers.clients import make_careful
from handlers.requests import clicked, opener_of, view_request
from handlers.rollback_window import register_rollback_window
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of
from handlers.windows import open_window
from remediation.audience import Home
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.policy import Policy
from remediation.ports import Person
from remediation.refusals import refuse_late, refuse_outsider, refuse_same_person, refuse_twice
from remediation.rollback import refuse_signing_again
from remediation.states import PlaybookStatus

log = structlog.get_logger()
Body = dict[str, Any]
Build = Callable[[PlaybookExecution, CardRules], View]
_MOST_LOOKED_AT = 50
_MOST_LISTED = 11
_TREND = 20
_GONE = frozenset({"user_not_found", "account_inactive", "not_enabled", "user_disabled"})
_BAD_VIEW = frozenset({"invalid_arguments", "invalid_blocks", "view_too_large", "SlackObjectFormationError"})


def register_home(app: App, services: Services) -> None:
    """Listen for people who open their home, for its buttons, and for the windows these open."""

    def on_opened(ack: Ack, body: Body) -> None:
        if (person := opener_of(body)) is not None:
            name = services.homes.opened(person, services.clock())
            ack()
            services.dispatcher.submit("home", name)
        else:
            ack()

    def on_window(ack: Ack, body: Body) -> None:
        request = view_request(body, now=services.clock())
        services.inbox.put(request)
        ack()
        services.dispatcher.submit("request", request.request_id)

    def opening(build: Build) -> Callable[..., None]:
        def on_click(ack: Ack, body: Body) -> None:
            ack()
            open_window(services, body, lambda: _build(services, body, build))

        return on_click

    register_rollback_window(app, services)
    app.event("app_home_opened")(on_opened)
    app.action(HOME_REVIEW)(opening(build_review_view))
    app.action(HOME_DETAILS)(opening(build_details_view))
    app.view(APPROVE_FORM)(on_window)
    app.view(ROLL_BACK_FORM)(on_window)


def _build(services: Services, body: Body, build: Build) -> View:
    """Return the window about what was clicked on.

    Raises:
        InputError: the button is from another version.
        NotFoundError: what it is about is not there.
    """
    execution = services.executions.get(CardRef.parse(clicked(body).get("value")).execution_id)
    return build(execution, services.card_rules_for(execution))


def note_change(services: Services) -> None:
    """Note that something changed, and have the homes drawn that are due."""
    services.homes.changed()
    for name in due_homes(services):
        services.dispatcher.submit("home", name)


def due_homes(services: Services) -> list[str]:
    """Return the homes to draw now."""
    return services.homes.due(services.clock(), report_id=_newest_id(services))


def _newest_id(services: Services) -> str:
    return next((report.report_id for report in services.reports.list_reports(1)), "")


def publish_home(services: Services, name: str) -> None:
    """Draw a home, unless it was begun a moment ago: then the next sweep finds it. What Slack refuses is drawn later."""
    now = services.clock()
    home = services.homes.begin(name, now)
    if home is None:
        return
    report_id = _newest_id(services)
    try:
        _publish(services, home, now)
    except SLACK_FAILURES as error:
        log.warning("home not drawn", person=home.slack_id, error=code_of(error))
        if code_of(error) in _GONE:
            services.homes.forget(home)
    else:
        services.homes.drawn(home, report_id=report_id)


def _publish(services: Services, home: Home, now: datetime) -> None:
    client = make_careful(services.client)
    try:
        view = build_home(read_home(services, home, now))
        client.views_publish(user_id=home.slack_id, view=view.to_dict())
    except SLACK_FAILURES as error:
        if code_of(error) not in _BAD_VIEW:
            raise
        log.exception("Slack refuses the home's blocks")
        client.views_publish(user_id=home.slack_id, view=build_plain_home(now).to_dict())


def read_home(services: Services, home: Home, now: datetime) -> HomePage:
    """Return what a person's home shows, read now."""
    mine, problem = _read_pending(services, home, now)
    history = services.executions.history(limit=2 * _MOST_LISTED)
    ran = [execution for execution in history if execution.status is not PlaybookStatus.PENDING]
    return HomePage(
        standing=read_standing(services, now),
        pending=[each for each in mine.fixes if not _is_in_batch(each)],
        batches=_read_batches(services, mine.fixes),
        rollbacks=mine.rollbacks,
        rollback_approvals=services.remediation.policy.rollback_approvals,
        requests=services.finder.asked_by(home.person, limit=_MOST_LISTED),
        recent=ran[:_MOST_LISTED],
        problem=problem,
        drawn_at=now,
    )


def _is_in_batch(execution: PlaybookExecution) -> bool:
    """Tell whether an execution that waits is shown with others, on the card of their batch."""
    return bool(execution.batch_id) and execution.revision == 1


def _read_batches(services: Services, pending: Sequence[PlaybookExecution]) -> list[Members]:
    """Return the batches that what waits for somebody belongs to, once each."""
    names = dict.fromkeys(each.batch_id for each in pending if _is_in_batch(each))
    found = [services.batches.members(name) for name in names]
    return [members for members in found if members.waiting]


@dataclass(frozen=True, slots=True)
class _Signable:
    """What a person may sign."""

    fixes: Sequence[PlaybookExecution] = ()
    rollbacks: Sequence[PlaybookExecution] = ()


def _read_pending(services: Services, home: Home, now: datetime) -> tuple[_Signable, str]:
    """Return what a person may sign, and why that cannot be told where it cannot."""
    fixes = services.finder.pending(limit=_MOST_LOOKED_AT)
    rollbacks = services.finder.rollbacks(limit=_MOST_LOOKED_AT)
    if not fixes and not rollbacks:
        return _Signable(), ""
    remediation = services.remediation
    groups = frozenset(
        group for each in (*fixes, *rollbacks) for group in remediation.policy.terms_of(each).approver_groups
    )
    try:
        person = services.people.get(
            home.person, lambda: remediation.directory.look_up(home.person, groups=groups), now=now
        )
    except RefusedError as error:
        return _Signable(), str(error)
    return _Signable(
        [each for each in fixes if may_sign(remediation.policy, each, person, now=now)],
        [each for each in rollbacks if may_sign_rollback(remediation.policy, each, person, now=now)],
    ), ""


def may_sign(policy: Policy, execution: PlaybookExecution, person: Person, *, now: datetime) -> bool:
    """Tell whether it is worth showing somebody an execution to sign; whether they may is decided when they do."""
    try:
        refuse_late(execution, revision=None, now=now)
        refuse_same_person(policy, execution.requester, person.actor)
        refuse_twice(execution, person.actor)
        refuse_outsider(policy.terms_of(execution), person)
    except RefusedError:
        return False
    return True


def may_sign_rollback(policy: Policy, execution: PlaybookExecution, person: Person, *, now: datetime) -> bool:
    """Tell whether it is worth showing somebody a rollback to sign; whether they may is decided when they do."""
    if execution.rollback is None or now >= execution.rollback.expires_at:
        return False
    try:
        refuse_signing_again(execution, person.actor)
        refuse_outsider(policy.terms_of(execution), person)
    except RefusedError:
        return False
    return True


def read_standing(services: Services, now: datetime) -> Standing:
    """Return how things stand: by the findings' own states, and by the scores of the reports."""
    reports = services.reports.list_reports(_TREND)
    if not reports:
        return Standing(open={})
    newest = reports[0]
    overview = services.tracker.overview(now)
    row = [report for report in reversed(reports) if _same_row(report, newest)]
    scores = [report.summary["security_score"] for report in row]
    return Standing(
        open=dict(overview.open_by_severity),
        overdue=dict(overview.overdue_by_severity),
        scores=[score for score in scores if score is not None],
        report_name=newest.name,
        reported_at=newest.generated_at,
    )


def _same_row(report: ReportHeader, newest: ReportHeader) -> bool:
    """Tell whether two reports can be compared: the same scanner, the same account."""
    same_account = report.summary["account_id"] == newest.summary["account_id"]
    return report.source == newest.source and same_account
