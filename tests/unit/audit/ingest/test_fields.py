"""Loose fields: total on any input, and times that mean what the scanner meant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ingest.fields import first_url, instant, member, text, texts

SIX = datetime(2025, 12, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", "b"), 1),
        (("a", "x"), None),
        (("l", 0), 7),
        (("l", 5), None),
        (("l", "0"), None),
        (("a", "b", "c"), None),
    ],
)
def test_a_member_is_found_or_none(path: tuple[str | int, ...], value: object) -> None:
    assert member({"a": {"b": 1}, "l": [7]}, *path) == value


@pytest.mark.parametrize(
    ("value", "expected"), [(" a ", "a"), (5, "5"), (1.5, "1.5"), (True, ""), (None, ""), ([], ""), ({}, "")]
)
def test_only_texts_and_numbers_are_texts(value: object, expected: str) -> None:
    assert text({"k": value}, "k") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(["a", None, 2, {}], ["a", "2"]), ("a", ["a"]), (None, []), ({}, [])]
)
def test_lists_of_texts(value: object, expected: list[str]) -> None:
    assert texts({"k": value}, "k") == expected


def test_only_web_addresses_count() -> None:
    assert first_url("", "ftp://x", "javascript:x", "HTTPS://e.com", "http://later") == "HTTPS://e.com"
    assert first_url() == ""


@pytest.mark.parametrize(
    ("stated", "epoch"),
    [
        ("2025-12-01T07:00:00+01:00", None),
        ("2025-12-01T07:00:00+01:00", 1),
        ("2025-12-01T07:00:00", 1764568800),
        ("2025-12-01T07:00:00", 1764568800000),
        ("2025-12-01T06:00:00", None),
        (" 2025-12-01T06:00:00Z ", "odd"),
        ("soon", 1764568800.0),
        (None, 1764568800),
    ],
)
def test_instants(stated: object, epoch: object) -> None:
    assert instant(stated, epoch) == SIX


@given(
    st.none() | st.text() | st.datetimes(timezones=st.timezones() | st.just(UTC)).map(datetime.isoformat),
    st.none() | st.integers() | st.floats() | st.booleans() | st.text(),
)
def test_any_pair_gives_utc_or_nothing(stated: object, epoch: object) -> None:
    found = instant(stated, epoch)
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("stated", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_beyond_the_calendar_is_none(stated: str) -> None:
    assert instant(stated) is None
