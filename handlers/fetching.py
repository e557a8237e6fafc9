"""What a schedule fetches: findings from a cloud into a report, and what they say in a channel. Each part once.

A fetch that was interrupted goes on where it stopped (`bot/pulling.py`), in whichever process begins the fire again. Fetching twice is
harmless: the very same findings are the very same report.
"""

from dataclasses import dataclass

import structlog

from audit.errors import InputError, NothingFoundError, StateError, UnavailableError
from audit.finding_query import spell_query
from audit.lifecycle import Comparison, FindingQuery
from audit.pull_words import read_pull
from audit.pulling import PullRequest
from exporters.firing import Part
from exporters.lateness import MOST_LOOKED_AT, lateness_of
from exporters.schedules import Fire, FireState, Schedule, ScheduleKind
from handlers.blocks.fetched import Fetched, build_fetched
from handlers.fire_posts import hold_fire, in_words, post_once, work_reports_in
from handlers.posting import Poster
from handlers.services import Services

FETCHED = "countersign_fetched"
REPORT, CHANNEL = "report", "channel"
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class PullSender:
    """Knows what `PULL` schedules do; see `exporters.firing.Sender`."""

    services: Services

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether it is a fetch, and this process can fetch."""
        return schedule.kind is ScheduleKind.PULL and self.services.pull is not None

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        """Return the fetch, and the message where one is wanted."""
        parts = [Part(REPORT, lambda fire: self._fetch(schedule, fire))]
        if schedule.channel:
            parts.append(Part(CHANNEL, lambda fire: self._post(schedule, fire), after=REPORT))
        return parts

    def _fetch(self, schedule: Schedule, fire: Fire) -> str:
        """Fetch; return the report's id."""
        pull, request = self.services.pull, read_pull(schedule.source.split())
        if pull is None:
            raise InputError("This bot is not set up to fetch findings.")
        now, hold = self.services.clock(), hold_fire(self.services, fire)
        try:
            done = pull(request, actor=schedule.owner, now=now, say=lambda _pages: hold())
        except NothingFoundError:
            return NOTHING
        except StateError as error:
            hold()  # raises where it is the fire that was taken away
            raise UnavailableError(f"{error}.") from error
        structlog.contextvars.bind_contextvars(report_id=done.header.report_id)
        return done.header.report_id

    def _post(self, schedule: Schedule, fire: Fire) -> str:
        with in_words(schedule):
            poster = Poster(self.services.client, schedule.channel)
            return post_once(poster, fire, FETCHED, lambda: build_fetched(self._fetched(schedule, fire)))

    def _fetched(self, schedule: Schedule, fire: Fire) -> Fetched:
        report_id = fire.brought(REPORT)
        structlog.contextvars.bind_contextvars(report_id=report_id)
        is_something = report_id != NOTHING
        late = lateness_of(CHANNEL, fire, self.services.schedules, self.services.clock())
        return Fetched(
            schedule_id=schedule.schedule_id,
            when=schedule.cadence.describe(),
            source=schedule.source,
            report=self.services.reports.header(report_id) if is_something else None,
            change=self._change(schedule, fire) if is_something else None,
            query=_query(read_pull(schedule.source.split())),
            missed=late.missed,
            due_at=late.due_at,
        )

    def _change(self, schedule: Schedule, fire: Fire) -> Comparison | None:
        """Return what changed since this schedule's last fetch that brought something and was told."""
        fires = self.services.schedules.fires(schedule.schedule_id, MOST_LOOKED_AT)
        told = (each for each in fires if each.state is FireState.SENT and each.fire_id != fire.fire_id)
        reports = (each.brought(REPORT) for each in told)
        before = next((report for report in reports if report not in {"", NOTHING}), "")
        if not before:
            return None
        work_reports_in(self.services, fire)
        return self.services.tracker.compare(before, fire.brought(REPORT), limit=0)


def _query(request: PullRequest) -> list[str]:
    """Return the words of the search for what waits of this kind."""
    return spell_query(
        FindingQuery(
            severities=frozenset(request.severities),
            accounts=frozenset(filter(None, [request.account_id])),
            regions=frozenset(filter(None, [request.region])),
        )
    )
