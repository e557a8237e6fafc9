"""YAML that people write: read without surprises, refused with the place."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import InputError
from audit.strict_yaml import load_yaml

KINDS = ("int", "float", "bool", "timestamp", "binary", "null", "str", "map", "seq", "set", "omap", "pairs")
VALUES = (
    "",
    "x",
    '""',
    '"-"',
    "1:2",
    "2026-13-45",
    "2026-01-01T25:00:00Z",
    "0b",
    "9" * 5000,
    "[a]",
    "{a: b}",
    "{[a]: b}",
)


def test_a_document_is_read() -> None:
    assert load_yaml("a: [1, yes, 2026-01-02]\nb: {c: null}", name="f")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 2026-13-45", "f, line 1, column 4: this is no timestamp"),
        ("a:\n  b: [1, 2026-02-30]", "f, line 2, column 10: this is no timestamp"),
        ('a: !!int "x"', "f, line 1, column 4: this is no int"),
        ("a: !!bool perhaps", "f, line 1, column 4: this is no bool"),
        ("a: !!timestamp tomorrow", "f, line 1, column 4: this is no timestamp"),
        ("? [a]\n: 1", "f, line 1, column 3: a key must be a plain word or number"),
        ("a: !!map x", "f, line 1, column 4: expected a mapping node, but found scalar"),
        ("a: 1\na: 2", "f, line 2, column 1: the key “a” stands here twice"),
        ("a: &x 1\nb: *x", "f, line 2, column 4: aliases are not allowed"),
        ("!!python/name:os.system x", "f, line 1, column 1: could not determine a constructor"),
        ("[" * 5000, "f: not readable as YAML"),
        ("a: " + "x" * 300_000, "f: larger than 256 kB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load_yaml(text, name="f")
    assert str(caught.value).startswith(says)


@given(
    shape=st.sampled_from(["a: {}", "- {}", "? {}\n: 1", "{}", "a: [1, {{b: {}}}]"]),
    kind=st.sampled_from(["", *(f"!!{kind} " for kind in KINDS)]),
    value=st.one_of(st.sampled_from(VALUES), st.text(max_size=12)),
)
def test_whatever_stands_there_is_read_or_refused(shape: str, kind: str, value: str) -> None:
    with suppress(InputError):
        load_yaml(shape.format(kind + value), name="f")
