"""What a mail looks like as bytes, before any server sees it."""

import os
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from audit.errors import ConfigError, InputError
from exporters.mail_letter import Letter, MailRules, Sender, write_letter
from exporters.mail_model import Attachment, Mail
from tests.conftest import NOW

SENDER = Sender("bot@example.com", "Countersign")
MAIL = Mail(to="alice@example.com", subject="Audit", html="<p>Hello</p>")
HEADER_ENDS = [
    "\r",
    "\n",
    "\r\n",
    "\x00",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    "\x7f",
    "\ud800",
    "\u202e",
]


def write(mail: Mail, *, sender: Sender = SENDER, rules: MailRules | None = None) -> Letter:
    return write_letter(mail, sender=sender, rules=rules or MailRules(), now=NOW)


def read(letter: Letter) -> EmailMessage:
    return cast("EmailMessage", message_from_bytes(letter.content, policy=default))


def plain(letter: Letter) -> str:
    part = read(letter).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def page(letter: Letter) -> str:
    part = read(letter).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def with_text_in(place: str, text: str) -> Mail:
    changes: dict[str, Any] = {
        "to": {"to": [f"a{text}@example.com"]},
        "cc": {"cc": f"a@example.com{text}"},
        "bcc": {"bcc": [f"{text}a@example.com{text}x"]},
        "reply_to": {"reply_to": f"a@exam{text}ple.com"},
        "subject": {"subject": f"Audit{text}Bcc: x@evil.org"},
        "header": {"headers": {"X-Priority": f"1{text}"}},
        "header name": {"headers": {f"X{text}Y": "1"}},
        "file name": {"attachments": [(f"a{text}.txt", b"", "text/plain")]},
        "media type": {"attachments": [("a.txt", b"", f"text/plain{text}")]},
    }
    return replace(MAIL, **changes[place])


PLACES = ["to", "cc", "bcc", "reply_to", "subject", "header", "header name", "file name", "media type"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("end", HEADER_ENDS)
def test_nothing_ends_a_header(place: str, end: str) -> None:
    with pytest.raises(InputError):
        write(with_text_in(place, end))


@pytest.mark.parametrize("end", HEADER_ENDS)
def test_nothing_ends_the_sender(end: str) -> None:
    with pytest.raises(ConfigError, match="sender name"):
        Sender("bot@example.com", f"Countersign{end}")
    with pytest.raises(ConfigError, match="SENDER_EMAIL"):
        Sender(f"bot@example.com{end}")


@given(place=st.sampled_from(PLACES), text=st.text(min_size=1, max_size=30))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_is_taken_changes_no_other_header(place: str, text: str) -> None:
    try:
        letter = write(with_text_in(place, text))
    except InputError:
        return
    expected = {"Subject", "To", "From", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"}
    added = {"cc": {"Cc"}, "reply_to": {"Reply-To"}, "header": {"X-Priority"}, "header name": {f"X{text}Y"}}
    mime = {"Content-Type", "MIME-Version"}
    assert set(read(letter).keys()) == expected | added.get(place, set()) | mime


# What str.isprintable() says yes to.
PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")


@given(st.text(PRINTABLE, min_size=1, max_size=120))
@settings(deadline=None)
def test_a_subject_reads_as_it_was_written(text: str) -> None:
    assume(text.strip())
    assert read(write(replace(MAIL, subject=text)))["Subject"].split() == text.split()


@given(st.text(max_size=300))
@settings(deadline=None)
def test_lines_end_as_the_protocol_wants(text: str) -> None:
    content = write(replace(MAIL, html=f"<pre>{text}</pre>", text=text)).content
    assert content.isascii()
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998


@given(st.binary(max_size=400), st.sampled_from(["text/csv", "text/html", "application/json", "image/png"]))
@settings(deadline=None)
def test_attachments_keep_every_byte(content: bytes, media_type: str) -> None:
    message = read(write(replace(MAIL, attachments=[("file.bin", content, media_type)])))
    (part,) = message.iter_attachments()
    assert part.get_payload(decode=True) == content
    assert part.get_content_type() == media_type


def test_headers_say_that_a_machine_wrote_this() -> None:
    message = read(write(MAIL))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["From"] == "Countersign <bot@example.com>"
    assert message["Date"].datetime == NOW
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_a_message_has_an_id_of_its_own_unless_it_repeats_another() -> None:
    first, second = write(MAIL), write(MAIL)
    assert first.message_id != second.message_id
    assert first.message_id == read(first)["Message-ID"]
    fire = replace(MAIL, key="fire-7")
    assert write(fire).message_id == write(replace(fire, subject="Other")).message_id
    assert write(fire).message_id != write(replace(MAIL, key="fire-8")).message_id


def test_a_long_sender_domain_does_not_break_the_id() -> None:
    letter = write(MAIL, sender=Sender("bot@" + "very-long-name." * 8 + "example"))
    assert read(letter)["Message-ID"] == letter.message_id
    assert letter.message_id.encode() in letter.content


def test_many_recipients_stay_apart() -> None:
    everyone = [f"person.number.{number}@department-{number}.example.com" for number in range(50)]
    message = read(write(replace(MAIL, to=everyone[:25], cc=everyone[25:])))
    assert [address.addr_spec for address in message["To"].addresses] == everyone[:25]
    assert [address.addr_spec for address in message["Cc"].addresses] == everyone[25:]


def test_styles_are_on_the_elements_and_dark_mode_stays() -> None:
    html = "<style>p{color:#123456}@media (prefers-color-scheme: dark){p{color:#fff}}</style><p>x</p>"
    sent = page(write(replace(MAIL, html=html)))
    assert 'style="color: #123456;"' in sent
    assert "@media (prefers-color-scheme: dark)" in sent


def test_no_style_sheet_is_fetched(tmp_path: Path) -> None:
    sheet = tmp_path / "s.css"
    sheet.write_text("p{color:#abcdef}")
    sent = page(write(replace(MAIL, html=f'<link rel="stylesheet" href="file://{sheet}"><p>x</p>')))
    assert "abcdef" not in sent


def test_broken_styles_are_named() -> None:
    with pytest.raises(InputError, match="html_content: its styles cannot be read"):
        write(replace(MAIL, html="<style>p{color:</style><p style='x'>x</p>"))


def test_lone_surrogates_and_controls_do_not_stop_a_mail() -> None:
    letter = write(replace(MAIL, html="<p>a\ud800b\x1b[0m</p>"))
    assert plain(letter).strip() == "a\ufffdb\u241b[0m"


def test_the_text_hides_what_a_style_sheet_hides() -> None:
    html = "<style>i { display: none } b { display: block }</style><i>Preheader</i>2<b>critical</b>"
    assert plain(write(replace(MAIL, html=html))).splitlines() == ["2", "critical"]


def test_a_text_of_one_s_own_is_kept() -> None:
    assert plain(write(replace(MAIL, text="Read this instead."))).strip() == "Read this instead."


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"subject": "  "}, "subject: is empty"),
        ({"subject": "x" * 501}, "subject: has 501 characters"),
        ({"html": " \n"}, "html_content: is empty"),
        ({"attachments": [("../../etc/passwd", b"", "text/plain")]}, "without a folder"),
        ({"attachments": [("..\\x", b"", "text/plain")]}, "without a folder"),
        ({"attachments": [("..", b"", "text/plain")]}, "without a folder"),
        ({"attachments": [("", b"", "text/plain")]}, "without a folder"),
        ({"attachments": [("a", b"", "multipart/mixed")]}, "no media type"),
        ({"attachments": [("a", b"", "message/rfc822")]}, "no media type"),
        ({"attachments": [("a", "text", "text/plain")]}, "a path, or a name"),
        ({"attachments": [7]}, "a path, or a name"),
        ({"attachments": ["/"]}, "/ is not a file"),
        ({"attachments": ["a\0b"]}, "cannot be used|is not a file|cannot be read"),
    ],
)
def test_what_cannot_be_sent_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        write(replace(MAIL, **changes))


def test_a_pipe_is_no_attachment(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a file"):
        write(replace(MAIL, attachments=[tmp_path / "pipe"]))


def test_the_size_counts_as_sent() -> None:
    rules = MailRules(max_bytes=10_000)
    fits = replace(MAIL, attachments=[("a.bin", bytes(6_000), "a/b")])
    assert len(write(fits, rules=rules).content) <= 10_000
    with pytest.raises(InputError, match=r"the mail has 10 kB; a mail may have 10 kB as sent"):
        write(replace(MAIL, attachments=[("a.bin", bytes(7_400), "a/b")]), rules=rules)
    with pytest.raises(InputError, match="Nothing was sent: send a smaller format"):
        write(replace(MAIL, html="<p>" + "words " * 2_000), rules=rules)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=r"attachment huge\.json has 1,099,511\.6 MB"):
        write(replace(MAIL, attachments=[path]))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.csv", "text/csv"), ("a.SARIF", "application/sarif+json"), ("a.pdf", "application/pdf"), ("a", "application/octet-stream")],
)  # fmt: skip
def test_a_suffix_says_what_a_file_is(tmp_path: Path, name: str, media_type: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert Attachment.from_path(tmp_path / name, most=10).media_type == media_type


def test_text_that_is_utf8_says_so() -> None:
    attachments = [("a.csv", "ü".encode(), "text/csv"), ("b.csv", b"\xfc", "text/csv")]
    parts = read(write(replace(MAIL, attachments=attachments))).iter_attachments()
    assert [part.get_param("charset") for part in parts] == ["utf-8", None]
