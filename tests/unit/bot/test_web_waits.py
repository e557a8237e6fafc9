"""Nothing is acknowledged before it is stored, and nobody waits for anybody else's: over real HTTP, on a real database file."""

import select
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import cast

import pytest
import uvicorn

from bot.bounded_http import BoundedHttp
from bot.report_page import ReportPage
from bot.sandbox import SlackStandIn
from bot.sandbox.delivery import Delivery, HttpCourier
from bot.web import make_web
from handlers.door import Door
from tests.databases import stores_at
from tests.fakes.cards_and_inbox import LockedInbox
from tests.fakes.stores import MemoryStores
from tests.unit.handlers.house import CHANNEL, House

PATIENCE_S = 20


@contextmanager
def serving(app: Door) -> Iterator[str]:
    """Serve an app as the bot does; return its host and port."""
    web = make_web(app, probe=dict, page=cast("ReportPage", NoPage()))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(web, log_config=None, loop="uvloop", http=BoundedHttp, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class NoPage:
    async def answer(self, _request: object) -> None:
        raise AssertionError("nobody asks for a page")


class Person:
    """Sends one thing to the bot, and looks whether it was answered."""

    def __init__(self, address: str) -> None:
        self._line = HTTPConnection(address, timeout=PATIENCE_S)

    def send(self, house: House, delivery: Delivery) -> None:
        courier = HttpCourier("", house.slack.workspace.signing_secret, PATIENCE_S)
        body, headers = courier.sign(delivery)
        self._line.request("POST", "/slack/events", body, headers)

    def is_answered(self) -> bool:
        return bool(select.select([self._line.sock], [], [], 0)[0])

    def status(self) -> int:
        with closing(self._line):
            return self._line.getresponse().status


def typed(house: House, text: str) -> Delivery:
    handles = house.slack.new_handles(house.slack.workspace.person("ana"), "C0SECURITY")
    return Delivery(
        "slash_commands",
        {
            "command": "/report",
            "text": text,
            "team_id": "T0DEMO",
            "user_id": "U0ANA",
            "channel_id": "C0SECURITY",
            "channel_name": "security",
            "trigger_id": handles.trigger_id,
            "response_url": handles.response_url,
        },
    )


def taken_in(house: House, many: int) -> None:
    """Wait until so many requests are being stored."""
    until = time.monotonic() + PATIENCE_S
    while len(house.services.reply_urls) < many:
        assert time.monotonic() < until, "not taken in"
        time.sleep(0.005)


def is_alive(address: str) -> bool:
    with closing(HTTPConnection(address, timeout=PATIENCE_S)) as line:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start() as standin:
        yield standin
        assert standin.violations == ()


def test_what_waits_for_the_database_is_not_acknowledged_and_keeps_nobody_waiting(
    slack: SlackStandIn, tmp_path: Path
) -> None:
    stores = stores_at(f"sqlite:///{tmp_path / 'countersign.db'}")
    house = House(slack, stores=stores)
    with serving(house.app) as address, closing(sqlite3.connect(tmp_path / "countersign.db")) as other:
        people = [Person(address), Person(address)]
        other.execute("BEGIN IMMEDIATE")
        for number, person in enumerate(people, 1):
            person.send(house, typed(house, "list"))
            taken_in(house, number)
            assert is_alive(address)
        assert is_alive(address)
        assert [person.is_answered() for person in people] == [False, False]
        other.rollback()
        assert [person.status() for person in people] == [200, 200]
        assert len(house.open_requests()) == len(people), "what is acknowledged is stored"
    house.services.intake.stop()
    stores.close()


@pytest.fixture
def locked(slack: SlackStandIn) -> Iterator[House]:
    """Return a house that is served as the bot is, and whose inbox takes nothing once the test says so."""
    inbox, stores = LockedInbox(), MemoryStores()
    object.__setattr__(stores, "inbox", inbox)
    house = House(slack, stores=stores)
    with serving(house.app) as address:
        slack.bot_url = f"http://{address}"
        yield house
    assert house.open_requests() == []


def lock(house: House) -> None:
    cast("LockedInbox", house.services.inbox).is_locked = True


def hears(house: House, user: str) -> None:
    house.slack.wait_for(lambda: [m for m in house.whispers(user) if "The database is locked" in m.words])


def test_who_typed_what_cannot_be_stored_hears_it(locked: House) -> None:
    lock(locked)
    with closing(HTTPConnection(locked.slack.bot_url.removeprefix("http://"))) as line:
        courier = HttpCourier("", locked.slack.workspace.signing_secret, PATIENCE_S)
        line.request("POST", "/slack/events", *courier.sign(typed(locked, "list")))
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    hears(locked, "ana")


def test_who_clicked_what_cannot_be_stored_hears_it(locked: House) -> None:
    card = locked.ask()
    lock(locked)
    assert locked.slack.click("omar", card, "approve").ok
    hears(locked, "omar")


def test_a_form_that_cannot_be_stored_stays_and_says_so(locked: House) -> None:
    card = locked.ask()
    assert locked.slack.click("omar", card, "reject").ok
    form = locked.window("omar")
    lock(locked)
    submitted = locked.slack.submit_view("omar", form, {"reason": "not now"})
    assert not submitted.accepted
    assert "database is locked" in str(submitted.errors)
    assert locked.slack.views("omar"), "it is still open"


def test_what_comes_while_it_stops_is_refused_in_words(slack: SlackStandIn) -> None:
    house = House(slack)
    with serving(house.app) as address:
        slack.bot_url = f"http://{address}"
        assert slack.command(user="ana", channel=CHANNEL, text="/report list").ok
        house.services.intake.stop()
        assert slack.command(user="ana", channel=CHANNEL, text="/report list").ok
        slack.wait_for(lambda: [m for m in house.whispers("ana") if "have not written this down" in m.words])
    assert len(house.open_requests()) == 1


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (
            {
                "type": "block_actions",
                "actions": [{"type": "button", "action_id": "nothing", "block_id": "b"}],
            },
            404,
        ),
        ({"type": "view_closed", "view": {"id": "V1", "callback_id": "reject_form"}}, 404),
        ({"type": "nothing_of_slacks"}, 404),
        ({"type": "block_actions", "actions": []}, 400),
    ],
)
def test_what_nobody_listens_for(locked: House, payload: dict[str, object], status: int) -> None:
    who = {"user": {"id": "U0ANA"}, "team": {"id": "T0DEMO"}}
    with closing(HTTPConnection(locked.slack.bot_url.removeprefix("http://"))) as line:
        courier = HttpCourier("", locked.slack.workspace.signing_secret, PATIENCE_S)
        line.request("POST", "/slack/events", *courier.sign(Delivery("interactive", payload | who)))
        assert line.getresponse().status == status
