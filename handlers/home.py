"""The home of each person who has opened it: drawn when they look at it, and anew after every change.

Drawing is coalesced (many changes in a moment are one drawing) and kept below Slack's rate for views; `Homes` decides what is due.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.models.views import View

from handlers.blocks.card import CardRules
from handlers.blocks.home import MOST_WAITING, HomePage, Standing, build_home, build_plain_home
from handlers.blocks.names import (
    APPROVE_FORM,
    HOME_DETAILS,
    HOME_REVIEW,
    ROLL_BACK_FORM,
    CardRef,
)
from handlers.blocks.views import build_details_view, build_review_view
from handlers.clients import make_careful
from handlers.home_picture import find_picture, hide_picture, read_points
from handlers.intake import acknowledge
from handlers.requests import clicked, opener_of, view_request
from handlers.rollback_window import register_rollback_window
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of
from handlers.waiting import read_signable
from handlers.windows import open_window
from remediation.audience import Home
from remediation.execution import PlaybookExecution

log = structlog.get_logger()
Body = dict[str, Any]
Build = Callable[[PlaybookExecution, CardRules], View]
_MOST_LISTED = 11
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

    def on_window(ack: Ack, body: Body, context: BoltContext) -> None:
        acknowledge(services.intake, ack, context, view_request(body, now=services.clock()))

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
    """Publish the home; where Slack refuses its blocks without the picture, and where it refuses those too, words alone."""
    client = make_careful(services.client)
    page = read_home(services, home, now)
    if _is_taken(client, home, page):
        return
    picture, bare = page.standing.picture, replace(page, standing=replace(page.standing, picture=None))
    if picture and _is_taken(client, home, bare):
        hide_picture(services, picture)
    else:
        client.views_publish(user_id=home.slack_id, view=build_plain_home(now).to_dict())


def _is_taken(client: WebClient, home: Home, page: HomePage) -> bool:
    """Publish what a page shows, and tell whether Slack takes its blocks."""
    try:
        client.views_publish(user_id=home.slack_id, view=build_home(page).to_dict())
    except SLACK_FAILURES as error:
        if code_of(error) not in _BAD_VIEW:
            raise
        log.exception("Slack refuses the home's blocks", with_picture=page.standing.picture is not None)
        return False
    return True


def read_home(services: Services, home: Home, now: datetime) -> HomePage:
    """Return what a person's home shows, read now."""
    mine = read_signable(services, home.person, most=MOST_WAITING + 1, now=now)
    return HomePage(
        standing=read_standing(services, now),
        waiting=mine.entries,
        rollbacks=mine.rollbacks,
        rollback_approvals=services.remediation.policy.rollback_approvals,
        requests=services.finder.asked_by(home.person, limit=_MOST_LISTED),
        recent=services.finder.ran(limit=_MOST_LISTED),
        problem=mine.problem,
        drawn_at=now,
    )


def read_standing(services: Services, now: datetime) -> Standing:
    """Return how things stand: by the findings' own states, and by the scores of the row with the largest report."""
    newest = next(iter(services.reports.list_reports(1)), None)
    if newest is None:
        return Standing(open={})
    overview = services.tracker.overview(now)
    rows = services.tracker.rows()
    points = read_points(services, rows)
    scores = [point.score for point in points if point.score is not None]
    return Standing(
        open=dict(overview.open_by_severity),
        overdue=dict(overview.overdue_by_severity),
        rows=rows,
        scores=scores,
        unscored=len(points) - len(scores),
        picture=find_picture(services, points),
        report_name=newest.name,
        reported_at=newest.generated_at,
    )
