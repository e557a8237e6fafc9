"""The card of a batch and its thread, drawn from stored state alone: at any time, by any process, as often as need be.

What holds for a single card holds here (see `handlers.drawing`). While items run, one edit stands for all that happened in the last
seconds: the sweep finds what was left out. Whoever asked is told once what came of all of it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from handlers.batch_outcomes import tell_batch_outcome
from handlers.batch_rules import rules_for
from handlers.blocks.batch_card import build_batch_card, build_plain_batch_card
from handlers.blocks.batch_outcome import build_batch_progress, has_batch_progress
from handlers.blocks.batch_views import fits_window
from handlers.blocks.parts import Message, plain_message
from handlers.blocks.texts import place
from handlers.clients import make_brief
from handlers.placing import MOST_HOPELESS, WAIT_TO_BE_LET_IN, Placing, tell_asker, wait_after
from handlers.posting import Poster, Tag
from handlers.services import Services
from handlers.slack_errors import HOPELESS, SLACK_FAILURES, advise, code_of
from remediation.batches import BatchCard, Members

log = structlog.get_logger()
CARD = "countersign_batch"
PROGRESS = "countersign_batch_progress"
CALM = timedelta(seconds=2)


def draw_batch(services: Services, batch_id: str) -> None:
    """Bring a batch's card and thread up to date, and tell whoever asked once all of it is over.

    Raises:
        NotFoundError: there is no such batch.
    """
    with services.drawing.holding(batch_id):
        members, card = services.batches.members(batch_id), services.batches.card(batch_id)
        if not members.batch.channel:
            return
        tell_batch_outcome(services, members)
        if card.drawn_total >= members.total or _is_soon_enough(members, card, now=services.clock()):
            return
        drawing = _Drawing(services, members, card)
        drawing.begin()
        drawing.draw(attempted_before=card.attempts > 0)


def _is_soon_enough(members: Members, card: BatchCard, *, now: datetime) -> bool:
    """Tell whether a later sweep is soon enough: this state was tried in vain just now, or the card was drawn while items run."""
    is_tried = card.attempted_total >= members.total and card.next_attempt_at is not None
    if is_tried and card.next_attempt_at and now < card.next_attempt_at:
        return True
    return members.is_busy and card.drawn_at is not None and now - card.drawn_at < CALM


class _Drawing:
    """One card being drawn. `card` is what is stored about it at each moment."""

    def __init__(self, services: Services, members: Members, card: BatchCard) -> None:
        self._services = services
        self._members = members
        self._card = card if card.channel else replace(card, channel=members.batch.channel)
        self._log = log.bind(batch_id=members.batch.batch_id)
        self._placing = Placing(Poster(make_brief(services.client), self._card.channel), self._log)

    def begin(self) -> None:
        """Note the attempt before it is made, so that whatever breaks it, even a crash, the next one waits."""
        total = self._members.total
        before = self._card.attempts if self._card.attempted_total == total else 0
        due_at = self._services.clock() + wait_after(before + 1)
        self._keep(attempts=before + 1, attempted_total=total, next_attempt_at=due_at)

    def draw(self, *, attempted_before: bool) -> None:
        """Post the card or bring it up to date, then its thread."""
        try:
            self._place_card(attempted_before=attempted_before)
            self._place_progress()
        except SLACK_FAILURES as error:
            self._give_up(code_of(error))
        else:
            now = self._services.clock()
            self._keep(drawn_total=self._members.total, drawn_at=now, attempts=0, next_attempt_at=None)

    def _place_card(self, *, attempted_before: bool) -> None:
        def show(card: Message) -> None:
            self._show_card(card, attempted_before=attempted_before)

        rules, whole = rules_for(self._services, self._members), fits_window(self._members)
        card = build_batch_card(self._members, rules, fits_window=whole)
        self._placing.show(show, card, lambda: build_plain_batch_card(self._members), "card")

    def _show_card(self, card: Message, *, attempted_before: bool) -> None:
        batch = self._members.batch
        posted = self._placing.place_card(
            card,
            Tag(CARD, batch.batch_id, 1),
            stands=self._card.message_id,
            since=batch.created_at if attempted_before else None,
            forget=lambda: self._keep(message_id="", progress_id=""),
        )
        if posted:
            self._keep(channel=posted.channel, message_id=posted.message_id)

    def _place_progress(self) -> None:
        if has_batch_progress(self._members):
            reply = build_batch_progress(self._members)
            self._placing.show(self._show_progress, reply, lambda: plain_message(reply), "progress")

    def _show_progress(self, reply: Message) -> None:
        tag = Tag(PROGRESS, self._members.batch.batch_id, 1)
        stands, thread = self._card.progress_id, self._card.message_id
        message_id = self._placing.place_reply(reply, tag, stands=stands, thread=thread)
        if message_id != stands:
            self._keep(progress_id=message_id)

    def _give_up(self, code: str) -> None:
        """Leave the drawing to a later sweep; where we may not speak, to a much later one, and say so once."""
        self._log.warning("batch not drawn", error=code, attempts=self._card.attempts)
        if code not in HOPELESS:
            return
        if self._card.attempts == 1 and not self._tell(code):
            self._keep(attempts=0)  # so that the next one says it
        is_enough = self._card.attempts >= MOST_HOPELESS
        self._keep(
            drawn_total=self._members.total if is_enough else self._card.drawn_total,
            next_attempt_at=self._services.clock() + WAIT_TO_BE_LET_IN,
        )

    def _tell(self, code: str) -> bool:
        """Tell whoever asked; False where Slack gives no answer for now."""
        batch = self._members.batch
        words = (
            f"The card for {batch.batch_id} could not be shown in {place(self._card.channel)}. {advise(code)}"
        )
        return tell_asker(self._services, batch.requester, words, card_channel=self._card.channel)

    def _keep(self, **changes: object) -> None:
        """Store what became of the card."""
        self._card = replace(self._card, **changes)  # type: ignore[arg-type]
        self._services.batches.put_card(self._card)
