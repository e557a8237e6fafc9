"""The table of all that the bot does once Slack has its acknowledgement: a row a kind of work."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial

from audit.errors import StateError
from bot.anchoring import Anchoring
from bot.forgetting import Forgetting
from bot.scheduler import make_firing
from bot.worker import Lane, Work
from handlers.answer import answer
from handlers.batch_drawing import draw_batch
from handlers.batch_returns import go_on_with_return
from handlers.drawing import draw
from handlers.home import due_homes, note_change, publish_home
from handlers.home_picture import tend_pictures
from handlers.intake import CLICK_KINDS, TYPED_KINDS
from handlers.notices import due_notices, tell_notice
from handlers.outcomes import tell_outcome
from handlers.regressions import tell_regression
from handlers.rollback_window import fill_window
from handlers.services import Services
from remediation.ending import ExceptionEnds
from remediation.execution import Glimpse, PlaybookExecution
from remediation.rechecking import Rechecking
from remediation.rollbacks import Rollbacks
from remediation.states import PlaybookStatus
from storage import Stores

Do = Callable[[str], object]
CLICK_THREADS = 32


def make_lanes(services: Services, stores: Stores, anchoring: Anchoring) -> dict[str, Lane]:
    """Return what is done, on how many threads, and what of it waits: a sweep looks from the top to the bottom."""
    owner, runner = services.runner.journal.owner, services.runner
    ends = ExceptionEnds(services.remediation, services.exceptions)
    executions, forgetting = _Executions(services), Forgetting(stores.owners)
    return {
        # So many that those who click at once share each wait for the disk (`storage.together`), and no more: docs/adr/0013.
        "click": Lane(
            partial(answer, services),
            threads=CLICK_THREADS,
            about="request_id",
            waiting=partial(stores.inbox.open_requests, owner, kinds=CLICK_KINDS),
        ),
        "request": Lane(
            partial(answer, services),
            threads=16,
            about="request_id",
            waiting=partial(stores.inbox.open_requests, owner, kinds=TYPED_KINDS),
        ),
        "run": Lane(
            _unless_too_late(runner.run), threads=8, about="execution_id", waiting=executions.approved
        ),
        "expire": Lane(
            _unless_too_late(executions.expire), threads=2, about="execution_id", waiting=executions.late
        ),
        "recover": Lane(
            _unless_too_late(runner.recover), threads=2, about="execution_id", waiting=executions.left
        ),
        "return": Lane(
            partial(go_on_with_return, services),
            threads=2,
            about="batch_id",
            waiting=partial(stores.returns.left, owner),
        ),
        "draw": Lane(
            partial(draw, services), threads=8, about="execution_id", waiting=stores.postings.outdated
        ),
        "rollback": Lane(
            _unless_too_late(executions.expire_rollback), threads=1, waiting=executions.late_rollbacks
        ),
        "exception": Lane(
            _unless_too_late(ends.end_in_time),
            threads=1,
            waiting=lambda now: (each.exception_id for each in stores.exceptions.over(now)),
        ),
        "notice": Lane(partial(tell_notice, services), threads=2, waiting=partial(due_notices, services)),
        "fire": Lane(make_firing(services).fire, threads=4, waiting=stores.schedules.waiting),
        "anchor": Lane(_anchor_with(anchoring), threads=1, waiting=lambda _now: ("head",)),
        "recheck": Lane(
            _make_rechecking(services, stores).recheck,
            threads=2,
            about="execution_id",
            waiting=stores.rechecks.due,
        ),
        "regression": Lane(
            lambda key: tell_regression(services, int(key)),
            threads=1,
            waiting=lambda now: map(str, stores.regressions.untold(now)),
        ),
        "findings": Lane(
            _catch_up_with(services, stores),
            threads=1,
            waiting=lambda _now: ("next",) if stores.tracker.is_behind() else (),
        ),
        "log": Lane(
            lambda _all: stores.database.settle(),
            threads=1,
            waiting=lambda _now: ("database",) if stores.database.has_long_log else (),
        ),
        "abandoned": Lane(
            lambda _all: stores.reports.remove_abandoned(services.clock()),
            threads=1,
            waiting=lambda now: ("reports",) if stores.reports.has_abandoned(now) else (),
        ),
        "owners": Lane(
            lambda owner: forgetting.forget(owner, services.clock()),
            threads=1,
            waiting=forgetting.waiting,
        ),
        "tell": Lane(
            partial(tell_outcome, services), threads=2, about="execution_id", waiting=stores.outcomes.untold
        ),
        "batch": Lane(
            partial(draw_batch, services), threads=4, about="batch_id", waiting=stores.batches.outdated
        ),
        "picture": Lane(
            lambda _all: tend_pictures(services),
            threads=1,
            waiting=lambda now: ("trend",) if stores.home_pictures.is_due(now) else (),
        ),
        "home": Lane(partial(publish_home, services), threads=2, waiting=lambda _now: due_homes(services)),
        "homes": Lane(lambda _all: note_change(services), threads=1),
        "window": Lane(partial(fill_window, services), threads=4),
    }


def find_waiting(lanes: dict[str, Lane], now: datetime) -> Iterator[Work]:
    """Yield what the stored state says is to be done, whoever left it. What one lane cannot read keeps no other from being looked at.

    Raises:
        Exception: what a lane could not read, after all the others.
    """
    failed: list[Exception] = []
    for kind, lane in lanes.items():
        try:
            found = list(lane.waiting(now))
        except Exception as error:  # noqa: BLE001 - raised again below
            failed.append(error)
            continue
        yield from ((kind, work_id) for work_id in found)
    if failed:
        raise failed[0]


class _Executions:
    """What waits for a moment, and what is done when it has come."""

    def __init__(self, services: Services) -> None:
        self._store = services.executions
        self._remediation = services.remediation
        self._owner = services.runner.journal.owner
        self._rollbacks = Rollbacks(services.remediation, services.runner)

    def approved(self, _now: datetime) -> Iterator[str]:
        return _ids(self._store.glimpses(PlaybookStatus.APPROVED))

    def late(self, now: datetime) -> Iterator[str]:
        return _ids(self._store.glimpses(PlaybookStatus.PENDING, until=now))

    def left(self, now: datetime) -> Iterator[str]:
        return _ids(self._store.unfinished(self._owner, now))

    def late_rollbacks(self, now: datetime) -> Iterator[str]:
        woken = self._store.ran_out(now, since=now)
        return _ids(each for each in woken if each.rollback and each.rollback.expires_at <= now)

    def expire(self, execution_id: str) -> None:
        self._remediation.expire(self._store.get(execution_id))

    def expire_rollback(self, execution_id: str) -> None:
        self._rollbacks.expire(self._store.get(execution_id))


def _ids(executions: Iterable[PlaybookExecution | Glimpse]) -> Iterator[str]:
    return (each.execution_id for each in executions)


def _unless_too_late(do: Do) -> Do:
    """Let be what somebody else took, decided or ended at this very moment, and what turned out to be alive."""

    def attempt(work_id: str) -> None:
        with suppress(StateError):
            do(work_id)

    return attempt


def _anchor_with(anchoring: Anchoring) -> Do:
    def anchor(_head: str) -> None:
        if due := anchoring.due():
            anchoring.note(due)

    return anchor


def _catch_up_with(services: Services, stores: Stores) -> Do:
    def catch_up(_report: str) -> None:
        while stores.tracker.catch_up(services.clock()):
            pass
        services.dispatcher.submit("homes", "all")  # what they count has changed

    return catch_up


def _make_rechecking(services: Services, stores: Stores) -> Rechecking:
    return Rechecking(
        store=services.executions,
        planner=services.runner.planner,
        tracker=services.tracker,
        rechecks=stores.rechecks,
        trail=services.trail,
        clock=services.clock,
    )
