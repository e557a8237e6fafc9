"""A link opens one report for a while; every change to it makes it worthless."""

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.actor import Actor
from audit.errors import ConfigError, RefusedError
from audit.ingest import read_report
from bot.links import ReportLinks
from bot.report_page import ReportPage
from bot.settings import Settings
from bot.web import make_web
from exporters.formats import EXPORT_FORMATS
from storage import Stores
from tests.databases import stores_in_memory

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LINKS = ReportLinks("https://bot.example", "k" * 32)
ID = "r-1a2b3c4d5e"


def query_of(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


def test_a_link_opens_its_report_until_it_expires() -> None:
    query = query_of(LINKS.make(ID, now=NOW))
    LINKS.check(ID, query, now=NOW + timedelta(days=6, hours=23))
    with pytest.raises(RefusedError):
        LINKS.check(ID, query, now=NOW + timedelta(days=7))


def test_another_report_another_key_another_time_are_refused() -> None:
    query = query_of(LINKS.make(ID, now=NOW))
    later = {**query, "expires": str(int(query["expires"]) + 1)}
    for links, report_id, asked in (
        (LINKS, "r-other", query),
        (ReportLinks("https://bot.example", "x" * 32), ID, query),
        (LINKS, ID, later),
        (LINKS, ID, {}),
        (LINKS, ID, {"expires": query["expires"]}),
    ):
        with pytest.raises(RefusedError):
            links.check(report_id, asked, now=NOW)


@given(st.text(max_size=20), st.text(max_size=80))
def test_no_text_passes_for_a_signature(expires: str, signature: str) -> None:
    with pytest.raises(RefusedError):
        LINKS.check(ID, {"expires": expires, "signature": signature}, now=NOW)


def test_an_endless_link_cannot_be_signed_into_being() -> None:
    for expires in ("9" * 13, "-1", "1e12", "٣٣٣"):
        query = {"expires": expires, "signature": LINKS._sign(ID, expires)}
        with pytest.raises(RefusedError):
            LINKS.check(ID, query, now=NOW)


def test_the_key_is_not_shown() -> None:
    assert "kkkk" not in repr(LINKS)


@pytest.mark.parametrize("key", [None, "short"])
def test_an_address_needs_a_key_that_is_long_enough(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    monkeypatch.setenv("COUNTERSIGN_PUBLIC_URL", "https://bot.example/")
    if key:
        monkeypatch.setenv("COUNTERSIGN_SECRET_KEY", key)
    with pytest.raises(ConfigError, match="COUNTERSIGN_SECRET_KEY"):
        Settings.from_environment().report_links()


@pytest.fixture
def stored() -> Iterator[tuple[Stores, str]]:
    stores = stores_in_memory()
    body = b'{"findings": [{"id": "1", "title": "Door <b>open</b>", "severity": "HIGH"}]}'
    done = stores.reports.ingest(
        read_report(io.BytesIO(body), "one.json"), actor=Actor(origin="cli"), now=NOW
    )
    yield stores, done.header.report_id
    stores.close()


def ask(stores: Stores, links: ReportLinks | None, path: str) -> httpx.Response:
    with ThreadPoolExecutor(1) as threads:
        page = ReportPage(
            reports=stores.reports,
            html=EXPORT_FORMATS["html"],
            links=links,
            clock=lambda: NOW,
            threads=threads,
        )
        web = make_web(None, probe=dict, page=page)

        async def get() -> httpx.Response:
            transport = httpx.ASGITransport(app=web)
            async with httpx.AsyncClient(transport=transport, base_url="http://bot.example") as client:
                return await client.get(path)

        return asyncio.run(get())


def test_the_page_is_served_and_kept_nowhere(stored: tuple[Stores, str]) -> None:
    stores, report_id = stored
    answer = ask(stores, LINKS, LINKS.make(report_id, now=NOW).removeprefix("https://bot.example"))
    assert answer.status_code == 200
    assert "Door &lt;b&gt;open&lt;/b&gt;" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_without_a_valid_link_nothing_is_shown(stored: tuple[Stores, str]) -> None:
    stores, report_id = stored
    good = LINKS.make(report_id, now=NOW).removeprefix("https://bot.example")
    assert ask(stores, LINKS, f"/reports/{report_id}").status_code == 403
    assert ask(stores, None, good).status_code == 403
    assert ask(stores, LINKS, good.replace(report_id, "r-other")).status_code == 403


def test_a_link_to_a_report_that_is_gone_says_so(stored: tuple[Stores, str]) -> None:
    stores, _ = stored
    link = LINKS.make("r-gone", now=NOW).removeprefix("https://bot.example")
    assert ask(stores, LINKS, link).status_code == 404
