"""A file dropped into Slack becomes a report: through the shortcut, with the token kept to Slack's own file hosts."""

import gzip
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slack_sdk import WebClient

from audit.errors import InputError
from bot.sandbox import Message
from handlers.slack_files import FILE_HOSTS, SlackFile, fetched, find_file, require_file_host
from handlers.vocabulary import IMPORT_REPORT
from tests.unit.handlers.house import CHANNEL, House

FINDINGS = [
    {"id": "1", "title": "Open <!channel>", "severity": "CRITICAL"},
    {"id": "2", "title": "Odd", "severity": "LOW"},
]
REPORT = json.dumps({"findings": FINDINGS}).encode()


def use(house: House, message: Message, *, user: str = "omar") -> str:
    """Use the shortcut on a message, let the worker do its work, and return what the person is told."""
    assert house.slack.shortcut(user, IMPORT_REPORT.callback_id, message).ok
    house.work()
    return house.whisper(user).text


def drop(house: House, content: bytes, name: str = "scan.json") -> Message:
    return house.slack.share("ana", CHANNEL, name=name, content=content)


def test_a_file_becomes_a_report_and_only_who_asked_is_told(house: House) -> None:
    told = use(house, drop(house, REPORT))
    (header,) = house.stores.reports.list_reports()
    assert header.report_id in told
    assert "2 findings from scan.json" in told
    assert "1 critical, 0 high, 0 medium, 1 low" in told
    assert header.name == "scan.json"
    assert house.whispers("ana") == []
    assert all(message.only_for for message in house.slack.messages(CHANNEL) if message.user == "U0BOT")
    assert house.slack.violations == ()


def test_a_guest_takes_nothing_in(house: House) -> None:
    assert "not guests" in use(house, drop(house, REPORT), user="gia")
    assert house.stores.reports.list_reports() == []


def test_twice_is_harmless(house: House) -> None:
    message = drop(house, REPORT)
    use(house, message)
    assert "nothing changed" in use(house, message, user="ana")
    assert len(house.stores.reports.list_reports()) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scan.json.gz", gzip.compress(REPORT)),
        ("any name at all.exe", REPORT),
    ],
)
def test_the_content_decides_what_it_is(house: House, name: str, content: bytes) -> None:
    assert "2 findings" in use(house, drop(house, content, name))


def test_a_zips_reports_come_in_each_on_its_own(house: House) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("good.json", REPORT)
        archive.writestr("bad.json", b'{"findings": [')
    good, bad = use(house, drop(house, packed.getvalue(), "both.zip")).splitlines()
    assert "good.json" in good
    assert bad.startswith("Not imported:")
    assert "bad.json" in bad
    assert len(house.stores.reports.list_reports()) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"just words <!channel>", "not a format we read"),
        (b"\x89PNG\r\n\x1a\n\0\0", "NUL bytes"),
        (REPORT[:-5], "scan.json"),
        (b"\xff\xfe{\0", "UTF-16"),
        (
            json.dumps({"metadata": {"export_format": "json"}, "findings": [{"id": "1"}]}).encode(),
            "none of its findings can be used",
        ),
    ],
)
def test_what_is_no_report_is_one_clear_line(house: House, content: bytes, says: str) -> None:
    told = use(house, drop(house, content))
    assert says in told
    assert told.startswith("Not imported:")
    assert len(told.splitlines()) == 1
    assert "<!channel>" not in told
    assert house.stores.reports.list_reports() == []


def test_a_files_name_can_say_nothing_to_the_channel(house: House) -> None:
    told = use(house, drop(house, b"no report", "<!channel> & co.json"))
    assert "<!channel>" not in told
    assert "&lt;!channel&gt; &amp; co.json" in told


@pytest.mark.parametrize("goes_on", [0, 1])
def test_a_process_that_stops_hands_the_file_over(house: House, goes_on: int) -> None:
    """Whether it is told to stop as the file is opened, or once a report in it is being read."""
    message, asked = drop(house, REPORT), iter(range(goes_on))
    house.services = replace(house.services, is_stopping=lambda: next(asked, None) is None)
    assert house.slack.shortcut("omar", IMPORT_REPORT.callback_id, message).ok
    house.work()
    assert house.stores.reports.list_reports() == []
    assert house.whispers("omar") == []
    (waiting,) = house.stores.inbox.open_requests(house.services.runner.journal.owner, house.now)
    house.services = replace(house.services, is_stopping=lambda: False)
    house.do("request", waiting)
    assert "2 findings" in house.whisper("omar").text


def test_a_message_without_a_file_says_so(house: House) -> None:
    message = house.slack.say("ana", CHANNEL, "no file here")
    assert "no file in this message" in use(house, message)


def test_an_old_request_is_not_done(house: House) -> None:
    message = drop(house, REPORT)
    assert house.slack.shortcut("omar", IMPORT_REPORT.callback_id, message).ok
    house.now += timedelta(minutes=20)
    house.work()
    assert "while the bot was away" in house.whisper("omar").text
    assert house.stores.reports.list_reports() == []


def test_a_file_that_is_gone_is_said(house: House) -> None:
    client = WebClient(house.slack.workspace.bot_token, base_url=house.slack.api_url)
    with pytest.raises(InputError, match="the file is gone"):
        find_file(client, "F0GONE")


def test_a_file_larger_than_it_said_is_cut_off(house: House) -> None:
    (ident,) = (message := drop(house, REPORT)).files
    with house.slack.state.change():
        house.slack.state.files[ident] = replace(house.slack.state.files[ident], size=10)
    assert "larger than the 10 bytes" in use(house, message)
    with house.slack.state.change():
        house.slack.state.files[ident] = replace(house.slack.state.files[ident], size=10**6)
    assert "and Slack had said 1,000,000" in use(house, message, user="ana")
    with house.slack.state.change():
        house.slack.state.files[ident] = replace(house.slack.state.files[ident], size=2**40)
    assert "are taken" in use(house, message)
    assert house.stores.reports.list_reports() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://files.slack.com/files-pri/T1-F1/scan.json",
        "https://files.slack.com.evil.example/x",
        "https://evil.example/files.slack.com",
        "https://files.slack.com@evil.example/x",
        "https://user@files.slack.com/x",
        "https://files.slack.com:8443/x",
        "https://hooks.slack.com/x",
        "http://127.0.0.1:9/x",
        "ftp://files.slack.com/x",
        "",
    ],
)
@pytest.mark.parametrize("api_url", ["https://slack.com/api/", "http://127.0.0.1:8080/api/"])
def test_the_token_goes_to_slacks_file_hosts_only(url: str, api_url: str) -> None:
    with pytest.raises(InputError, match="not one of Slack's file hosts"):
        require_file_host(SlackFile("scan.json", 1, url), api_url=api_url)


def test_slacks_own_hosts_pass_and_the_stand_ins() -> None:
    for host in FILE_HOSTS:
        require_file_host(SlackFile("x", 1, f"https://{host}/files-pri/x"), api_url="https://slack.com/api/")
    beside = SlackFile("x", 1, "http://127.0.0.1:8080/files/F1")
    require_file_host(beside, api_url="http://127.0.0.1:8080/api/")
    with pytest.raises(InputError):
        require_file_host(SlackFile("x", 1, "https://proxy.example/F1"), api_url="https://proxy.example/api/")


@contextmanager
def file_server(status: int, headers: dict[str, str], body: bytes = b"") -> Iterator[tuple[str, list[Any]]]:
    """Serve one answer on this machine; the list keeps what was asked, and with which token."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def fetch(url: str, size: int = 5) -> bytes:
    client = WebClient("xoxb-canary", base_url=f"{url}/api/")
    with fetched(client, SlackFile("scan.json", size, f"{url}/files/F1?download")) as stream:
        return stream.read()


def test_the_bytes_come_with_the_token_shown() -> None:
    with file_server(200, {}, b"hello") as (url, asked):
        assert fetch(url) == b"hello"
    assert asked == [("/files/F1?download", "Bearer xoxb-canary")]


def test_a_place_that_is_not_slacks_is_not_even_asked() -> None:
    with file_server(200, {}, b"hello") as (url, asked), file_server(200, {}) as (other, asked_there):
        client = WebClient("xoxb-canary", base_url=f"{url}/api/")
        with (
            pytest.raises(InputError, match="not one of Slack's file hosts"),
            fetched(client, SlackFile("scan.json", 5, f"{other}/files/F1")),
        ):
            pass
        assert asked == asked_there == []


def test_a_redirect_is_followed_nowhere() -> None:
    with file_server(200, {}, b"hello") as (elsewhere, asked_there):
        for status in (301, 302, 303, 307, 308):
            with file_server(status, {"Location": f"{elsewhere}/x"}) as (url, _):  # noqa: SIM117 - one server each
                with pytest.raises(InputError, match="leads elsewhere"):
                    fetch(url)
        assert asked_there == []


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (403, b"", "HTTP 403"),
        (500, b"", "HTTP 500"),
        (200, b"much more", "larger than"),
        (200, b"he", "2 bytes"),
    ],
)
def test_what_is_not_handed_out_is_said(status: int, body: bytes, says: str) -> None:
    with file_server(status, {}, body) as (url, _), pytest.raises(InputError, match=says):
        fetch(url)


def test_a_host_that_does_not_answer_is_said() -> None:
    with pytest.raises(InputError, match="did not hand it out"):
        fetch("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"is_external": True, "size": 1}, "not kept in Slack"),
        ({"mode": "tombstone", "size": 1}, "not kept in Slack"),
        ({"name": "x.json"}, "does not say how large"),
        ({"size": True}, "does not say how large"),
        ({"size": 2**40}, "are taken"),
        (None, "does not say how large"),
    ],
)
def test_what_slack_says_of_a_file_is_looked_at_first(about: object, says: str) -> None:
    class Client:
        def files_info(self, *, file: str) -> dict[str, object]:
            return {"file": about}

    with pytest.raises(InputError, match=says):
        find_file(Client(), "F1")  # type: ignore[arg-type]
