"""Who clicks does not stand behind those who type; and whatever was asked is in one lane, before a restart and after it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from audit.actor import Actor
from bot.app import Bot
from bot.config import Config
from bot.settings import Settings
from handlers.answer import _ANSWERS
from handlers.intake import CLICK_KINDS, TYPED_KINDS, lane_of
from remediation.clock import utc_now
from remediation.ports import Request
from storage import Stores
from tests.databases import stores_at, stores_in_memory

PATIENCE_S = 20
ANA = Actor(workspace="T0DEMO", slack_id="U0ANA")


@pytest.fixture
def stores() -> Stores:
    return stores_in_memory()


@pytest.fixture
def bot(stores: Stores) -> Iterator[Bot]:
    bot = make_bot(stores)
    yield bot
    bot.page.threads.shutdown()
    stores.close()


def make_bot(stores: Stores) -> Bot:
    config = Config.model_validate({"policy": {"approvers": ["U0OMAR"]}})
    return Bot(Settings.from_environment(), config, stores)


def a_request(kind: str, *, at: datetime | None = None, name: str = "") -> Request:
    return Request(
        request_id=name or f"q-{kind}", kind=kind, actor=ANA, received_at=at or utc_now(), payload={}
    )


def swept(bot: Bot, name: str) -> list[str]:
    return [lane for lane, work_id in bot._find_waiting() if work_id == name]


def test_each_kind_that_is_answered_is_in_one_lane() -> None:
    assert set(_ANSWERS) == CLICK_KINDS | TYPED_KINDS
    assert not CLICK_KINDS & TYPED_KINDS


@pytest.mark.parametrize("kind", sorted(_ANSWERS))
def test_a_sweep_finds_what_was_left_in_the_lane_that_it_came_in(bot: Bot, stores: Stores, kind: str) -> None:
    left = a_request(kind)
    stores.inbox.put(left)
    assert swept(bot, left.request_id) == [lane_of(left)]


class Held:
    """Does the work of a lane when the test says so."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.done: list[str] = []

    def __call__(self, work_id: str) -> None:
        self.begun.release()
        assert self.may_end.wait(PATIENCE_S)
        self.done.append(work_id)


def test_a_click_is_answered_while_all_who_answer_commands_are_busy(bot: Bot) -> None:
    held, answered = Held(), threading.Event()
    lanes = {
        "request": replace(bot._lanes["request"], do=held),
        "click": replace(bot._lanes["click"], do=lambda _id: answered.set()),
    }
    bot.worker.take_on(lanes, list)
    for number in range(lanes["request"].threads + 1):
        bot.services.intake.keep(a_request("command", name=f"q-{number}")).result(PATIENCE_S)
    for _ in range(lanes["request"].threads):
        assert held.begun.acquire(timeout=PATIENCE_S)
    for kind in sorted(CLICK_KINDS):
        answered.clear()
        bot.services.intake.keep(a_request(kind)).result(PATIENCE_S)
        assert answered.wait(PATIENCE_S), kind
    assert held.done == []
    held.may_end.set()
    bot.services.intake.stop()
    bot.worker.stop()


def test_what_was_stored_and_not_begun_is_answered_by_the_next_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/countersign.db"
    bot, held = make_bot(stores_at(url)), Held()
    lanes = {kind: replace(bot._lanes[kind], do=held, threads=1) for kind in ("request", "click")}
    bot.worker.take_on(lanes, list)
    bot.start()
    kept = [
        bot.services.intake.keep(a_request(kind, name=f"q-{kind}-{number}"))
        for kind in sorted(_ANSWERS)
        for number in range(3)
    ]
    for each in kept:
        each.result(PATIENCE_S)  # acknowledged
    for _ in lanes:
        assert held.begun.acquire(timeout=PATIENCE_S)
    stopping = threading.Thread(target=bot.stop)
    stopping.start()
    while not bot.worker.is_stopping:
        stopping.join(0.005)
    held.may_end.set()
    stopping.join(PATIENCE_S)
    assert not stopping.is_alive()
    assert len(held.done) == len(lanes), "what waited is left to the next one"
    then = make_bot(Stores.open(url))
    found = {work_id: lane for lane, work_id in then._find_waiting() if lane in lanes}
    assert len(found) == len(kept), "none is lost, and nothing was answered that only was held"
    assert {lane for work_id, lane in found.items() if "action" in work_id or "view" in work_id} == {"click"}
    then.page.threads.shutdown()
    then._stores.close()
