"""The JSON stream: exact positions, hard limits, and nothing that a string or a block border can hide."""

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import InputError
from audit.ingest.json_stream import (
    MAX_DEPTH,
    MAX_VALUE_BYTES,
    opening_byte,
    outline,
    stream_values,
)

TEXTS = st.text(st.sampled_from('ab"\\[]{}\n€😀') | st.characters(exclude_categories=["Cs"]), max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
MARK = b"\xef\xbb\xbf"


class Trickle(BytesIO):
    """Hands out a few bytes at a time, so that every border comes to lie within everything once."""

    step = 1

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


def values(content: bytes, path: str = "item") -> list[object]:
    return list(stream_values(BytesIO(content), path))


def refusal(content: bytes, path: str = "item") -> str:
    with pytest.raises(InputError) as caught:
        values(content, path)
    return str(caught.value)


@given(st.lists(JSON, max_size=5), st.booleans(), st.sampled_from([b"", MARK]))
def test_members_come_back_as_they_were(members: list[object], ascii_only: bool, mark: bytes) -> None:
    assert values(mark + json.dumps(members, ensure_ascii=ascii_only).encode()) == members


@given(st.lists(JSON, max_size=3), st.integers(3, 7))
def test_block_borders_change_nothing(members: list[object], step: int) -> None:
    stream = Trickle(json.dumps(members).encode())
    stream.step = step
    assert list(stream_values(stream, "item")) == members


@given(st.lists(JSON, min_size=1, max_size=4), st.sampled_from(["\n", "\n\n", " ", "\r\n"]))
def test_documents_one_after_another(members: list[object], between: str) -> None:
    assert values(between.join(map(json.dumps, members)).encode(), "") == members


@given(st.lists(JSON, min_size=1, max_size=4), st.data())
def test_every_truncation_is_told_with_the_length(members: list[object], data: st.DataObject) -> None:
    content = json.dumps(members).encode()
    cut = content[: data.draw(st.integers(1, len(content) - 1))]
    assert refusal(cut) == f"cut off: the file ends at byte {len(cut)} in the middle of its JSON"


@pytest.mark.parametrize("members", [0, 3, 9_000, 40_000])
@pytest.mark.parametrize("mark", [b"", MARK])
@pytest.mark.parametrize("wrong", [b"}", b"\xff", b"'", b"NaN"])
def test_the_byte_that_breaks_a_file_is_named(members: int, mark: bytes, wrong: bytes) -> None:
    before = mark + b"[" + b'{"a":1},' * members
    assert refusal(before + wrong + b'{"a":1},' * 9000).startswith(f"not valid JSON at byte {len(before)} (")


def test_the_reason_is_the_parsers_on_one_line() -> None:
    assert refusal(b'["\xff"]') == "not valid JSON at byte 2 (lexical error: invalid bytes in UTF8 string)"
    assert refusal(b"[1] 2") == "not valid JSON at byte 5 (parse error: trailing garbage)"


@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 5_000, "1e99999", "123456789012345678901"])
def test_numbers_beyond_the_machine_fail_the_file_and_not_the_process(number: str) -> None:
    assert refusal(f"[{number}]".encode()).startswith("not valid JSON at byte")


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_the_deepest_nesting_allowed_is_read() -> None:
    assert len(values(nested(MAX_DEPTH))) == 1


@pytest.mark.parametrize(
    "content",
    [
        nested(MAX_DEPTH + 1),
        nested(100_000),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'[{"a":1},' * 100_000,
        b"[" + b'{"a":"' + b"]" * 200 + b'","b":' * 1 + nested(MAX_DEPTH) + b"}]",
        b'["\\\\", "\\"]]]]]]]]]]]]", ' + nested(MAX_DEPTH) + b"]",
    ],
)
@pytest.mark.parametrize("path", ["item", ""])
def test_nesting_beyond_the_limit_is_refused(content: bytes, path: str) -> None:
    assert refusal(content, path).startswith(f"nested deeper than {MAX_DEPTH} levels, after byte ")


@given(st.lists(TEXTS, max_size=9), st.integers(3, 9))
def test_brackets_in_texts_are_no_nesting(texts: list[str], step: int) -> None:
    brackets = ["[{" * MAX_DEPTH + text + '\\"[' for text in texts]
    stream = Trickle(json.dumps(brackets).encode())
    stream.step = step
    assert list(stream_values(stream, "item")) == brackets


@given(TEXTS, st.integers(3, 9))
def test_nesting_after_any_text_is_measured(text: str, step: int) -> None:
    stream = Trickle(b"[" + json.dumps(text).encode() + b"," + nested(MAX_DEPTH) + b"]")
    stream.step = step
    with pytest.raises(InputError, match="nested deeper"):
        list(stream_values(stream, "item"))


def test_one_value_cannot_fill_the_memory() -> None:
    endless = b'["' + b"x" * (MAX_VALUE_BYTES * 2)
    assert refusal(endless).startswith("one finding is larger than 4 MiB, before byte ")


def test_a_large_value_within_the_limit_is_read() -> None:
    text = "x" * (MAX_VALUE_BYTES - 9)
    assert values(json.dumps([text]).encode()) == [text]


def test_many_values_may_exceed_the_limit_of_one() -> None:
    member = b'"' + b"x" * 100_000 + b'"'
    assert len(values(b"[" + b",".join([member] * 90) + b"]")) == 90


@pytest.mark.parametrize(
    ("content", "first"), [(b" \n[", b"["), (MARK + b"{", b"{"), (b"", b""), (b"  ", b"")]
)
def test_the_opening_byte(content: bytes, first: bytes) -> None:
    assert opening_byte(BytesIO(content)) == first


def test_an_outline_has_the_first_scalar_at_each_path() -> None:
    head = b'[{"a": {"b": null, "c": [1, 2]}, "d": {}}, {"a": {"b": "x"}, "e": {"f": {"g": {"h": 1}}}'
    assert outline(head) == {
        "item.a": None,
        "item.a.b": "x",
        "item.a.c": None,
        "item.a.c.item": 1,
        "item.d": None,
        "item.e": None,
        "item.e.f": None,
        "item.e.f.g": None,
    }


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_an_outline_of_anything_ends(head: bytes) -> None:
    assert all(isinstance(path, str) for path in outline(head))


@pytest.mark.parametrize("head", [b"[" * 65_536, b'{"a":' * 13_107, b'{"' + b"k" * 65_000 + b'":1}'])
def test_an_outline_of_something_hostile_stays_small(head: bytes) -> None:
    assert sum(map(len, outline(head))) < 1_000
