"""What a digest says, read when it is sent: what is open from the findings' own states, the score from the report that goes with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog

from audit.errors import InputError, NotFoundError
from audit.findings import Finding, Severity
from audit.lifecycle import FindingPage, FindingQuery, LifecycleState
from audit.ports import LATEST
from audit.report import ReportHeader
from exporters.lateness import MOST_LOOKED_AT, lateness_of
from exporters.open_now import OpenNow
from exporters.schedules import Fire, Schedule
from exporters.service import is_same_row, open_report
from exporters.view import trend
from handlers.blocks.digest import MOST_FIXES, Digest, Earlier
from handlers.blocks.lists import Fixable
from handlers.services import Services
from remediation.execution import PlaybookExecution
from remediation.matching import sure_match
from remediation.pending_query import PendingQuery
from remediation.states import UNDER_WAY

REPORT, CHANNEL, MAIL = "report", "channel", "mail"
_LOOKED_AT = 300
_MOST_LISTED = 10
_MOST_ASKED = 5
_FIRST_TIME = timedelta(days=7)
_NEWS = {LifecycleState.NEW: "new", LifecycleState.REGRESSED: "came back"}


@dataclass(frozen=True, slots=True)
class DigestReader:
    """Reads what one digest says, of the account that its schedule names, or of all."""

    services: Services
    schedule: Schedule
    fire: Fire

    def find_report(self) -> ReportHeader:
        """Return the report that goes with it: the one that this sending began with, else the newest.

        Its id stands on each log line from here on.

        Raises:
            InputError: there is none yet.
        """
        began_with = self.fire.brought(REPORT)
        account = "" if began_with else self.schedule.account
        try:
            found = self.services.reports.header(began_with or LATEST, account=account)
        except NotFoundError as error:
            about = f" about account {self.schedule.account}" if self.schedule.account else ""
            raise InputError(f"There is no report{about} to send yet.") from error
        structlog.contextvars.bind_contextvars(report_id=found.report_id)
        return found

    def read_digest(self) -> Digest:
        """Return what the message in a channel says."""
        now, report = self.services.clock(), self.find_report()
        page, since = self._open_page(now), self._last_sent_at(now)
        late = lateness_of(CHANNEL, self.fire, self.services.schedules, now)
        fixes, asked = self._fixes(page)
        pending, pending_count = self._pending()
        overview = self.services.tracker.overview(now, accounts=self._accounts)
        return Digest(
            schedule_id=self.schedule.schedule_id,
            when=self.schedule.cadence.describe(),
            account=self.schedule.account,
            report=report,
            open=overview.open_by_severity,
            earlier=self._earlier(report, CHANNEL),
            fixes=fixes,
            asked_for=asked,
            pending=pending,
            pending_count=pending_count,
            since=since,
            urgent=self._urgent(since, now),
            urgent_count=self.services.tracker.count_newly(
                _NEWS.keys(), since, now=now, severity=Severity.CRITICAL, accounts=self._accounts
            ),
            overdue=overview.overdue,
            missed=late.missed,
            due_at=late.due_at,
        )

    def read_open(self) -> OpenNow:
        """Return what the mail says."""
        now = self.services.clock()
        page = self._open_page(now)
        worst = [tracked.finding for tracked in page.items]
        return OpenNow(
            counts=self.services.tracker.overview(now, accounts=self._accounts).open_by_severity,
            worst=worst,
            asked_for=frozenset(each.fingerprint for each in worst if self._is_asked_for(each)),
            is_cut=page.total > len(page.items),
            account=self.schedule.account,
            notes=tuple(self._notes()),
        )

    @property
    def _accounts(self) -> frozenset[str]:
        return frozenset(filter(None, [self.schedule.account]))

    def _open_page(self, now: datetime) -> FindingPage:
        return self.services.tracker.search(FindingQuery(accounts=self._accounts), now=now, limit=_LOOKED_AT)

    def _notes(self) -> Iterator[str]:
        _, waiting = self._pending()
        if waiting:
            yield f"{waiting:,} {'fix waits' if waiting == 1 else 'fixes wait'} for approval in Slack."
        report = self.find_report()
        earlier = self._earlier(report, MAIL)
        if earlier and (moved := trend(report, [earlier.report])):
            yield f"Security score: {moved}."

    def _fixes(self, page: FindingPage) -> tuple[list[Fixable], int]:
        """Return the worst findings that a playbook is known to fix, and how many that are as bad were asked for already."""
        found, asked = list[Fixable](), 0
        for tracked in page.items:
            match = sure_match(tracked.finding, self.services.playbooks)
            if match is None:
                continue
            if self._is_asked_for(tracked.finding):
                asked += 1
            else:
                found.append(Fixable(tracked.finding, match.playbook.playbook_id))
            if len(found) == MOST_FIXES:
                break
        return found, asked

    def _is_asked_for(self, finding: Finding) -> bool:
        """Tell whether a fix of it waits for somebody, or runs."""
        newest = self.services.executions.history(finding_id=finding.fingerprint, limit=_MOST_ASKED)
        return any(each.status in UNDER_WAY and not each.dry_run for each in newest)

    def _pending(self) -> tuple[list[PlaybookExecution], int]:
        """Return the first of what waits for a decision, and how many do."""
        finder, account = self.services.finder, self.schedule.account
        query = PendingQuery(accounts=frozenset({account} if account else ()))
        return finder.pending(query, limit=_MOST_LISTED), finder.count_entries(query).fixes

    def _urgent(self, since: datetime, now: datetime) -> list[tuple[str, Finding]]:
        """Return the first of them: the worst come first, and nothing is worse."""
        found = self.services.tracker.newly(
            _NEWS.keys(), since, now=now, limit=_MOST_LISTED, accounts=self._accounts
        )
        return [
            (_NEWS[entry.state], entry.finding)
            for entry in found
            if entry.finding.severity is Severity.CRITICAL
        ]

    def _sent(self, part: str) -> Iterator[Fire]:
        """Yield what this schedule has told by this part before, newest first, whatever became of the others.

        One that was sent may not have had it: a schedule can be given a channel, or addresses, later.
        """
        fires = self.services.schedules.fires(self.schedule.schedule_id, MOST_LOOKED_AT)
        return (fire for fire in fires if fire.fire_id != self.fire.fire_id and fire.is_done(part))

    def _last_sent_at(self, now: datetime) -> datetime:
        return next((fire.due_at for fire in self._sent(CHANNEL)), now - _FIRST_TIME)

    def _earlier(self, report: ReportHeader, part: str) -> Earlier | None:
        """Return what the score is compared with: this schedule's last digest with a report of the same row, else the report before."""
        for fire in self._sent(part):
            told = fire.brought(REPORT)
            if told and is_same_row(before := self.services.reports.header(told), report):
                return Earlier(before, fire.due_at)
        row = open_report(self.services.reports, report.report_id).earlier
        return next((Earlier(before) for before in islice(reversed(row), 1)), None)
