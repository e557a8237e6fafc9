"""The quick way through a list reads what the careful way reads."""

import json
from io import BytesIO

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.errors import InputError
from audit.ingest.json_objects import stream_objects
from audit.ingest.json_stream import stream_values

TEXTS = st.sampled_from(['"', "\\", "{", "}", "},\n{", "}]", "[{", "ä", "x" * 50, "},{", " "]) | st.text(
    max_size=6
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=6)
BIG = {"text": "}{" * 50_000}  # more than the patience with braces, and nearly a block


def quick(content: bytes, *, is_list: bool = True) -> list[object]:
    return list(stream_objects(BytesIO(content), is_list=is_list))


def outcome(content: bytes, *, is_list: bool, careful: bool) -> tuple[list[object], str]:
    """Return what was read and the error that ended it."""
    stream, values = BytesIO(content), list[object]()
    source = (
        stream_values(stream, "item" if is_list else "")
        if careful
        else stream_objects(stream, is_list=is_list)
    )
    try:
        values.extend(source)
    except InputError as error:
        return values, str(error)
    return values, ""


@given(OBJECTS, st.sampled_from([None, 1, 4]), st.booleans())
def test_lists_and_lines_of_any_objects(objects: list[object], indent: int | None, is_list: bool) -> None:
    assume(objects or is_list)  # lines of nothing are an empty file
    written = [json.dumps(value, indent=indent) for value in objects]
    content = f"[{','.join(written)}]" if is_list else "\n".join(written)
    assert quick(content.encode(), is_list=is_list) == objects


@given(OBJECTS, st.booleans(), st.data())
def test_a_damaged_text_ends_alike_both_ways(
    objects: list[object], is_list: bool, data: st.DataObject
) -> None:
    written = [json.dumps(value) for value in objects]
    content = bytearray((f"[{','.join(written)}]" if is_list else "\n".join(written)).encode())
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 3))] = data.draw(
        st.sampled_from([b"", b"}", b"]", b",", b"{", b'"', b"\0"])
    )
    (values, error), (expected, reason) = (
        outcome(bytes(content), is_list=is_list, careful=careful) for careful in (False, True)
    )
    assert error == reason
    assert values[: len(expected)] == expected  # the quick way may give more of what precedes the damage


@pytest.mark.parametrize("is_list", [True, False])
def test_objects_that_lie_across_blocks_and_hide_their_braces(is_list: bool) -> None:
    objects = [
        BIG,
        {"a": 1},
        {"b": "}" * 9},
        *({"n": number, "pad": "x" * 3000} for number in range(300)),
        BIG,
    ]
    written = [json.dumps(value) for value in objects]
    content = f"[{','.join(written)}]" if is_list else "\n".join(written)
    assert quick(content.encode(), is_list=is_list) == objects


@pytest.mark.parametrize("content", [b"[]", b" [ ] ", b"[1, 2]", b'[{"a": 1}, 2]', b'[[{"a": 1}]]'])
def test_lists_of_other_things_are_read_the_careful_way(content: bytes) -> None:
    assert quick(content) == json.loads(content)


@pytest.mark.parametrize("tail", [b"]", b"[", b'{"a": 1}', b"x", b" \n x"])
def test_nothing_may_follow_the_list(tail: bytes) -> None:
    with pytest.raises(InputError, match="not valid JSON at byte"):
        quick(b'[{"a": 1}]' + tail)


@pytest.mark.parametrize("tail", [b"", b"\n", b" " * 2**19])
def test_white_space_may_follow(tail: bytes) -> None:
    assert quick(b'[{"a": 1}]' + tail) == [{"a": 1}]
    assert quick(b'{"a": 1}' + tail, is_list=False) == [{"a": 1}]


def test_an_object_beyond_the_limit_is_refused() -> None:
    with pytest.raises(InputError, match="one finding is larger than 4 MiB"):
        quick(b'[{"a": 1}, {"text": "' + b"x" * (5 * 2**20) + b'"}]')
