"""By Socket Mode too nothing is acknowledged before it is stored, and nobody waits for anybody else's."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bot.sandbox import SlackStandIn
from bot.socket_mode import Socket
from storage import Stores
from tests.databases import stores_at
from tests.fakes.cards_and_inbox import LockedInbox
from tests.fakes.stores import MemoryStores
from tests.unit.handlers.house import CHANNEL, House

PATIENCE_S = 20.0
SLACK_WAITS_S = 3.0


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start(ack_timeout_s=PATIENCE_S) as standin:
        yield standin
        assert standin.violations == ()


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = stores_at(f"sqlite:///{tmp_path / 'countersign.db'}")
    yield stores
    stores.close()


@pytest.fixture
def other(tmp_path: Path, stores: Stores) -> Iterator[sqlite3.Connection]:
    """Return another program's connection to the database."""
    with closing(sqlite3.connect(tmp_path / "countersign.db", check_same_thread=False)) as connection:
        yield connection


def until(see: Callable[[], object]) -> None:
    over = time.monotonic() + PATIENCE_S
    while not see():
        assert time.monotonic() < over, "not seen"
        time.sleep(0.01)


def connect(house: House) -> Socket:
    socket = Socket(house.app, house.slack.workspace.app_token, client=house.client)
    socket.connect()
    house.slack.wait_for(lambda: house.slack.sockets.connections)
    return socket


def type_list(people: ThreadPoolExecutor, house: House) -> "Future[object]":
    """Type a command; return its acknowledgement to come, once the bot is at it."""
    before = len(house.services.reply_urls)
    typed = people.submit(house.slack.command, user="ana", channel=CHANNEL, text="/report list")
    until(lambda: len(house.services.reply_urls) > before)
    return typed


def test_what_waits_for_the_database_is_not_acknowledged_and_keeps_nobody_waiting(
    slack: SlackStandIn, stores: Stores, other: sqlite3.Connection, people: ThreadPoolExecutor
) -> None:
    house = House(slack, stores=stores)
    with closing(connect(house)):
        other.execute("BEGIN IMMEDIATE")
        typed = [type_list(people, house) for _ in range(2)]
        assert slack.command(user="omar", channel=CHANNEL, text="/report").ok, "a form needs no database"
        assert not any(each.done() for each in typed)
        other.rollback()
        assert all(each.result(PATIENCE_S).ok for each in typed)
        assert len(house.open_requests()) == len(typed)
    house.services.intake.stop()


def test_what_comes_as_it_closes_is_acknowledged_first(
    slack: SlackStandIn, stores: Stores, other: sqlite3.Connection, people: ThreadPoolExecutor
) -> None:
    house = House(slack, stores=stores)
    socket = connect(house)
    other.execute("BEGIN IMMEDIATE")
    typed = type_list(people, house)
    closing_it = people.submit(socket.close)
    until(lambda: not socket.is_kept)
    other.rollback()
    assert typed.result(PATIENCE_S).ok
    closing_it.result(PATIENCE_S)
    house.services.intake.stop()
    assert len(house.open_requests()) == 1


@pytest.mark.slow
def test_it_closes_though_a_database_stays_locked_and_what_came_is_stored_later(
    slack: SlackStandIn, stores: Stores, other: sqlite3.Connection, people: ThreadPoolExecutor
) -> None:
    house = House(slack, stores=stores)
    socket = connect(house)
    other.execute("BEGIN IMMEDIATE")
    slack.sockets.ack_timeout_s = SLACK_WAITS_S
    typed = type_list(people, house)
    socket.close()
    other.rollback()
    house.services.intake.stop()
    assert len(house.open_requests()) == 1
    assert not slack.sockets.connections
    assert not typed.result(PATIENCE_S).ok


def test_an_acknowledgement_finds_the_connection_that_has_come_meanwhile(
    slack: SlackStandIn, stores: Stores, other: sqlite3.Connection, people: ThreadPoolExecutor
) -> None:
    house = House(slack, stores=stores)
    with closing(connect(house)) as socket:
        other.execute("BEGIN IMMEDIATE")
        typed = type_list(people, house)
        session = socket.client.current_session
        slack.sockets.cut()
        until(lambda: socket.client.current_session is not session and slack.sockets.connections)
        other.rollback()
        assert typed.result(PATIENCE_S).ok
    house.services.intake.stop()


@pytest.mark.slow
def test_slacks_pings_are_answered_meanwhile(
    slack: SlackStandIn, stores: Stores, other: sqlite3.Connection, people: ThreadPoolExecutor
) -> None:
    house = House(slack, stores=stores)
    with closing(connect(house)) as socket:
        other.execute("BEGIN IMMEDIATE")
        typed = type_list(people, house)
        session = socket.client.current_session
        assert session is not None
        before = session.last_ping_pong_time or 0
        until(lambda: (session.last_ping_pong_time or 0) > before)
        assert not typed.done()
        other.rollback()
        assert typed.result(PATIENCE_S).ok
    house.services.intake.stop()


def test_what_cannot_be_stored_is_told_and_pickers_are_answered(slack: SlackStandIn) -> None:
    inbox, stores = LockedInbox(), MemoryStores()
    object.__setattr__(stores, "inbox", inbox)
    house = House(slack, stores=stores)
    with closing(connect(house)):
        card = house.ask()
        assert slack.click("omar", card, "reject").ok
        form = house.window("omar")
        inbox.is_locked = True
        assert slack.click("omar", card, "approve").ok
        assert slack.command(user="ana", channel=CHANNEL, text="/report list").ok
        for person in ("omar", "ana"):
            slack.wait_for(lambda: [m for m in house.whispers(person) if "database is locked" in m.words])  # noqa: B023
        submitted = slack.submit_view("omar", form, {"reason": "not now"})
        assert not submitted.accepted
        assert "database is locked" in str(submitted.errors)
        assert slack.command(user="ana", channel=CHANNEL, text="/report").ok
        picked = slack.suggest("ana", house.window("ana"), "pick_report")
        assert [option.text for option in picked.options]
    assert house.open_requests() == []
    house.services.intake.stop()
