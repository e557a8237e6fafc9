"""Each pipeline format against its published schema and the limits of what reads it."""

import functools
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.findings import Finding
from audit.ingest import read_report
from exporters import JSONExporter
from exporters.github import MOST_PER_TYPE
from exporters.pipelines import PIPELINES
from exporters.sarif import MOST_RESULTS
from exporters.source import ReportSource
from tests.conftest import schema
from tests.unit.exporters.samples import NOW, finding, report
from tests.unit.exporters.test_hostile_findings import PAYLOADS, with_everything

texts = st.one_of(st.sampled_from(PAYLOADS), st.text(max_size=40))


def written(name: str, data: Mapping[str, object]) -> bytes:
    out = io.BytesIO()
    PIPELINES[name].write(ReportSource.from_data(data, now=NOW), out, now=NOW)
    return out.getvalue()


@functools.cache
def validator(name: str) -> jsonschema.protocols.Validator:
    document = json.loads(schema(name).read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(document)(document)


def check(name: str, document: object) -> None:
    validator(name).validate(document)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [report(), {"findings": []}], ids=["sample", "empty"])
def test_gitlab_is_valid(data: Mapping[str, object]) -> None:
    check("gitlab-sast.json", orjson.loads(written("gitlab", data)))


@given(text=texts)
def test_gitlab_is_valid_whatever_is_in_it(text: str) -> None:
    check("gitlab-sast.json", orjson.loads(written("gitlab", {"findings": [with_everything(text)]})))


def test_gitlab_reports_what_fails_with_ids_that_stay() -> None:
    first = orjson.loads(written("gitlab", report()))["vulnerabilities"]
    changed = report()
    changed["findings"][0]["id"] = "another scanner version"  # type: ignore[index]
    second = orjson.loads(written("gitlab", changed))["vulnerabilities"]
    assert [entry["severity"] for entry in first] == ["Critical", "High"]
    assert [entry["id"] for entry in first] == [entry["id"] for entry in second]
    assert first[0]["links"] == [{"url": report()["findings"][0]["reference_url"]}]  # type: ignore[index]


def test_gitlab_leaves_out_addresses_it_would_refuse() -> None:
    data = {"findings": [finding(reference_url="see the wiki")]}
    assert "links" not in orjson.loads(written("gitlab", data))["vulnerabilities"][0]


@pytest.mark.parametrize("data", [report(), {"findings": []}], ids=["sample", "empty"])
def test_sarif_is_valid(data: Mapping[str, object]) -> None:
    check("sarif-2.1.0.json", orjson.loads(written("sarif", data)))


@given(text=texts)
def test_sarif_is_valid_whatever_is_in_it(text: str) -> None:
    check("sarif-2.1.0.json", orjson.loads(written("sarif", {"findings": [with_everything(text)]})))


def test_sarif_says_what_github_needs() -> None:
    (run,) = orjson.loads(written("sarif", report()))["runs"]
    rule, result = run["tool"]["driver"]["rules"][0], run["results"][0]
    assert rule["id"] == result["ruleId"] == "s3_bucket_public_access"
    assert rule["properties"]["security-severity"] == "9.5"
    assert result["partialFingerprints"]["primaryLocationLineHash"]
    (location,) = result["locations"]
    assert (
        location["physicalLocation"]["artifactLocation"]["uri"] == "arn%3Aaws%3As3%3A%3A%3Anorthwind-invoices"
    )
    assert [entry["ruleIndex"] for entry in run["results"]] == [0, 1]


def test_sarif_keeps_the_most_severe_and_counts_the_cut() -> None:
    low = [finding(id=f"L{n}", severity="LOW") for n in range(MOST_RESULTS)]
    high = [finding(id=f"H{n}", severity="HIGH") for n in range(3)]
    (run,) = orjson.loads(written("sarif", {"findings": [*low, *high]}))["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert [entry["level"] for entry in run["results"][:4]] == ["error"] * 3 + ["note"]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("3 less severe findings are left out")


@pytest.mark.parametrize("data", [report(), {"findings": []}], ids=["sample", "empty"])
def test_ocsf_is_valid(data: Mapping[str, object]) -> None:
    for event in orjson.loads(written("ocsf", data)):
        check("ocsf-DetectionFinding-py-ocsf-models-0.10.0.json", event)


@given(text=texts)
def test_ocsf_is_valid_whatever_is_in_it(text: str) -> None:
    (event,) = orjson.loads(written("ocsf", {"findings": [with_everything(text)]}))
    check("ocsf-DetectionFinding-py-ocsf-models-0.10.0.json", event)


def test_ocsf_comes_back_through_ingest() -> None:
    reading = read_report(io.BytesIO(written("ocsf", report())), "northwind.ocsf.json")
    came_back = [item for item in reading.items if isinstance(item, Finding)]
    sent = [Finding.from_dict(record) for record in report()["findings"]]  # type: ignore[attr-defined]
    sent.sort(key=lambda found: found.severity.rank)
    for before, after in zip(sent, came_back, strict=True):
        for name in (
            "id",
            "title",
            "severity",
            "resource",
            "description",
            "remediation",
            "status",
            "check_id",
        ):
            assert getattr(after, name) == getattr(before, name)
        for name in ("muted", "provider", "account_id", "region", "evidence", "reference_url", "compliance"):
            assert getattr(after, name) == getattr(before, name)
        assert after.observed_at == before.observed_at or before.observed_at is None


def test_ocsf_of_zero_findings_is_an_empty_list() -> None:
    assert written("ocsf", {"findings": []}) == b"[]"


def test_jenkins_takes_only_its_four_severities_and_uuids() -> None:
    findings = [
        finding(id=word, resource=word, check_id="c", severity=word)
        for word in ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
    ]
    issues = orjson.loads(written("jenkins", {"findings": findings}))["issues"]
    assert [issue["severity"] for issue in issues] == ["ERROR", "HIGH", "NORMAL", "LOW", "LOW"]
    assert len({UUID(issue["id"]) for issue in issues}) == 5


@given(text=texts)
def test_jenkins_gets_no_null_no_number_for_a_text_and_no_html(text: str) -> None:
    (issue,) = orjson.loads(written("jenkins", {"findings": [with_everything(text)]}))["issues"]
    assert {name for name, value in issue.items() if not isinstance(value, str)} == {"lineStart"}
    for name in ("message", "description"):
        assert not re.search(r"<(?!br>)", issue[name])


def many(severity: str, count: int) -> list[dict[str, object]]:
    return [finding(id=f"{severity}-{n}", severity=severity) for n in range(count)]


def test_github_gets_at_most_ten_of_a_type_and_the_rest_counted() -> None:
    findings = [*many("HIGH", 12), *many("MEDIUM", 11), *many("LOW", 15)]
    data = json.loads(JSONExporter().export_for_pipeline({"findings": findings}, "github"))
    for level in ("error", "warning", "notice"):
        shown = [line for line in data["annotations"] if line.startswith(f"::{level} ")]
        assert len(shown) == MOST_PER_TYPE
    assert data["annotations"][-1].endswith(
        "::9 more failing findings are not shown here; see the step summary and the full report."
    )
    assert data["status"] == "HIGH"


def test_github_needs_no_notice_where_all_is_shown() -> None:
    data = json.loads(JSONExporter().export_for_pipeline({"findings": many("HIGH", 10)}, "github"))
    assert len(data["annotations"]) == 10


def test_a_workflow_command_is_escaped_as_the_toolkit_does() -> None:
    record = finding(title="100%: a, b", resource="x%0Ay", evidence="", remediation="")
    data = json.loads(JSONExporter().export_for_pipeline({"findings": [record]}, "github"))
    assert data["annotations"] == ["::error title=CRITICAL%3A 100%25%3A a%2C b::x%250Ay"]


def test_the_step_summary_is_inert_markdown() -> None:
    record = finding(title="a | b <img src=x> [click](http://x) `c`\n# d")
    summary = json.loads(JSONExporter().export_for_pipeline({"findings": [record]}, "github"))["step_summary"]
    row = summary.splitlines()[-1]
    assert row == (
        r"| CRITICAL | a \| b &lt;img src=x\> \[click\]\(http\://x\) \`c\` \# d | arn\:aws\:s3\:\:\:b |"
    )


@pytest.mark.parametrize("kind", ["generic", "github"])
def test_the_status_is_the_worst_severity_that_fails(kind: str) -> None:
    data = json.loads(JSONExporter().export_for_pipeline(report(), kind))
    assert data["status"] == "CRITICAL"
    assert data["counts"] == {"critical": 1, "high": 1, "medium": 0, "low": 0, "info": 0}


@pytest.mark.parametrize("kind", ["generic", "github"])
def test_a_gate_does_not_trust_a_stated_summary(kind: str) -> None:
    data = {"summary": {"critical": 0, "high": 0}, "findings": [finding()]}
    assert json.loads(JSONExporter().export_for_pipeline(data, kind))["status"] == "CRITICAL"


@pytest.mark.parametrize("change", [{"status": "PASS"}, {"status": "MANUAL"}, {"muted": True}])
def test_what_does_not_fail_does_not_fail_a_pipeline(change: dict[str, object]) -> None:
    data = {"findings": [finding(**change)]}
    assert json.loads(JSONExporter().export_for_pipeline(data))["status"] == "PASS"
    assert orjson.loads(written("gitlab", data))["vulnerabilities"] == []
    assert orjson.loads(written("jenkins", data))["issues"] == []
    assert orjson.loads(written("sarif", data))["runs"][0]["results"] == []


def test_times_are_utc_as_gitlab_wants_them() -> None:
    scan = orjson.loads(written("gitlab", report()))["scan"]
    assert scan["start_time"] == "2026-11-24T08:00:00"
    assert scan["end_time"] == datetime(2026, 11, 24, 9, 30, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S")
