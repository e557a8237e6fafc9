"""What a schedule sends: a digest with the report's file in a channel, the report by mail. Each part once.

A part of a fire that was begun before may have arrived already: Slack is asked whether the message with this fire's id in its metadata
is there before another is posted. A mail cannot be looked for; sent again it has the same Message-ID.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog

from audit.errors import InputError, NotFoundError
from audit.findings import Finding, Severity
from audit.lifecycle import LifecycleState
from audit.ports import LATEST
from audit.report import ReportHeader
from exporters.firing import Part
from exporters.lateness import lateness_of
from exporters.mailing import MailRequest
from exporters.schedules import Fire, FireState, Schedule, ScheduleKind
from exporters.service import ExportRequest, open_report
from handlers.blocks.digest import MOST_FIXES, Digest, build_digest
from handlers.blocks.lists import Fixable
from handlers.delivery import SlackDelivery
from handlers.fire_posts import WORDS, find_post, in_words, post_once
from handlers.posting import Poster
from handlers.services import Services
from remediation.matching import sure_match

DIGEST = "countersign_digest"
CHANNEL, MAIL = "channel", "mail"
_LOOKED_AT = 300
_MOST_LISTED = 10
_FIRST_TIME = timedelta(days=7)
_NEWS = {LifecycleState.NEW: "new", LifecycleState.REGRESSED: "came back"}


@dataclass(frozen=True, slots=True)
class DigestSender:
    """Knows what `DIGEST` schedules send; see `exporters.firing.Sender`."""

    services: Services

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether it is a digest."""
        return schedule.kind is ScheduleKind.DIGEST

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        """Return the message, its file and the mail, as far as they are wanted."""
        parts: list[Part] = []
        if schedule.channel:
            parts.append(Part(CHANNEL, lambda fire: self._post(schedule, fire)))
            parts.append(Part("file", lambda fire: self._attach(schedule, fire), after=CHANNEL))
        if schedule.recipients:
            parts.append(Part(MAIL, lambda fire: self._mail(schedule, fire), complains=True))
        return parts

    def _post(self, schedule: Schedule, fire: Fire) -> str:
        with in_words(schedule):
            return post_once(
                self._poster(schedule), fire, DIGEST, lambda: build_digest(self._digest(schedule, fire))
            )

    def _attach(self, schedule: Schedule, fire: Fire) -> None:
        """Share the report below the digest."""
        with in_words(schedule):
            thread = fire.brought(CHANNEL) or self._find(schedule, fire)
            if thread and fire.attempts > 1 and self._has_file(schedule.channel, thread):
                return
        self.services.exports.export(
            ExportRequest(
                format=schedule.format,
                actor=schedule.owner,
                report_id=_newest(self.services).report_id,
                destination=schedule.channel,
            ),
            SlackDelivery(self.services.client, schedule.channel, comment="The report", thread=thread),
        )

    def _find(self, schedule: Schedule, fire: Fire) -> str:
        """Return the digest's message where a process of an older version has not noted it."""
        found = find_post(self._poster(schedule), fire, DIGEST)
        return found.message_id if found else ""

    def _has_file(self, channel: str, thread: str) -> bool:
        return bool(Poster(self.services.client, channel).files_in(thread) - {WORDS})

    def _mail(self, schedule: Schedule, fire: Fire) -> str:
        """Mail the report; return whom it did not reach."""
        sent = self.services.mailing.send(
            MailRequest(
                recipients=schedule.recipients,
                actor=schedule.owner,
                format=schedule.format,
                report_id=_newest(self.services).report_id,
                key=fire.fire_id,
                remark=lateness_of(MAIL, fire, self.services.schedules, self.services.clock()).remark,
            )
        )
        return "" if sent.is_complete else sent.explain()

    def _poster(self, schedule: Schedule) -> Poster:
        return Poster(self.services.client, schedule.channel)

    def _digest(self, schedule: Schedule, fire: Fire) -> Digest:
        now, report = self.services.clock(), _newest(self.services)
        late = lateness_of(CHANNEL, fire, self.services.schedules, now)
        source = open_report(self.services.reports, report.report_id)
        finder, tracker, since = self.services.finder, self.services.tracker, self._last_sent(schedule, now)
        return Digest(
            schedule_id=schedule.schedule_id,
            when=schedule.cadence.describe(),
            report=report,
            earlier=source.earlier[-1] if source.earlier else None,
            fixes=list(islice(_fixes(self.services, report.report_id), MOST_FIXES)),
            pending=finder.pending(limit=_MOST_LISTED),
            pending_count=finder.count_pending(),
            urgent=self._urgent(since, now),
            urgent_count=tracker.count_newly(_NEWS.keys(), since, now=now, severity=Severity.CRITICAL),
            overdue=tracker.overview(now).overdue,
            missed=late.missed,
            due_at=late.due_at,
        )

    def _urgent(self, since: datetime, now: datetime) -> list[tuple[str, Finding]]:
        """Return the first of them: the worst come first, and nothing is worse."""
        found = self.services.tracker.newly(_NEWS.keys(), since, now=now, limit=_MOST_LISTED)
        return [
            (_NEWS[entry.state], entry.finding)
            for entry in found
            if entry.finding.severity is Severity.CRITICAL
        ]

    def _last_sent(self, schedule: Schedule, now: datetime) -> datetime:
        fires = self.services.schedules.fires(schedule.schedule_id)
        return next((fire.due_at for fire in fires if fire.state is FireState.SENT), now - _FIRST_TIME)


def _newest(services: Services) -> ReportHeader:
    """Return the report that is sent; its id stands on each log line from here on."""
    try:
        found = services.reports.header(LATEST)
    except NotFoundError as error:
        raise InputError("There is no report to send yet.") from error
    structlog.contextvars.bind_contextvars(report_id=found.report_id)
    return found


def _fixes(services: Services, report_id: str) -> Iterator[Fixable]:
    """Yield the worst findings that a playbook is known to fix."""
    records = islice(services.reports.stream_findings(report_id), _LOOKED_AT)
    for finding in filter(lambda each: each.is_open, map(Finding.from_dict, records)):
        if match := sure_match(finding, services.playbooks):
            yield Fixable(finding, match.playbook.playbook_id)
