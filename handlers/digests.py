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
from exporters.firing import Part, Voice
from exporters.mailing import MailRequest
from exporters.schedules import Fire, FireState, Schedule, ScheduleKind
from exporters.service import ExportRequest, open_report
from handlers.blocks.digest import MOST_FIXES, Digest, build_digest
from handlers.blocks.lists import Fixable
from handlers.blocks.texts import code, escape
from handlers.delivery import SlackDelivery
from handlers.fire_posts import WORDS, find_post, in_words, post_once
from handlers.posting import Poster, tell
from handlers.schedule_pages import about
from handlers.services import Services
from remediation.matching import sure_match

log = structlog.get_logger()
DIGEST = "countersign_digest"
_LOOKED_AT = 300
_MOST_LISTED = 10
_FIRST_TIME = timedelta(days=7)
_NEWS = {LifecycleState.NEW: "new", LifecycleState.REGRESSED: "came back"}


@dataclass(frozen=True, slots=True)
class SlackVoice:
    """Tells owners in our conversation with them; see `exporters.firing.Voice`."""

    services: Services

    def tell(self, schedule: Schedule, text: str) -> None:
        """Tell the owner. One who made it at a shell is told by the log alone."""
        log.warning("schedule failed", schedule=schedule.schedule_id, told=text)
        words = f"The schedule {code(schedule.schedule_id, 70)} {about(schedule)} {escape(text, 1500)}"
        tell(self.services.client, schedule.owner, words)


@dataclass(frozen=True, slots=True)
class DigestSender:
    """Knows what `DIGEST` schedules send; see `exporters.firing.Sender`."""

    services: Services
    voice: Voice

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether it is a digest."""
        return schedule.kind is ScheduleKind.DIGEST

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        """Return the message, its file and the mail, as far as they are wanted."""
        parts: list[Part] = []
        if schedule.channel:
            parts.append(Part("channel", lambda fire: self._post(schedule, fire)))
            parts.append(Part("file", lambda fire: self._attach(schedule, fire)))
        if schedule.recipients:
            parts.append(Part("mail", lambda fire: self._mail(schedule, fire)))
        return parts

    def _post(self, schedule: Schedule, fire: Fire) -> None:
        with in_words(schedule):
            post_once(
                self._poster(schedule), fire, DIGEST, lambda: build_digest(self._digest(schedule, fire))
            )

    def _attach(self, schedule: Schedule, fire: Fire) -> None:
        """Share the report below the digest."""
        with in_words(schedule):
            digest = find_post(self._poster(schedule), fire, DIGEST)
            thread = digest.message_id if digest else ""
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

    def _has_file(self, channel: str, thread: str) -> bool:
        return bool(Poster(self.services.client, channel).files_in(thread) - {WORDS})

    def _mail(self, schedule: Schedule, fire: Fire) -> None:
        sent = self.services.mailing.send(
            MailRequest(
                recipients=schedule.recipients,
                actor=schedule.owner,
                format=schedule.format,
                report_id=_newest(self.services).report_id,
                key=fire.fire_id,
                remark=f"{fire.missed:,} earlier missed" if fire.missed else "",
            )
        )
        if not sent.is_complete:
            self.voice.tell(schedule, f"did not reach everyone. {sent.explain()}")

    def _poster(self, schedule: Schedule) -> Poster:
        return Poster(self.services.client, schedule.channel)

    def _digest(self, schedule: Schedule, fire: Fire) -> Digest:
        now, report = self.services.clock(), _newest(self.services)
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
            missed=fire.missed,
            due_at=fire.due_at,
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
    try:
        return services.reports.header(LATEST)
    except NotFoundError as error:
        raise InputError("There is no report to send yet.") from error


def _fixes(services: Services, report_id: str) -> Iterator[Fixable]:
    """Yield the worst findings that a playbook is known to fix."""
    records = islice(services.reports.stream_findings(report_id), _LOOKED_AT)
    for finding in filter(lambda each: each.is_open, map(Finding.from_dict, records)):
        if match := sure_match(finding, services.playbooks):
            yield Fixable(finding, match.playbook.playbook_id)
