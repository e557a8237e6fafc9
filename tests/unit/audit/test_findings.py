"""Findings: reading is forgiving and total, writing and reading again changes nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Finding, FindingStatus, Severity
from audit.errors import InputError
from audit.findings import FINDING_FIELDS

# What a store keeps: no NUL, no half characters.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(str.strip)
INSTANTS = st.datetimes(timezones=st.just(UTC))
FINDINGS = st.builds(
    Finding,
    id=NAMES,
    title=NAMES,
    severity=st.sampled_from(Severity),
    status=st.sampled_from(FindingStatus),
    muted=st.booleans(),
    observed_at=st.none() | INSTANTS,
    compliance=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3).map(tuple), max_size=3),
    **dict.fromkeys(
        sorted(
            set(FINDING_FIELDS) - {"id", "title", "severity", "status", "muted", "observed_at", "compliance"}
        ),
        TEXTS,
    ),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(), max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MINIMAL = {"id": "F-1", "title": "Bucket is public", "severity": "HIGH"}


@given(FINDINGS)
def test_a_finding_survives_its_dictionary(finding: Finding) -> None:
    assert Finding.from_dict(finding.to_dict()) == finding


@given(FINDINGS)
def test_the_specifications_columns_come_first_and_always(finding: Finding) -> None:
    columns = ["id", "title", "severity", "category", "resource", "description", "remediation", "status"]
    assert list(finding.to_dict())[:8] == columns


@given(
    st.dictionaries(st.sampled_from(FINDING_FIELDS), JSON)
    | JSON
    | st.dictionaries(st.sampled_from(FINDING_FIELDS), JSON).map(lambda odd: MINIMAL | odd)
)
def test_any_value_is_a_storable_finding_or_a_one_line_error(record: object) -> None:
    finding = read_or_complain(record)
    if isinstance(finding, str):
        assert finding.isprintable()
    else:
        assert "\\x00" not in repr(finding)
        assert repr(finding).encode()
        assert Finding.from_dict(finding.to_dict()) == finding


def read_or_complain(record: object) -> Finding | str:
    try:
        return Finding.from_dict(record)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("missing", ["id", "title", "severity"])
@pytest.mark.parametrize("value", [None, "", "  ", [], {}, True])
def test_what_a_finding_needs(missing: str, value: object) -> None:
    with pytest.raises(InputError, match=missing):
        Finding.from_dict(MINIMAL | {missing: value})


@pytest.mark.parametrize("record", [None, [], "text", 3, [MINIMAL]])
def test_what_is_no_object_is_refused(record: object) -> None:
    with pytest.raises(InputError, match="must be an object"):
        Finding.from_dict(record)


def test_numbers_serve_as_ids() -> None:
    assert Finding.from_dict(MINIMAL | {"id": 4711}).id == "4711"


@pytest.mark.parametrize("name", ["title", "resource"])
def test_characters_that_no_database_keeps_are_replaced(name: str) -> None:
    finding = Finding.from_dict(MINIMAL | {name: "a\0b\ud800c"})
    assert getattr(finding, name) == "a\ufffdb\ufffdc"


def test_frameworks_and_controls_are_cleaned_too() -> None:
    finding = Finding.from_dict(MINIMAL | {"compliance": {"C\0": "1\ud800"}})
    assert finding.compliance == {"C\ufffd": ("1\ufffd",)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", ["Storage"]),
        ("status", 5),
        ("observed_at", "yesterday"),
        ("observed_at", 20240101),
        ("observed_at", "0001-01-01T00:00:00+14:00"),
        ("compliance", ["CIS"]),
        ("compliance", {"CIS": 5}),
        ("compliance", {"CIS": [["nested"]]}),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field):
        Finding.from_dict(MINIMAL | {field: value})


def test_controls_nested_beyond_the_recursion_limit_are_refused() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InputError, match="controls"):
        Finding.from_dict(MINIMAL | {"compliance": {"CIS": [nested]}})


@pytest.mark.parametrize(
    "given",
    [
        "2026-02-07T12:30:00+02:00",
        "2026-02-07T10:30:00",
        "2026-02-07T10:30:00Z",
        datetime(2026, 2, 7, 12, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_times_become_utc(given: object) -> None:
    observed_at = Finding.from_dict(MINIMAL | {"observed_at": given}).observed_at
    assert observed_at == datetime(2026, 2, 7, 10, 30, tzinfo=UTC)
    assert observed_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (None, "FAIL"),
        ("", "FAIL"),
        ("failed", "FAIL"),
        ("Open", "FAIL"),
        ("In Progress", "FAIL"),
        ("pass", "PASS"),
        ("Completed", "PASS"),
        ("INFOED", "MANUAL"),
    ],
)
def test_status_words_of_many_scanners(word: str | None, status: str) -> None:
    assert Finding.from_dict(MINIMAL | {"status": word}).status == status


@pytest.mark.parametrize(
    ("word", "severity"),
    [(" critical ", "CRITICAL"), ("Fatal", "CRITICAL"), ("moderate", "MEDIUM"), ("Informational", "INFO")],
)
def test_severity_words_of_many_scanners(word: str, severity: str) -> None:
    assert Severity.parse(word) == severity


def test_severities_sort_by_rank_worst_first() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == list(Severity)


def test_an_unknown_severity_is_quoted_on_one_line() -> None:
    with pytest.raises(InputError) as caught:
        Severity.parse("bad\n\u202eword" * 50)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize(
    ("status", "muted", "is_open"),
    [("FAIL", False, True), ("FAIL", True, False), ("PASS", False, False), ("MANUAL", False, False)],
)
def test_open_means_failing_and_not_muted(status: str, muted: bool, is_open: bool) -> None:
    assert Finding.from_dict(MINIMAL | {"status": status, "muted": muted}).is_open is is_open


ABOUT = MINIMAL | {"check_id": "c", "resource": "r", "provider": "aws", "account_id": "1", "region": "eu"}


@pytest.mark.parametrize("field", ["id", "title", "severity", "evidence", "status"])
def test_the_fingerprint_outlives_what_changes_between_scans(field: str) -> None:
    changed = ABOUT | {field: {"severity": "LOW", "status": "PASS"}.get(field, "other")}
    assert Finding.from_dict(changed).fingerprint == Finding.from_dict(ABOUT).fingerprint


@pytest.mark.parametrize("field", ["check_id", "resource", "provider", "account_id", "region"])
def test_the_fingerprint_tells_apart_what_it_is_about(field: str) -> None:
    other = Finding.from_dict(ABOUT | {field: "other"})
    assert other.fingerprint != Finding.from_dict(ABOUT).fingerprint


def test_without_check_and_resource_the_scanners_id_tells_apart() -> None:
    assert Finding.from_dict(MINIMAL).fingerprint != Finding.from_dict(MINIMAL | {"id": "F-2"}).fingerprint


def test_the_handle_is_short_and_the_fingerprint_frozen() -> None:
    finding = Finding.from_dict(ABOUT)
    assert finding.fingerprint == "1cee69cf8ca1b39fd3aa8a1c35ef8b60"
    assert finding.handle == f"f-{finding.fingerprint[:8]}"
