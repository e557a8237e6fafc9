"""What lets anybody speak as us stays in memory, and not for long."""

from datetime import timedelta
from pathlib import Path

import pytest

from handlers.reply_urls import LIFETIME, ReplyUrls
from tests.databases import stores_at
from tests.unit.handlers.cards import AT
from tests.unit.handlers.conftest import MakeHouse

URL = "https://hooks.slack.com/commands/1"
MOMENT = timedelta(seconds=1)


def test_a_url_is_given_out_once() -> None:
    urls = ReplyUrls()
    urls.keep("q-1", URL, now=AT)
    assert urls.take("q-2", now=AT) == ""
    assert [urls.take("q-1", now=AT) for _ in range(2)] == [URL, ""]


@pytest.mark.parametrize(("wait", "found"), [(LIFETIME - MOMENT, URL), (LIFETIME, "")])
def test_a_url_is_good_for_as_long_as_slack_takes_it(wait: timedelta, found: str) -> None:
    urls = ReplyUrls()
    urls.keep("q-1", URL, now=AT)
    assert urls.take("q-1", now=AT + wait) == found


def test_what_nobody_asks_for_any_more_is_forgotten() -> None:
    urls = ReplyUrls()
    for number in range(5):
        urls.keep(f"q-{number}", URL, now=AT)
    urls.keep("q-9", "", now=AT + LIFETIME)
    assert len(urls) == 0


def test_no_response_url_reaches_the_database(make_house: MakeHouse, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/countersign.db"
    stores = stores_at(url)
    house = make_house(stores=stores)
    try:
        house.ask()
        house.slack.click("omar", house.card(), "approve")
        house.slack.command(user="ana", channel="#security", text="/report list canary")
        assert len(house.open_requests()) == 2
        assert len(house.services.reply_urls) == 2
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    finally:
        stores.close()
    assert b"list canary" in written, "what is kept can be seen"
    assert b"response_url" not in written
    assert b"/response/" not in written
