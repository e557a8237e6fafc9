"""What is cut out of objects and put back is what stood there, wherever else the same bytes stand."""

import json
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ingest.json_repeats import MOST_KINDS, Repeats

KIND = re.compile(rb'"kind": ?"([^"\\]+)"')
CONTROLS = st.sampled_from(
    [{"A": ["1", "2"]}, {"A": ["1"]}, {}, {"ä\\": ['"compliance": {"A": ["1"]}']}, None, 7]
)
ODD_TEXTS = st.sampled_from(
    ['"compliance": {"A": ["1"]}', 'x"compliance', "compliance", '\\"compliance": {', "unmapped", "plain"]
)
OBJECTS = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["a", "b"])},
        optional={
            "early": st.dictionaries(ODD_TEXTS, CONTROLS | ODD_TEXTS, max_size=2),
            "unmapped": st.dictionaries(ODD_TEXTS, CONTROLS | ODD_TEXTS, max_size=3) | ODD_TEXTS,
            "compliance": CONTROLS,
        },
    ),
    max_size=8,
)


def repeats() -> Repeats:
    return Repeats(kind=KIND, path=("unmapped", "compliance"), convert=lambda value: value)


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans())
def test_reads_what_orjson_reads(objects: list[object], indent: int | None, is_narrow: bool) -> None:
    reader, separators = repeats(), (",", ":") if is_narrow else None
    for value in objects:
        raw = json.dumps(value, indent=indent, separators=separators).encode()
        assert reader.loads(raw) == value == orjson.loads(raw)


@pytest.mark.parametrize("cut", range(1, 70, 7))
def test_what_is_broken_is_broken(cut: int) -> None:
    raw = b'{"kind": "a", "unmapped": {"compliance": {"A": ["1"]}}, "more": [1, 2, 3]}'
    reader = repeats()
    reader.loads(raw)
    for _ in range(2):
        with pytest.raises(orjson.JSONDecodeError):
            reader.loads(raw[:cut])


def test_what_repeats_is_converted_once_and_shared() -> None:
    seen: list[object] = []

    def convert(value: object) -> object:
        seen.append(value)
        return ("converted", value)

    reader = Repeats(kind=KIND, path=("unmapped", "compliance"), convert=convert)
    raw = b'{"kind": "a", "unmapped": {"compliance": {"A": ["1"]}}}'
    first, second, third = (reader.loads(raw) for _ in range(3))
    assert first == {"kind": "a", "unmapped": {"compliance": {"A": ["1"]}}}
    assert second == {"kind": "a", "unmapped": {"compliance": ("converted", {"A": ["1"]})}}
    assert third["unmapped"]["compliance"] is second["unmapped"]["compliance"]  # type: ignore[index]
    assert seen == [{"A": ["1"]}]


def test_the_last_of_two_members_of_one_name_counts() -> None:
    raw = b'{"kind": "a", "unmapped": {"compliance": {"A": ["1"]}, "compliance": {"B": ["2"]}}}'
    once = b'{"kind": "a", "unmapped": {"compliance": {"A": ["1"]}}}'
    reader = repeats()
    assert [reader.loads(each) for each in (once, raw, raw)] == list(map(orjson.loads, (once, raw, raw)))


@pytest.mark.parametrize("depth", [300, 600, 1000])
def test_a_nest_too_deep_for_the_second_look_is_still_read(depth: int) -> None:
    raw = b'{"kind": "a", "unmapped": {"compliance": {"A": %b1%b}}}' % (b"[" * depth, b"]" * depth)
    reader = repeats()
    assert [list(reader.loads(raw)) for _ in range(2)] == [["kind", "unmapped"]] * 2  # type: ignore[call-overload]


def test_no_more_than_so_many_kinds_are_kept() -> None:
    reader = repeats()
    for number in range(MOST_KINDS + 10):
        reader.loads(b'{"kind": "%d", "unmapped": {"compliance": {"A": ["1"]}}}' % number)
    assert len(reader._known) == MOST_KINDS
