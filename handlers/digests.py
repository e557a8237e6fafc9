"""What a schedule sends: a digest with the report's file in a channel, the report by mail. Each part once.

A part of a fire that was begun before may have arrived already: Slack is asked whether the message with this fire's id in its metadata
is there before another is posted. A mail cannot be looked for; sent again it has the same Message-ID.
"""

from dataclasses import dataclass

from exporters.firing import Part
from exporters.lateness import lateness_of
from exporters.mailing import MailRequest
from exporters.schedules import Fire, Schedule, ScheduleKind
from exporters.service import ExportRequest
from handlers.blocks.digest import build_digest
from handlers.delivery import SlackDelivery
from handlers.digest_reading import CHANNEL, MAIL, REPORT, DigestReader
from handlers.fire_posts import WORDS, find_post, in_words, post_once, work_reports_in
from handlers.posting import Poster
from handlers.services import Services

DIGEST = "countersign_digest"


@dataclass(frozen=True, slots=True)
class DigestSender:
    """Knows what `DIGEST` schedules send; see `exporters.firing.Sender`."""

    services: Services

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether it is a digest."""
        return schedule.kind is ScheduleKind.DIGEST

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        """Return the report that it begins with, then the message, its file and the mail, as far as they are wanted."""
        parts = [Part(REPORT, lambda fire: self._begin_with(schedule, fire))]
        if schedule.channel:
            parts.append(Part(CHANNEL, lambda fire: self._post(schedule, fire), after=REPORT))
            parts.append(Part("file", lambda fire: self._attach(schedule, fire), after=CHANNEL))
        if schedule.recipients:
            parts.append(Part(MAIL, lambda fire: self._mail(schedule, fire), after=REPORT, complains=True))
        return parts

    def _begin_with(self, schedule: Schedule, fire: Fire) -> str:
        """Return the id of the newest report: whatever is read in meanwhile, all parts are about this one."""
        work_reports_in(self.services, fire)
        return self._reader(schedule, fire).find_report().report_id

    def _post(self, schedule: Schedule, fire: Fire) -> str:
        reader = self._reader(schedule, fire)
        with in_words(schedule):
            return post_once(self._poster(schedule), fire, DIGEST, lambda: build_digest(reader.read_digest()))

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
                report_id=self._reader(schedule, fire).find_report().report_id,
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
        reader = self._reader(schedule, fire)
        sent = self.services.mailing.send(
            MailRequest(
                recipients=schedule.recipients,
                actor=schedule.owner,
                format=schedule.format,
                report_id=reader.find_report().report_id,
                key=fire.fire_id,
                open_now=reader.read_open(),
                remark=lateness_of(MAIL, fire, self.services.schedules, self.services.clock()).remark,
            )
        )
        return "" if sent.is_complete else sent.explain()

    def _poster(self, schedule: Schedule) -> Poster:
        return Poster(self.services.client, schedule.channel)

    def _reader(self, schedule: Schedule, fire: Fire) -> DigestReader:
        return DigestReader(self.services, schedule, fire)
