"""Foreign text on its way into Slack."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.actor import POLICY, Actor
from audit.findings import Severity
from handlers.blocks.parts import join_newest
from handlers.blocks.texts import (
    code,
    escape,
    fits,
    in_code,
    linkify,
    listed,
    mention,
    moment,
    one_line,
    plain,
    severity_words,
    to_sentence,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
        ("one\r\n two\tthree", "one two three"),
        ("a\x00b\u202ec\u200bd\ud800e", "a�b�c�d�e"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    assert escape(text, 100) == expected


@given(st.text(), st.integers(10, 60))
def test_escaped_text_is_within_its_limit_and_never_ends_in_half_an_entity(text: str, limit: int) -> None:
    for written in (escape(text, limit), in_code(text, limit)):
        assert len(written) <= limit
        assert not re.search("[<>]", written)
        assert not re.search("&(?!(amp|lt|gt);)", written)
    assert len(code(text, limit)) <= limit
    assert code(text, limit).count("`") == 2
    assert len(plain(text, limit)) <= limit
    assert not re.search("[<>]", plain(text, limit))


@given(st.text(max_size=80), st.integers(10, 60))
def test_what_fits_is_shown_whole(text: str, limit: int) -> None:
    assert fits(text, limit) == (escape(text, limit) == escape(text, 1000))


def test_a_cut_shows() -> None:
    assert escape("&" * 10, 12) == "&amp;&amp;…"
    assert plain("x" * 20, 5) == "xxxx…"


def test_a_backtick_cannot_end_the_code() -> None:
    assert code("a`b```c", 40) == "`a\u02cbb\u02cb\u02cb\u02cbc`"
    assert "`" not in in_code("```", 40)


def test_plain_text_has_no_markup_to_speak_of() -> None:
    assert plain("<!channel> & more", 40) == "\u2039!channel\u203a & more"


def test_our_own_marks_become_mentions() -> None:
    text = "decided by @U0OMAR; ask @S0SEC, not ana@U0X.example or @everyone"
    assert linkify(text) == "decided by <@U0OMAR>; ask <!subteam^S0SEC>, not ana@U0X.example or @everyone"


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (Actor(slack_id="U0ANA"), "<@U0ANA>"),
        (Actor(slack_id="U1> <!channel"), "U1&gt; &lt;!channel"),
        (Actor(email="ana@x.example", origin="cli"), "ana@x.example"),
        (POLICY, "the policy, which needs no person for this playbook"),
    ],
)
def test_people(actor: Actor, expected: str) -> None:
    assert mention(actor) == expected


def test_times_are_the_readers_own_with_utc_as_fallback() -> None:
    at = datetime(2026, 2, 24, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert at.astimezone(UTC).hour == 9
    assert moment(at) == "<!date^1771923600^{date_short_pretty} {time}|2026-02-24 09:00 UTC>"


def test_severity_is_a_sign_and_a_word() -> None:
    assert severity_words(Severity.CRITICAL) == "🔴 Critical"
    assert len({severity_words(severity)[0] for severity in Severity}) == len(Severity)


def test_lists_read_like_lists() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("no finding goes by “f-1”", "No finding goes by “f-1”."),
        ("a rejection needs a reason", "A rejection needs a reason."),
        ("scan.json: is empty", "scan.json: is empty."),
        ("block_public_access: no such thing", "block_public_access: no such thing."),
        ("run `countersign db upgrade`", "Run `countersign db upgrade`."),
        ("Is it whole?", "Is it whole?"),
        ("Too late…", "Too late…"),
        ("ciso@northwind.example was refused", "ciso@northwind.example was refused."),
        ("", ""),
    ],
)
def test_a_fragment_becomes_a_sentence(fragment: str, sentence: str) -> None:
    assert to_sentence(fragment) == sentence


def test_one_line_hides_nothing() -> None:
    assert one_line("a\u2066b") == "a�b"


# A line that is the mark of what was left out could not be told from it.
@given(st.lists(st.text(max_size=30).filter(lambda text: text != "…"), max_size=20), st.integers(5, 100))
def test_the_newest_lines_are_kept_whole(lines: list[str], limit: int) -> None:
    joined = join_newest([line.replace("\n", " ") for line in lines], limit)
    assert len(joined) <= limit
    kept = [line for line in joined.split("\n") if line != "…"]
    assert kept == [line.replace("\n", " ") for line in lines][len(lines) - len(kept) :] or joined in {
        "",
        "…",
    }
