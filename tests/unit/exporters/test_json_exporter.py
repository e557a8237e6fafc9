import json
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from audit.errors import InputError
from exporters import JSONExporter
from tests.unit.exporters.samples import NOW, finding, report, twenty_one_malformed


def exporter() -> JSONExporter:
    return JSONExporter(clock=lambda: NOW)


def test_the_structure_is_the_specifications() -> None:
    data = json.loads(exporter().export_report(report()))
    assert list(data) == ["metadata", "summary", "findings", "compliance", "recommendations"]
    assert data["metadata"]["exported_at"] == "2026-11-24T09:30:00+00:00"
    assert data["metadata"]["export_format"] == "json"
    assert data["metadata"]["version"] == "1.0"
    assert data["summary"]["account_id"] == "123456789012"


def test_findings_come_back_as_they_were_and_in_their_order() -> None:
    findings = [finding(id="1", severity="LOW"), finding(id="2")]
    assert json.loads(exporter().export_report({"findings": findings}))["findings"] == findings


def test_the_text_returned_is_the_text_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    text = exporter().export_report(report(), str(path), True)
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize("findings", [[], [finding()], [finding(), finding(title='a\n"b"')]])
def test_pretty_is_what_indenting_the_whole_gives(findings: list[object]) -> None:
    text = exporter().export_report({"findings": findings})
    assert text.encode() == orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2)


def test_compact_is_one_line() -> None:
    text = exporter().export_report(report(), pretty=False)
    assert text.encode() == orjson.dumps(orjson.loads(text))


def test_zero_findings_give_a_valid_document() -> None:
    data = json.loads(exporter().export_report({"findings": []}))
    assert data["findings"] == []
    assert "errors" not in data


def test_a_malformed_finding_is_named() -> None:
    data = json.loads(exporter().export_report(twenty_one_malformed()))
    assert len(data["findings"]) == 19
    assert data["errors"] == ["finding 6: a finding needs its title"]


def test_a_finding_that_is_no_json_is_named() -> None:
    data = json.loads(exporter().export_report({"findings": [finding(own=object()), finding(id="F-2")]}))
    assert [entry["id"] for entry in data["findings"]] == ["F-2"]
    assert data["errors"][0].startswith("finding 1: ")


def test_findings_that_contain_themselves_are_named() -> None:
    own: dict[str, object] = {}
    own["own"] = own
    data = json.loads(exporter().export_report({"findings": [finding(own=own), finding(id="F-2")]}))
    assert [entry["id"] for entry in data["findings"]] == ["F-2"]


def test_findings_alone() -> None:
    told: list[str] = []
    stream: Iterator[dict[str, object]] = iter([finding(), {"id": "F-2"}, finding(id="F-3")])
    text = JSONExporter(on_rejected=told.append).export_findings(stream)
    data = json.loads(text)
    assert [entry["id"] for entry in data["findings"]] == ["F-1", "F-3"]
    assert data["total_findings"] == 2
    assert told == ["finding 2: a finding needs its title"]


def test_compliance_alone(tmp_path: Path) -> None:
    matrix = {"CIS v8": {"coverage": 75, "controls_covered": 15, "total_controls": 20, "status": "REVIEW"}}
    text = exporter().export_compliance_summary(matrix, tmp_path / "compliance.json")
    assert json.loads(text)["compliance"]["CIS v8"]["gaps"] == 5


def test_an_api_gets_the_fields_it_asked_for() -> None:
    text = exporter().export_for_api_integration(report(), include_fields=["severity", "id", "nothing"])
    assert list(json.loads(text)["findings"][0]) == ["severity", "id"]
    assert "\n" not in text


def test_an_api_can_leave_fields_out() -> None:
    text = exporter().export_for_api_integration(report(), exclude_fields=["description", "remediation"])
    assert not {"description", "remediation"} & set(json.loads(text)["findings"][0])


def test_exclusion_wins_over_inclusion() -> None:
    text = exporter().export_for_api_integration(report(), ["id", "title"], ["title"])
    assert list(json.loads(text)["findings"][0]) == ["id"]


def test_a_single_text_is_no_list_of_fields() -> None:
    with pytest.raises(InputError, match="lists of field names"):
        exporter().export_for_api_integration(report(), include_fields="id")


def test_an_unknown_pipeline_lists_the_known() -> None:
    with pytest.raises(InputError, match="generic, github, gitlab, jenkins"):
        exporter().export_for_pipeline(report(), "travis")


@pytest.mark.parametrize("pretty", [True, False])
def test_half_a_pair_anywhere_becomes_a_replacement_character(pretty: bool) -> None:
    data = {
        "metadata": {"report_name": "a\ud800"},
        "recommendations": ["b\udfff"],
        "findings": [finding(own={"c\ud800": ["d\udc00"]})],
    }
    back = json.loads(exporter().export_report(data, pretty=pretty))
    assert back["metadata"]["report_name"] == "a\ufffd"
    assert back["recommendations"][0]["title"] == "b\ufffd"
    assert back["findings"][0]["own"] == {"c\ufffd": ["d\ufffd"]}
