import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.fragments import LONGEST_KEPT, MOST_HELD_CHARACTERS, Fragments
from exporters.text import clip, excerpt, percent, showable, to_utf8, web_url


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.integers(40, 120))
def test_clipping_never_gives_more_than_was_asked_for(text: str, most: int) -> None:
    assert len(clip(text, most)) <= most
    assert clip(text, len(text)) == text


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_has_no_control_and_a_utf8_form(text: str) -> None:
    shown = showable(text)
    assert shown.encode().decode() == shown
    assert not {character for character in shown if character < " " and character not in "\t\n"}


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text: str) -> None:
    assert len(to_utf8(text).decode()) == len(text)


def test_windows_line_ends_become_plain_ones() -> None:
    assert showable("a\r\nb\rc") == "a\nb\nc"


def test_an_excerpt_ends_at_a_word() -> None:
    assert excerpt("one two three", 9) == "one two …"
    assert excerpt("short", 9) == "short"


@pytest.mark.parametrize(("value", "said"), [(75.0, "75%"), (72.5, "72.5%"), (100.0, "100%"), (0.0, "0%")])
def test_percentages(value: float, said: str) -> None:
    assert percent(value) == said


@pytest.mark.parametrize("url", ["https://a.example/x?y=1#z", "HTTP://a"])
def test_web_addresses(url: str) -> None:
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "javascript:x", "https://a b", "https://", "https://a\nb", "https://a\ud800"]
)
def test_what_is_no_web_address(url: str) -> None:
    assert web_url(url) == ""


def test_a_fragment_is_rendered_once() -> None:
    rendered: list[str] = []

    def render(text: str) -> bytes:
        rendered.append(text)
        return text.encode()

    fragments = Fragments[str](render)
    assert fragments["a"] + fragments["a"] == b"aa"
    assert rendered == ["a"]


def test_fragments_are_bounded() -> None:
    fragments = Fragments[str](str.encode)
    for number in range(200):
        assert fragments[f"{number}" + "x" * 20_000]
    assert sum(2 * len(text) for text in fragments) <= MOST_HELD_CHARACTERS


def test_a_huge_text_is_not_kept() -> None:
    fragments = Fragments[str](str.encode)
    assert fragments["x" * LONGEST_KEPT]
    assert not fragments
