from collections.abc import Mapping

import pytest

from audit.errors import InputError
from exporters.source import ReportSource
from tests.unit.exporters.samples import NOW, finding, report, twenty_one_malformed


def test_records_come_worst_first_and_by_check() -> None:
    data = {
        "findings": [
            finding(id="1", severity="low", check_id="b"),
            finding(id="2", severity="LOW", check_id="a"),
            finding(id="3", severity="critical", check_id="z"),
            finding(id="4", severity="LOW", check_id="b"),
        ]
    }
    assert [record["id"] for record in ReportSource.from_data(data).records()] == ["3", "2", "1", "4"]


def test_the_callers_order_can_be_kept() -> None:
    data = {"findings": [finding(id="1", severity="LOW"), finding(id="2")]}
    source = ReportSource.from_data(data, keep_order=True)
    assert [record["id"] for record in source.records()] == ["1", "2"]


def test_records_can_be_read_again() -> None:
    source = ReportSource.from_data(report())
    assert list(source.records()) == list(source.records())


def test_a_missing_summary_and_matrix_are_worked_out() -> None:
    header = ReportSource.from_data(report(), now=NOW).header
    assert header.summary["critical"] == 1
    assert header.summary["security_score"] == 33.3
    assert header.compliance["CIS-1.5"]["total_controls"] == 3
    assert header.recommendations[0]["title"] == "Bucket is open to the public"


def test_what_is_given_is_kept() -> None:
    data = {
        "summary": {"account_id": "42", "security_score": 72.5, "total_findings": 8, "critical": 2},
        "compliance": {"CIS v8": {"coverage": 75, "controls_covered": 15, "total_controls": 20}},
        "recommendations": ["Turn on logging"],
        "findings": [],
    }
    header = ReportSource.from_data(data, now=NOW).header
    assert (header.summary["account_id"], header.summary["security_score"]) == ("42", 72.5)
    assert (header.summary["critical"], header.summary["high"]) == (2, 0)
    assert header.compliance["CIS v8"] == {
        "coverage": 75.0,
        "controls_covered": 15,
        "total_controls": 20,
        "status": "REVIEW",
        "gaps": 5,
    }
    assert header.recommendations[0]["title"] == "Turn on logging"
    assert header.generated_at == NOW


@pytest.mark.parametrize("value", ["many", -1, True, None, [3]])
def test_a_count_of_the_wrong_kind_is_counted_again(value: object) -> None:
    data = {"summary": {"critical": value}, "findings": [finding()]}
    assert ReportSource.from_data(data).header.summary["critical"] == 1


def test_one_malformed_finding_costs_no_other() -> None:
    source = ReportSource.from_data(twenty_one_malformed())
    assert len(list(source.records())) == 19
    assert source.header.rejected == ("finding 6: a finding needs its title",)


def test_a_malformed_framework_is_named() -> None:
    data = {"compliance": {"CIS": {"coverage": "75%"}, "PCI": "good", "ISO": {"coverage": "a lot"}}}
    header = ReportSource.from_data(data).header
    assert list(header.compliance) == ["CIS"]
    assert [line.split(":")[0] for line in header.rejected] == ["framework PCI", "framework ISO"]


def test_the_callers_own_fields_stay() -> None:
    (record,) = ReportSource.from_data({"findings": [finding(assigned_to="Ada")]}).records()
    assert record["assigned_to"] == "Ada"  # type: ignore[typeddict-item]


@pytest.mark.parametrize("data", [[], "report", None, {"findings": "none"}, {"findings": {"a": 1}}])
def test_what_is_no_report_at_all_is_refused(data: Mapping[str, object]) -> None:
    with pytest.raises(InputError, match="must be a"):
        ReportSource.from_data(data)
