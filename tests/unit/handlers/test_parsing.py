"""What people type after a command."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.errors import InputError
from audit.wording import nearest
from handlers.parsing import split_words
from handlers.vocabulary import COMMANDS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  list  ", ["list"]),
        ("show r-12 ", ["show", "r-12"]),
        ('run P "a finding id"', ["run", "P", "a finding id"]),
        ("run P “a finding id”", ["run", "P", "a finding id"]),
        ("run P 'a finding id'", ["run", "P", "a finding id"]),
        ("run P ‘a b’", ["run", "P", "a b"]),  # noqa: RUF001
        ("Ana's report's", ["Ana's", "report's"]),
        ("'unclosed", ["'unclosed"]),
        ('a"b c"d', ["ab cd"]),
        ('""', [""]),
        ("ask <@U1|ana maria> in <#C1|security>", ["ask", "@U1", "in", "#C1"]),
        ("ask <@U1>", ["ask", "@U1"]),
        ("show <https://x.example/a|x.example/a>", ["show", "x.example/a"]),
        ("show <https://x.example/a>", ["show", "https://x.example/a"]),
        ("show <mailto:a@x.example|a@x.example>", ["show", "a@x.example"]),
        ("show arn:aws:s3:::<http://x.example|x.example>/k", ["show", "arn:aws:s3:::x.example/k"]),
        ("show &lt;b&gt; &amp;amp;", ["show", "<b>", "&amp;"]),
        ("show a<b", ["show", "a<b"]),
        ("show <", ["show", "<"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "reason"),
    [('show "open', "not closed"), ("x" * 1001, "too long"), ("x " * 151, "too much")],
)
def test_what_cannot_be_read_says_why(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        split_words(text)


@given(st.text(alphabet=st.sampled_from("ab \"'<>@#|&;\n\t“”’!lt"), max_size=60))  # noqa: RUF001
@example('<@U1|"> "')
def test_any_text_is_words_or_a_reason(text: str) -> None:
    try:
        words = split_words(text)
    except InputError:
        return
    assert len(words) <= len(text)


@given(st.text())
def test_any_unicode_is_words_or_a_reason(text: str) -> None:
    with suppress(InputError):
        split_words(text)


def test_the_nearest_word_in_any_case() -> None:
    assert nearest("aws-public-s", ["AWS-PUBLIC-S3", "GCP-PUBLIC-BUCKET"]) == "AWS-PUBLIC-S3"
    assert nearest("xyzzy", ["list", "show"]) is None
    assert nearest("l" * 100_000, ["list"]) is None


def test_every_example_is_one_of_its_words() -> None:
    for command in COMMANDS:
        for word in command.words:
            name, first, *arguments = split_words(word.example)
            assert (name, first) == (command.name, word.name)
            assert word.least <= len(arguments) <= word.most or not arguments
            assert word.name in command.usage_hint
