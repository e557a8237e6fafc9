"""What a sweep finds: everything that the stored state says is to be done, whoever left it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audit.actor import Actor
from bot.app import Bot
from bot.config import Config
from bot.reading_apart import open_apart
from bot.settings import Settings
from bot.worker import Lane, Work
from remediation.clock import utc_now
from remediation.execution import PlaybookExecution
from remediation.home_pictures import PICTURE_LOST_AFTER
from remediation.ports import OWNER_LOST_AFTER, Request
from remediation.states import PlaybookStatus
from storage import Stores
from storage.tables import ReportRow
from tests.databases import stores_in_memory
from tests.fakes.samples import an_event, an_execution
from tests.unit.handlers import cards

S = PlaybookStatus
PATIENCE_S = 10
Store = Callable[..., PlaybookExecution]


@pytest.fixture
def stores() -> Stores:
    return stores_in_memory()


@pytest.fixture
def bot(stores: Stores) -> Iterator[Bot]:
    config = Config.model_validate({"policy": {"approvers": ["U0OMAR"]}})
    bot = Bot(Settings.from_environment(), config, stores)
    yield bot
    bot.page.threads.shutdown()
    stores.close()


@pytest.fixture
def store(stores: Stores) -> Store:
    def make(name: str, **changes: object) -> PlaybookExecution:
        return stores.executions.create(an_execution(name, **changes), an_event())

    return make


def found(bot: Bot, name: str) -> list[str]:
    """Return the lanes in which a sweep wants something done about a name."""
    return [kind for kind, work_id in bot._find_waiting() if work_id == name and kind not in {"draw", "tell"}]


@pytest.mark.parametrize("status", [S.RUNNING, S.ROLLING_BACK])
def test_what_a_process_left_that_is_no_longer_heard_of(
    bot: Bot, stores: Stores, store: Store, status: PlaybookStatus
) -> None:
    store("x-left", status=status, owner="boot-other")
    stores.executions.beat("boot-other", utc_now())
    assert found(bot, "x-left") == [], "its owner is alive"
    stores.executions.beat("boot-other", utc_now() - OWNER_LOST_AFTER - timedelta(seconds=1))
    assert found(bot, "x-left") == ["recover"]


def test_what_may_be_anothers_is_left_alone_until_it_was_listened_to(
    bot: Bot, stores: Stores, store: Store
) -> None:
    left = store("x-left", status=S.RUNNING, owner="boot-other")
    stores.executions.beat("boot-other", utc_now() - timedelta(days=1))
    watch = bot.services.runner.journal.watch
    assert found(bot, "x-left") == ["recover"]
    assert set(watch._silences) == {"boot-other"}, "each sweep hears who is alive"
    bot._lanes["recover"].do("x-left")
    assert stores.executions.get("x-left") == left


def test_what_one_lane_cannot_read_keeps_no_other_from_being_looked_at(bot: Bot, store: Store) -> None:
    store("x-left", status=S.RUNNING, owner="boot-other")

    def broken(_now: datetime) -> list[str]:
        raise KeyError("a row of nobody's")

    bot._lanes["request"] = replace(bot._lanes["request"], waiting=broken)
    seen: list[Work] = []
    with pytest.raises(KeyError):
        seen.extend(bot._find_waiting())
    assert ("recover", "x-left") in seen


def test_each_sweep_is_a_sign_of_life(bot: Bot, stores: Stores, store: Store) -> None:
    mine = bot.services.runner.journal.owner
    store("x-mine", status=S.RUNNING, owner=mine)
    assert [each.execution_id for each in stores.executions.unfinished("boot-other", utc_now())] == ["x-mine"]
    list(bot._find_waiting())
    assert stores.executions.unfinished("boot-other", utc_now()) == []


def test_it_says_that_it_lives_before_there_is_work(bot: Bot, stores: Stores, store: Store) -> None:
    mine = bot.services.runner.journal.owner
    store("x-mine", status=S.RUNNING, owner=mine)
    heard: list[set[str]] = []
    swept = threading.Event()

    def sweep() -> list[Work]:
        heard.append(set(stores.executions.heard()))
        swept.set()
        return []

    bot.worker.take_on({}, sweep)
    bot.start()
    assert swept.wait(PATIENCE_S)
    bot.stop()
    assert heard[0] == {mine}


def test_it_says_that_it_lives_until_the_last_of_its_work_is_done(
    bot: Bot, stores: Stores, store: Store
) -> None:
    mine = bot.services.runner.journal.owner
    store("x-mine", status=S.RUNNING, owner=mine)
    begun, may_end, said = threading.Event(), threading.Event(), threading.Semaphore(0)

    def work(_work_id: str) -> None:
        begun.set()
        assert may_end.wait(PATIENCE_S)

    def clock() -> datetime:
        if bot.worker.is_stopping:
            said.release()
        return utc_now()

    bot.worker.take_on({"job": Lane(work, 1)}, list)
    bot.heart = replace(bot.heart, clock=clock, every_s=0.01)
    bot.start()
    bot.worker.submit("job", "a")
    assert begun.wait(PATIENCE_S)
    stopper = threading.Thread(target=bot.stop)
    stopper.start()
    for _ in range(3):
        assert said.acquire(timeout=PATIENCE_S), "it works, and nobody hears of it"
    may_end.set()
    stopper.join(PATIENCE_S)
    assert not [each for each in threading.enumerate() if each.name == "heartbeat"]


def test_what_runs_asks_the_same_exceptions_as_what_decides(bot: Bot, stores: Stores) -> None:
    assert bot.services.runner.exceptions is bot.services.remediation.exceptions is stores.exceptions


def test_what_is_approved_and_what_ran_out(bot: Bot, store: Store) -> None:
    now = utc_now()
    store("x-approved", status=S.APPROVED, holds="a")
    store("x-late", expires_at=now - timedelta(seconds=1), holds="b")
    store("x-waiting", expires_at=now + timedelta(hours=1), holds="c")
    asked = cards.rollback_asked().rollback
    assert asked is not None
    over = replace(asked, expires_at=now - timedelta(seconds=1))
    store("x-rollback", status=S.FAILED, rollback=over)
    assert found(bot, "x-approved") == ["run"]
    assert found(bot, "x-late") == ["expire"]
    assert found(bot, "x-waiting") == []
    assert found(bot, "x-rollback") == ["rollback"]


def test_what_was_acknowledged_and_not_answered(bot: Bot, stores: Stores) -> None:
    stores.inbox.put(
        Request(request_id="q-1", kind="command", actor=Actor(slack_id="U0ANA"), received_at=utc_now())
    )
    assert found(bot, "q-1") == ["request"]
    assert stores.inbox.begin("q-1", owner="boot-other", now=utc_now())
    assert found(bot, "q-1") == [], "another process answers it"


def test_files_of_strangers_are_read_by_another_process(bot: Bot) -> None:
    assert bot.services.open_file is open_apart


def test_a_report_that_was_never_finished(bot: Bot, stores: Stores) -> None:
    assert found(bot, "reports") == []
    long_ago = utc_now() - timedelta(hours=2)
    report = {"report_id": "r-1", "content_sha256": "0" * 64, "state": "loading", "source": "x", "name": "n"}
    times = {"generated_at": long_ago, "as_of": long_ago, "begun_at": long_ago}
    nothing: dict[str, object] = {"summary": {}, "compliance": {}, "recommendations": [], "rejected": []}
    with stores.database.writing() as session:
        session.add(ReportRow(**report, **times, **nothing))
    assert found(bot, "reports") == ["abandoned"]
    bot._lanes["abandoned"].do("reports")
    assert found(bot, "reports") == []


def test_a_log_that_has_become_long(bot: Bot, stores: Stores) -> None:
    assert found(bot, "database") == []
    for _ in range(250):
        stores.executions.beat("boot-1", utc_now())
    assert found(bot, "database") == ["log"]
    bot._lanes["log"].do("database")
    assert found(bot, "database") == []


def test_a_picture_of_homes_that_is_to_be_made_or_asked_about(bot: Bot, stores: Stores) -> None:
    assert found(bot, "trend") == []
    assert stores.home_pictures.begin("digest", utc_now() - PICTURE_LOST_AFTER)
    assert found(bot, "trend") == ["picture"]
    assert stores.home_pictures.begin("digest", utc_now())
    assert found(bot, "trend") == [], "somebody is at it"


def test_the_sweep_forgets_who_is_long_gone_in_its_own_lane(bot: Bot, stores: Stores) -> None:
    stores.executions.beat("boot-gone", utc_now() - timedelta(days=31))
    assert found(bot, "boot-gone") == [], "it is listened to first"
    assert "owners" in bot._lanes
