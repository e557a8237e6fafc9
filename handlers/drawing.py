"""Cards and their threads, drawn from stored state alone: at any time, by any process, as often as need be.

A posting is stored before Slack is asked to post (`message_id` still empty) and completed afterwards. When a
crash lies between the two, the next drawing looks for the message by its metadata before it posts another.
"""

from dataclasses import replace

import structlog

from handlers.beside import share_once, text_file
from handlers.blocks.card import build_card, build_plain_card, build_superseded_card, is_oversized
from handlers.blocks.parts import Message, plain_message
from handlers.blocks.texts import place
from handlers.blocks.thread import build_progress, build_superseded_progress, has_progress
from handlers.blocks.whole import plan_in_words
from handlers.clients import make_brief
from handlers.placing import MOST_HOPELESS, WAIT_TO_BE_LET_IN, Placing, tell_asker, wait_after
from handlers.posting import Poster, Tag
from handlers.services import Services
from handlers.slack_errors import GONE, HOPELESS, SLACK_FAILURES, advise, code_of
from remediation.execution import PlaybookExecution
from remediation.ports import Posting
from remediation.states import PlaybookStatus

log = structlog.get_logger()
CARD = "countersign_card"
PROGRESS = "countersign_progress"
# As a `drawn_version`: nothing was drawn yet, and whoever asked was told why.
_TOLD = -1


def draw(services: Services, execution_id: str) -> None:
    """Bring an execution's cards and thread up to date.

    What Slack refuses for now is logged and drawn by a later sweep, each time after twice the wait: `Postings.outdated`
    names it when it is due.

    Raises:
        NotFoundError: there is no such execution.
    """
    with services.drawing.holding(execution_id):
        execution = services.executions.get(execution_id)
        if execution.batch_id:
            services.dispatcher.submit("batch", execution.batch_id)
        postings = services.postings.postings(execution_id)
        newest = _newest(services, execution, postings)
        if not newest.channel or newest.drawn_version >= execution.version:
            return
        if not _is_shown(execution, postings):
            services.postings.put(replace(newest, drawn_version=execution.version))
            return
        drawing = _Drawing(services, execution, newest)
        drawing.begin()
        older = [each for each in postings if each.revision < execution.revision and each.message_id]
        refusals = [_Drawing(services, execution, posting).supersede() for posting in older]
        drawing.draw(attempted_before=newest in postings, left=next(filter(None, refusals), ""))


def _newest(services: Services, execution: PlaybookExecution, postings: list[Posting]) -> Posting:
    """Return the card of the plan as it stands, a blank one where none was posted."""
    for posting in postings:
        if posting.revision == execution.revision:
            return posting
    return Posting(
        execution_id=execution.execution_id,
        revision=execution.revision,
        channel=execution.channel or services.channel,
        message_id="",
    )


def stands_alone(execution: PlaybookExecution) -> bool:
    """Tell whether an item of a batch needs a card of its own: its plan was drawn up anew, or a person has to look at it."""
    is_odd = execution.status is PlaybookStatus.INTERRUPTED or execution.unreviewed is not None
    return execution.revision > 1 or is_odd


def _is_shown(execution: PlaybookExecution, postings: list[Posting]) -> bool:
    """Tell whether there is anything to show: whoever asked for what needs no change was told so privately."""
    if any(posting.message_id for posting in postings):
        return True
    if execution.batch_id and not stands_alone(execution):
        return False
    return execution.plan is not None and execution.plan.is_needed


class _Drawing:
    """One card being drawn. `posting` is what is stored about it at each moment."""

    def __init__(self, services: Services, execution: PlaybookExecution, posting: Posting) -> None:
        self._services = services
        self._execution = execution
        self._posting = posting
        self._slack = Poster(make_brief(services.client), posting.channel)
        self._is_whole = True
        self._log = log.bind(execution_id=posting.execution_id, revision=posting.revision)
        self._placing = Placing(self._slack, self._log)

    def begin(self) -> None:
        """Note the attempt before it is made, so that whatever breaks it, even a crash, the next one waits."""
        version = self._execution.version
        before = self._posting.attempts if self._posting.attempted_version == version else 0
        self._put_off(attempts=before + 1, attempted_version=version)

    def _put_off(self, *, attempts: int, **changes: object) -> None:
        due_at = self._services.clock() + wait_after(attempts)
        self._keep(attempts=attempts, next_attempt_at=due_at, **changes)

    def supersede(self) -> str:
        """Take the buttons off a card whose plan was drawn up anew; return why Slack did not let us, if so."""
        if self._posting.drawn_version >= self._execution.version:
            return ""
        try:
            self._slack.edit(self._posting.message_id, build_superseded_card(self._execution))
            if self._posting.progress_id:
                self._slack.edit(self._posting.progress_id, build_superseded_progress())
        except SLACK_FAILURES as error:
            self._log.warning("old card not superseded", error=code_of(error))
            if code_of(error) != GONE:
                return code_of(error)
        self._keep(drawn_version=self._execution.version)
        return ""

    def draw(self, *, attempted_before: bool, left: str = "") -> None:
        """Post the card or bring it up to date, then its thread. It is done when no older card is `left` with its buttons."""
        try:
            self._place_card(attempted_before=attempted_before)
            self._place_progress()
            if not self._is_whole:
                self._share_plan()
        except SLACK_FAILURES as error:
            self._give_up(code_of(error))
        else:
            if left:
                self._give_up(left)
            else:
                self._keep(drawn_version=self._execution.version, attempts=0, next_attempt_at=None)

    def _place_card(self, *, attempted_before: bool) -> None:
        def show(card: Message) -> None:
            self._show_card(card, attempted_before=attempted_before)

        card = build_card(self._execution, self._services.card_rules_for(self._execution))
        is_taken = self._placing.show(show, card, lambda: build_plain_card(self._execution), "card")
        self._is_whole = is_taken and not is_oversized(card)

    def _share_plan(self) -> None:
        """Share the plan as a file below a card that does not show all of it."""
        if self._execution.plan is None:
            return
        name = f"plan-{self._posting.execution_id}-{self._posting.revision}.txt"
        share_once(
            self._services.client,
            self._posting.channel,
            text_file(name, plan_in_words(self._execution)),
            thread=self._posting.message_id,
            comment="The whole plan: the card above has no room for it.",
        )

    def _show_card(self, card: Message, *, attempted_before: bool) -> None:
        posted = self._placing.place_card(
            card,
            Tag(CARD, self._posting.execution_id, self._posting.revision),
            stands=self._posting.message_id,
            since=self._execution.created_at if attempted_before else None,
            forget=lambda: self._keep(message_id="", progress_id=""),
        )
        if posted:
            self._keep(channel=posted.channel, message_id=posted.message_id)

    def _place_progress(self) -> None:
        if has_progress(self._execution):
            reply = build_progress(self._execution)
            self._placing.show(self._show_progress, reply, lambda: plain_message(reply), "progress")

    def _show_progress(self, reply: Message) -> None:
        tag = Tag(PROGRESS, self._posting.execution_id, self._posting.revision)
        stands, thread = self._posting.progress_id, self._posting.message_id
        message_id = self._placing.place_reply(reply, tag, stands=stands, thread=thread)
        if message_id != stands:
            self._keep(progress_id=message_id)

    def _give_up(self, code: str) -> None:
        """Leave the drawing to a later sweep; where we may not speak, to a much later one, and say so once."""
        self._put_off(attempts=self._posting.attempts)
        self._log.warning("card not drawn", error=code, attempts=self._posting.attempts)
        if code not in HOPELESS:
            return
        has_stood_there = self._posting.message_id and self._posting.drawn_version > 0
        if has_stood_there or not self._posting.drawn_version:
            self._keep(drawn_version=_TOLD if self._tell(code) else self._posting.drawn_version)
        if self._posting.attempts >= MOST_HOPELESS:
            self._keep(drawn_version=self._execution.version)
        self._keep(next_attempt_at=self._services.clock() + WAIT_TO_BE_LET_IN)

    def _tell(self, code: str) -> bool:
        """Tell whoever asked; False where Slack gives no answer for now."""
        what = "brought up to date" if self._posting.message_id else "posted"
        where = place(self._posting.channel)
        words = f"The card for {self._execution.execution_id} could not be {what} in {where}. {advise(code)}"
        requester = self._execution.requester
        return tell_asker(self._services, requester, words, card_channel=self._posting.channel)

    def _keep(self, **changes: object) -> None:
        """Store what became of the posting."""
        self._posting = replace(self._posting, **changes)  # type: ignore[arg-type]
        self._services.postings.put(self._posting)
