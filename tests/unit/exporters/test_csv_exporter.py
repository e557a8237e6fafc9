import csv
import io
from pathlib import Path

import pytest

from audit.errors import InputError
from exporters import CSVExporter
from exporters.csv_cells import CsvStyle
from tests.unit.exporters.samples import finding, report, twenty_one_malformed

HEADS = ["ID", "Title", "Severity", "Category", "Resource", "Description", "Remediation", "Status"]


def rows(path: str | Path, delimiter: str = ",") -> list[list[str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=True))


def findings() -> list[dict[str, object]]:
    return report()["findings"]  # type: ignore[return-value]


def test_the_columns_are_the_specifications(tmp_path: Path) -> None:
    path = CSVExporter().export_findings_to_csv(findings(), str(tmp_path / "f.csv"))
    heads, first, *others = rows(path)
    assert heads == HEADS
    assert first[:4] == ["F-1", "Bucket is open to the public", "CRITICAL", "Storage"]
    assert len(others) == 5


def test_the_path_written_is_returned(tmp_path: Path) -> None:
    assert CSVExporter().export_findings_to_csv([], tmp_path / "f.csv") == str(tmp_path / "f.csv")


def test_fields_can_be_chosen(tmp_path: Path) -> None:
    path = CSVExporter().export_findings_to_csv(
        findings(), tmp_path / "f.csv", include_fields=["id", "title", "severity", "remediation"]
    )
    assert rows(path)[0] == ["ID", "Title", "Severity", "Remediation"]


def test_more_fields_than_the_specifications(tmp_path: Path) -> None:
    fields = ["Assigned_To", "due date", "notes", "compliance", "muted", "account_id", "reference_url"]
    own = {
        "assigned_to": "Ada",
        "due_date": None,
        "notes": 7,
        "muted": True,
        "compliance": {"CIS": ["1", "2"]},
    }
    path = CSVExporter().export_findings_to_csv([finding(**own)], tmp_path / "f.csv", fields)
    assert rows(path) == [
        ["Assigned_To", "Due_Date", "Notes", "Compliance", "Muted", "Account_ID", "Reference_URL"],
        ["Ada", "", "7", "CIS: 1, 2", "true", "", ""],
    ]


def test_an_unknown_field_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean severity"):
        CSVExporter().export_findings_to_csv(findings(), tmp_path / "f.csv", ["severty"])
    assert list(tmp_path.iterdir()) == []


def test_a_lone_empty_cell_is_still_a_row(tmp_path: Path) -> None:
    path = CSVExporter().export_findings_to_csv([finding(), finding()], tmp_path / "f.csv", ["notes"])
    assert rows(path) == [["Notes"], [""], [""]]


def test_the_file_is_what_spreadsheets_expect(tmp_path: Path) -> None:
    content = Path(CSVExporter().export_findings_to_csv([finding()], tmp_path / "f.csv")).read_bytes()
    assert content.startswith(b"\xef\xbb\xbfID,")
    assert content.count(b"\r\n") == content.count(b"\n") == 2


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_no_cell_begins_like_a_formula(lead: str) -> None:
    (cell,) = csv.reader([CsvStyle().cell_writer()(f"{lead}1+1").decode()], strict=True)
    assert cell == [f"'{lead}1+1"]


@pytest.mark.parametrize("field", ["id", "title", "resource", "description", "remediation", "category"])
def test_every_column_is_guarded(field: str, tmp_path: Path) -> None:
    path = CSVExporter().export_findings_to_csv([finding(**{field: "=1+1"})], tmp_path / "f.csv", [field])
    assert rows(path)[1] == ["'=1+1"]


def test_raw_leaves_the_data_alone(tmp_path: Path) -> None:
    long = "x" * 40_000
    path = CSVExporter(raw=True).export_findings_to_csv(
        [finding(title="=1+1", description=long)], tmp_path / "f.csv"
    )
    assert not Path(path).read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows(path)[1][1] == "=1+1"
    assert rows(path)[1][5] == long


def test_no_cell_is_longer_than_excel_takes(tmp_path: Path) -> None:
    path = CSVExporter().export_findings_to_csv(
        [finding(description="=" + "x" * 1_000_000)], tmp_path / "f.csv"
    )
    cell = rows(path)[1][5]
    assert len(cell) == 32_767
    assert cell.startswith("'=xxx")
    assert cell.endswith("[1,000,002 characters, cut]")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_cells_are_quoted_as_python_quotes_them(delimiter: str, tmp_path: Path) -> None:
    texts = ['say "so"', "a,b", "a;b", "a\tb", "a|b", "line\nline", "cr\rcr", "plain", "", " spaced "]
    path = CSVExporter(delimiter=delimiter, raw=True).export_findings_to_csv(
        [finding(category=text, description=text) for text in texts], tmp_path / "f.csv"
    )
    expected = io.StringIO(newline="")
    writer = csv.writer(expected, delimiter=delimiter)
    writer.writerow(HEADS)
    writer.writerows(list(finding(category=text, description=text).values()) for text in texts)
    assert Path(path).read_bytes() == expected.getvalue().encode()


def test_an_odd_delimiter_is_refused() -> None:
    with pytest.raises(InputError, match="delimiter"):
        CSVExporter(delimiter='"')
    with pytest.raises(InputError, match="delimiter"):
        CsvStyle(delimiter="")


def test_a_malformed_finding_is_left_out_and_named(tmp_path: Path) -> None:
    told: list[str] = []
    path = CSVExporter(on_rejected=told.append).export_findings_to_csv(
        twenty_one_malformed()["findings"],  # type: ignore[arg-type]
        tmp_path / "f.csv",
    )
    assert len(rows(path)) == 20
    assert told == ["finding 6: a finding needs its title"]


def test_what_is_left_out_is_logged_by_default(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    CSVExporter().export_findings_to_csv([{"id": "1"}], tmp_path / "f.csv")
    assert "finding 1: a finding needs its title" in caplog.text


def test_findings_may_be_a_stream(tmp_path: Path) -> None:
    path = CSVExporter().export_findings_to_csv((finding(id=str(n)) for n in range(3)), tmp_path / "f.csv")
    assert [row[0] for row in rows(path)] == ["ID", "0", "1", "2"]


def test_the_summary_is_a_row_per_number(tmp_path: Path) -> None:
    table = dict(rows(CSVExporter().export_report_summary_to_csv(report(), tmp_path / "s.csv")))
    assert table["Metric"] == "Value"
    assert table["Security Score"] == "33.3"
    assert (table["Critical"], table["High"], table["Muted"]) == ("1", "1", "1")


def test_by_severity_is_worst_first(tmp_path: Path) -> None:
    mixed = [finding(id="1", severity="LOW"), finding(id="2", severity="HIGH"), finding(id="3")]
    table = rows(CSVExporter().export_findings_by_severity_to_csv(mixed, tmp_path / "b.csv"))
    assert table[0][:2] == ["Severity", "ID"]
    assert [row[:2] for row in table[1:]] == [["CRITICAL", "3"], ["HIGH", "2"], ["LOW", "1"]]


def test_the_matrix_is_the_specifications_table(tmp_path: Path) -> None:
    matrix = {
        "CIS v8": {
            "coverage": 75,
            "controls_covered": 15,
            "total_controls": 20,
            "status": "REVIEW",
            "gaps": 5,
        },
        "PCI DSS": {"controls_covered": 13, "total_controls": 20},
        "ISO": {"coverage": 92.5, "controls_covered": 37, "total_controls": 40},
    }
    assert rows(CSVExporter().export_compliance_summary_to_csv(matrix, tmp_path / "c.csv")) == [
        ["Framework", "Coverage", "Controls Covered", "Total Controls", "Status", "Gaps"],
        ["CIS v8", "75%", "15", "20", "REVIEW", "5"],
        ["PCI DSS", "65%", "13", "20", "REVIEW", "7"],
        ["ISO", "92.5%", "37", "40", "COMPLIANT", "3"],
    ]


def test_the_tracker_has_its_empty_columns_and_only_what_is_to_be_done(tmp_path: Path) -> None:
    table = rows(CSVExporter().export_remediation_tracker_to_csv(findings(), tmp_path / "t.csv"))
    assert table[0][-4:] == ["Status", "Assigned To", "Due Date", "Notes/Comments"]
    assert [row[0] for row in table[1:]] == ["F-1", "F-3", "F-4"]
    assert {tuple(row[-4:]) for row in table[1:]} == {("", "", "", "")}


def test_zero_findings_give_a_table_with_heads(tmp_path: Path) -> None:
    assert rows(CSVExporter().export_findings_to_csv([], tmp_path / "f.csv")) == [HEADS]
