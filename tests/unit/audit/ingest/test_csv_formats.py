"""Tables: what a row means, whatever the delimiter; what is wrong with one is named by its line."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Finding
from audit.errors import InputError, UnknownFormatError
from audit.ingest import ColumnMap, Item, Rejected, parse_columns, read_report
from tests.unit.audit.ingest.known import AZURE_CSV, PROWLER2_CSV, PROWLER_COLUMNS, PROWLER_CSV, PROWLER_ROWS

OWN = b"Finding,Risk,Where,Tags\nOpen bucket,High,arn:aws:s3:::koeln,CIS-3.0: 2.1.4\n"
OWN_COLUMNS = {"Finding": "title", "Risk": "severity", "Where": "resource", "Tags": "compliance"}


def read_all(content: bytes, columns: ColumnMap | None = None) -> list[Item]:
    return list(read_report(BytesIO(content), "table.csv", columns=columns).items)


def first(content: bytes, columns: ColumnMap | None = None) -> Finding:
    item = read_all(content, columns)[0]
    assert isinstance(item, Finding)
    return item


def complaint(content: bytes) -> str:
    try:
        read_all(content, OWN_COLUMNS)
    except InputError as error:
        return str(error)
    return ""


def refusal(content: bytes, columns: ColumnMap | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_all(content, columns)
    return str(caught.value)


def test_prowlers_row() -> None:
    assert first(PROWLER_CSV).to_dict() == {
        "id": "p-1",
        "title": "Bucket must not be open",
        "severity": "CRITICAL",
        "category": "Storage",
        "resource": "arn:aws:s3:::koeln",
        "description": "No bucket may be open.",
        "remediation": "Block it.",
        "status": "FAIL",
        "check_id": "s3_bucket_public_access",
        "resource_type": "AwsS3Bucket",
        "provider": "aws",
        "account_id": "210987654321",
        "region": "eu-central-1",
        "service": "s3",
        "evidence": "Köln is open.",
        "reference_url": "https://docs.example.com/s3",
        "observed_at": "2026-01-05T08:00:00+00:00",
        "compliance": {"CIS-3.0": ["2.1.4"], "PCI-4.0": ["1.3.1", "1.3.2"]},
    }
    second = read_all(PROWLER_CSV)[1]
    assert isinstance(second, Finding)
    assert (second.muted, second.status, second.compliance) == (True, "PASS", {})


@pytest.mark.parametrize("delimiter", [",", "\t", "|", "^", "~", ":", "§"])
def test_any_delimiter_will_do(delimiter: str) -> None:
    rows = (
        delimiter.join(f'"{cell}"' for cell in line.split(";")) for line in (PROWLER_COLUMNS, *PROWLER_ROWS)
    )
    assert read_all("\r\n".join(rows).encode()) == read_all(PROWLER_CSV)


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        (
            "FINDING_UNIQUE_ID;ACCOUNT_ID;REGION;RESOURCE_ID;RESOURCE_ARN",
            "u;1;eu-west-1;name;arn:aws:s3:::name",
            ("u", "1", "eu-west-1", "arn:aws:s3:::name"),
        ),
        (
            "FINDING_UNIQUE_ID;TENANT_DOMAIN;SUBSCRIPTION;RESOURCE_ID;RESOURCE_NAME",
            "u;x.example;sub;/subscriptions/sub/x;x",
            ("u", "sub", "", "/subscriptions/sub/x"),
        ),
        (
            "FINDING_UNIQUE_ID;PROJECT_ID;LOCATION;RESOURCE_ID;RESOURCE_NAME",
            "u;p;eu;;disk",
            ("u", "p", "eu", "disk"),
        ),
    ],
)
def test_version_3_names_columns_after_the_cloud(columns: str, cells: str, expected: tuple[str, ...]) -> None:
    content = f"PROVIDER;CHECK_ID;CHECK_TITLE;STATUS;STATUS_EXTENDED;SEVERITY;{columns}\naws;s3_x;t;FAIL;e;low;{cells}\n"
    found = first(content.encode())
    assert (found.id, found.account_id, found.region, found.resource) == expected


def test_prowler_2s_row() -> None:
    found = first(PROWLER2_CSV)
    assert (found.check_id, found.title) == ("check29", "Ensure flow logs")
    assert (found.status, found.severity, found.category) == ("FAIL", "MEDIUM", "Network")
    assert found.compliance == {"CIS AWS Foundations Benchmark": ("2.9",), "ENS": ("op.mon.1.aws.flow.1",)}
    assert (found.description, found.evidence) == ("Nobody sees traffic, later.", "vpc-1 has none")
    second = read_all(PROWLER2_CSV)[1]
    assert isinstance(second, Finding)
    assert (second.status, second.compliance, second.title) == ("MANUAL", {}, "GuardDuty")
    assert found.id == first(PROWLER2_CSV).id != second.id


def test_azures_row() -> None:
    found = first(AZURE_CSV)
    assert (found.check_id, found.title) == ("f67f", "Virtual networks should have a firewall")
    assert (found.provider, found.account_id, found.service) == ("azure", "9cfb", "network")
    assert found.resource.endswith("/virtualnetworks/vn")
    assert (found.resource_type, found.category) == ("microsoft.network/virtualnetworks", "Network")
    assert (found.status, found.severity) == ("FAIL", "LOW")
    assert found.compliance == {"Azure-Secure-Score": ("Restrict unauthorized network access",)}
    assert found.observed_at == datetime(2026, 1, 4, 8, 0, 0, 123456, tzinfo=UTC)
    assert found.description == "Several\r\nlines"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"Unhealthy", b"Healthy", {"status": "PASS"}),
        (b"Unhealthy", b"NotApplicable", {"status": "MANUAL"}),
        (b',""\r\n', b',"210987654321"\r\n', {"provider": "aws", "account_id": "210987654321"}),
        (b',""\r\n', b',"a-project"\r\n', {"provider": "gcp", "account_id": "a-project"}),
        (b'"{""Restrict', b'"{""', {"status": "FAIL"}),
    ],
)
def test_azure_field_by_field(old: bytes, new: bytes, expected: dict[str, object]) -> None:
    found = first(AZURE_CSV.replace(old, new))
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("tail", "complaint"),
    [
        (b"a;b\n", "line 4: has 2 fields where the header has 22"),
        (PROWLER_ROWS[0].encode() + b";one more\n", "line 4: has 23 fields where the header has 22"),
        (b'"never closed;\nb\nc\n', "line 4: a quote that opens here is never closed"),
        (b'"' + b"x" * 140_000 + b'"\n', "line 4: a field is longer than 131,072 characters"),
        (b"\n\n;\xff\n", "line 6: is not UTF-8 at its byte 1"),
        (b"y" * 2**20 + b"\n", "line 4: is longer than 1 MiB"),
    ],
)
def test_what_is_broken_fails_the_file_and_names_the_line(tail: bytes, complaint: str) -> None:
    assert refusal(PROWLER_CSV + tail) == f"table.csv: {complaint}"


def test_nul_bytes_far_into_a_table_are_named_by_their_line() -> None:
    rows = f"{PROWLER_ROWS[0]}\n".encode() * 500
    assert refusal(PROWLER_CSV + rows + b"a\0b\n") == "table.csv: line 504: holds NUL bytes, so it is no text"


def test_a_row_of_quoted_line_breaks_is_named_by_its_first_line() -> None:
    row = PROWLER_ROWS[0].replace("Leaks.", '"One\ntwo\nthree"')
    content = "\n".join((PROWLER_COLUMNS, "", row, row.replace(";critical;", ";odd;"), "short")).encode()
    items = read_report(BytesIO(content), "table.csv").items
    assert isinstance(next(items), Finding)
    assert str(next(items)).startswith("finding 2: line 6: 'odd' is not a severity")
    with pytest.raises(InputError, match="line 9: has 1 fields"):
        next(items)


def test_a_row_that_cannot_be_used_leaves_the_others_alone() -> None:
    items = read_all(PROWLER_CSV.replace(b"p-1", b"   "))
    assert items[0] == Rejected(1, "line 2: a finding needs its id")
    assert isinstance(items[1], Finding)


def test_columns_of_ones_own() -> None:
    found = first(OWN, OWN_COLUMNS)
    assert (found.title, found.severity, found.status) == ("Open bucket", "HIGH", "FAIL")
    assert (found.resource, found.provider, found.service, found.category) == (
        "arn:aws:s3:::koeln",
        "aws",
        "s3",
        "Storage",
    )
    assert found.compliance == {"CIS-3.0": ("2.1.4",)}
    assert found.id == first(OWN.replace(b"High", b"Low"), OWN_COLUMNS).id


def test_every_field_can_be_mapped() -> None:
    content = b"t,s,m,o,u,c\nx,low,Yes,2026-01-05T08:00:00Z,javascript:x,Mine\n"
    columns = dict(
        zip("tsmouc", ("title", "severity", "muted", "observed_at", "reference_url", "category"), strict=True)
    )
    found = first(content, columns)
    assert (found.muted, found.reference_url, found.category) == (True, "", "Mine")
    assert found.observed_at == datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_a_mapping_is_not_asked_where_the_format_is_known() -> None:
    columns = {"CHECK_TITLE": "description", "STATUS": "title", "SEVERITY": "severity"}
    assert read_report(BytesIO(PROWLER_CSV), "t", columns=columns).source == "Prowler CSV"


def test_a_table_without_the_mapped_columns_is_in_no_format() -> None:
    with pytest.raises(UnknownFormatError, match="CSV with mapped columns"):
        read_all(b"Finding,Risk\nx,low\n", OWN_COLUMNS)


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        (["title"], "“title” does not say column=field"),
        (["=title"], "does not say column=field"),
        (["a=title", "b=sevrity"], "did you mean severity?"),
        (["a=title", "b=zzzzzzzz"], "a finding has no field “zzzzzzzz”; it has id, title"),
        (["a=title", "b=title", "c=severity"], "two columns are mapped to title"),
        (["a=title"], "no column is mapped to severity"),
    ],
)
def test_a_mapping_that_makes_no_findings_is_refused(pairs: list[str], complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_columns(pairs)
    assert complaint in str(caught.value)


def test_a_column_may_hold_an_equals_sign() -> None:
    assert parse_columns(["a=b=title", " s =severity"]) == {"a=b": "title", "s": "severity"}


@given(st.text(max_size=200))
def test_any_text_under_ones_own_columns_is_findings_or_our_error(text: str) -> None:
    assert complaint(OWN + text.encode("utf-8", "replace")).isprintable()
