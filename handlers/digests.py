"""What a schedule sends: a digest with the report's file in a channel, the report by mail. Each part once.

A part of a fire that was begun before may have arrived already: Slack is asked whether the message with this fire's id in its metadata
is there before another is posted. A mail cannot be looked for; sent again it has the same Message-ID.
"""

from dataclasses import dataclass

import structlog

from exporters.firing import Part, Voice
from exporters.mailing import MailRequest
from exporters.schedules import Fire, Schedule, ScheduleKind
from exporters.service import ExportRequest
from handlers.blocks.digest import build_digest
from handlers.blocks.texts import code, escape
from handlers.delivery import SlackDelivery
from handlers.digest_reading import REPORT, DigestReader
from handlers.fire_posts import WORDS, find_post, in_words, post_once, work_reports_in
from handlers.posting import Poster, tell
from handlers.schedule_pages import about
from handlers.services import Services

log = structlog.get_logger()
DIGEST = "countersign_digest"


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
        """Return the report that it begins with, then the message, its file and the mail, as far as they are wanted."""
        parts = [Part(REPORT, lambda fire: self._begin_with(schedule, fire))]
        if schedule.channel:
            parts.append(Part("channel", lambda fire: self._post(schedule, fire)))
            parts.append(Part("file", lambda fire: self._attach(schedule, fire)))
        if schedule.recipients:
            parts.append(Part("mail", lambda fire: self._mail(schedule, fire)))
        return parts

    def _begin_with(self, schedule: Schedule, fire: Fire) -> str:
        """Return the id of the newest report: whatever is read in meanwhile, all parts are about this one."""
        work_reports_in(self.services, fire)
        return self._reader(schedule, fire).find_report().report_id

    def _post(self, schedule: Schedule, fire: Fire) -> None:
        reader = self._reader(schedule, fire)
        with in_words(schedule):
            post_once(self._poster(schedule), fire, DIGEST, lambda: build_digest(reader.read_digest()))

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
                report_id=self._reader(schedule, fire).find_report().report_id,
                destination=schedule.channel,
            ),
            SlackDelivery(self.services.client, schedule.channel, comment="The report", thread=thread),
        )

    def _has_file(self, channel: str, thread: str) -> bool:
        return bool(Poster(self.services.client, channel).files_in(thread) - {WORDS})

    def _mail(self, schedule: Schedule, fire: Fire) -> None:
        reader = self._reader(schedule, fire)
        sent = self.services.mailing.send(
            MailRequest(
                recipients=schedule.recipients,
                actor=schedule.owner,
                format=schedule.format,
                report_id=reader.find_report().report_id,
                key=fire.fire_id,
                open_now=reader.read_open(),
                remark=f"{fire.missed:,} earlier missed" if fire.missed else "",
            )
        )
        if not sent.is_complete:
            self.voice.tell(schedule, f"did not reach everyone. {sent.explain()}")

    def _poster(self, schedule: Schedule) -> Poster:
        return Poster(self.services.client, schedule.channel)

    def _reader(self, schedule: Schedule, fire: Fire) -> DigestReader:
        return DigestReader(self.services, schedule, fire)
