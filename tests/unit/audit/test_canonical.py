"""Canonical bytes: one spelling per value, and another value has another spelling."""

import json
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical_bytes, digest
from audit.errors import InputError

SAFE = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def typed(value: object) -> object:
    """Spell a value so that `1`, `True` and `"1"` stay different."""
    if isinstance(value, dict):
        return {key: typed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [typed(entry) for entry in value]
    return (type(value).__name__, value)


@given(JSON)
def test_the_bytes_are_json_that_reads_back_the_same(value: object) -> None:
    assert typed(json.loads(canonical_bytes(value))) == typed(value)


@given(JSON, JSON)
def test_different_values_have_different_bytes(one: object, other: object) -> None:
    assert (canonical_bytes(one) == canonical_bytes(other)) == (typed(one) == typed(other))


@given(st.dictionaries(KEYS, JSON))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert canonical_bytes(dict(reversed(value.items()))) == canonical_bytes(value)


def test_the_spelling_is_frozen() -> None:
    value = {"ü": [1, True, None, 'a\n\x01"\\/\u2028'], "a": {}, "B": -5}
    assert canonical_bytes(value) == '{"B":-5,"a":{},"ü":[1,true,null,"a\\n\\u0001\\"\\\\/\u2028"]}'.encode()
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def nest(depth: int) -> object:
    value: object = 0
    for _ in repeat(None, depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        float("nan"),
        {"at": 1.0},
        {1, 2},
        b"bytes",
        object(),
        SAFE + 1,
        -SAFE - 1,
        "\ud800",
        {"\udfff": 1},
        {"\U0001f600": 1},
        {1: "number as key"},
        nest(33),
        nest(100_000),
    ],
)
def test_what_has_no_single_spelling_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        canonical_bytes(value)


@pytest.mark.parametrize("value", [SAFE, -SAFE, "\U0001f600", nest(32), (1, 2)])
def test_the_last_allowed_values_are_written(value: object) -> None:
    assert canonical_bytes(value)
