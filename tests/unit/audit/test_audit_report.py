"""The summary: what counts, what does not, and how the score comes about."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditReport, Finding, FindingStatus, ReportHeader, Severity
from audit.report import MOST_RECOMMENDATIONS, Tally, compliance_status

NOW = datetime(2026, 2, 7, 10, 30, tzinfo=UTC)
FINDINGS = st.builds(
    Finding,
    id=st.just("F"),
    title=st.sampled_from(["one", "two"]),
    severity=st.sampled_from(Severity),
    status=st.sampled_from(FindingStatus),
    check_id=st.sampled_from(["", "c1", "c2", "c3"]),
    muted=st.booleans(),
    account_id=st.sampled_from(["", "1", "2"]),
    compliance=st.dictionaries(st.sampled_from(["CIS", "PCI"]), st.sampled_from([(), ("1",), ("1", "2")])),
)


def finding(check: str, status: str = "FAIL", severity: str = "HIGH", **changes: object) -> Finding:
    record = {
        "id": check,
        "title": f"About {check}",
        "severity": severity,
        "status": status,
        "check_id": check,
    }
    return Finding.from_dict(record | changes)


def tally(*findings: Finding) -> Tally:
    counted = Tally()
    for one in findings:
        counted.add(one)
    return counted


def report(*findings: Finding) -> AuditReport:
    return AuditReport.of(findings, report_id="R-1", generated_at=NOW)


@given(st.lists(FINDINGS, max_size=12))
def test_every_finding_is_counted_exactly_once(findings: list[Finding]) -> None:
    summary = tally(*findings).summary()
    failing = summary["critical"] + summary["high"] + summary["medium"] + summary["low"] + summary["info"]
    others = summary["passed"] + summary["manual"] + summary["muted"]
    assert failing + others == summary["total_findings"] == len(findings)


@given(st.lists(FINDINGS, max_size=12))
def test_percentages_stay_within_bounds_and_gaps_add_up(findings: list[Finding]) -> None:
    counted = tally(*findings)
    score = counted.score()
    assert score is None or 0 <= score <= 100
    for framework in counted.compliance().values():
        assert 0 <= framework["coverage"] <= 100
        assert framework["controls_covered"] + framework["gaps"] == framework["total_controls"] > 0


@given(st.lists(FINDINGS, max_size=12))
def test_the_order_of_findings_does_not_change_the_sums(findings: list[Finding]) -> None:
    forward, backward = tally(*findings), tally(*reversed(findings))
    assert forward.score() == backward.score()
    assert forward.compliance() == backward.compliance()


def test_the_score_is_the_share_of_checks_that_nothing_fails() -> None:
    counted = tally(
        finding("a", "PASS"),
        finding("a", "FAIL"),
        finding("b", "PASS"),
        finding("b", "PASS"),
        finding("c", "PASS"),
        finding("d", "MANUAL"),
        finding("e", "FAIL", muted=True),
    )
    assert counted.score() == 66.7


@pytest.mark.parametrize("findings", [(), (finding("a"),), (finding("a", "MANUAL"),)])
def test_without_a_pass_there_is_no_score(findings: tuple[Finding, ...]) -> None:
    assert tally(*findings).score() is None


def test_a_muted_pass_alone_gives_no_score() -> None:
    assert tally(finding("a", "PASS", muted=True)).score() is None


def test_a_control_is_covered_when_nothing_fails_it() -> None:
    counted = tally(
        finding("a", "PASS", compliance={"CIS": ["1", "2"]}),
        finding("b", "FAIL", compliance={"CIS": ["2"]}),
        finding("c", "MANUAL", compliance={"CIS": ["3"], "PCI": ["1"]}),
        finding("d", "FAIL", muted=True, compliance={"CIS": ["1"]}),
    )
    assert counted.compliance() == {
        "CIS": {"coverage": 50.0, "controls_covered": 1, "total_controls": 2, "status": "REVIEW", "gaps": 1}
    }


@pytest.mark.parametrize("statuses", [("PASS", "FAIL"), ("FAIL", "PASS"), ("PASS", "PASS", "FAIL", "PASS")])
def test_findings_that_share_their_controls_are_each_heard(statuses: tuple[str, ...]) -> None:
    same = {"CIS": ["1"]}
    findings = [finding("a", status, id=str(place), compliance=same) for place, status in enumerate(statuses)]
    assert len({id(one.compliance) for one in findings}) == 1
    assert tally(*findings).compliance()["CIS"]["gaps"] == 1


def test_a_framework_without_controls_is_left_out() -> None:
    assert tally(finding("a", compliance={"CIS": []})).compliance() == {}


@pytest.mark.parametrize(
    ("coverage", "status"),
    [(100, "COMPLIANT"), (90, "COMPLIANT"), (89.9, "REVIEW"), (50, "REVIEW"), (49.9, "FAIL"), (0, "FAIL")],
)
def test_the_thresholds_of_compliance(coverage: float, status: str) -> None:
    assert compliance_status(coverage) == status


def test_recommendations_rank_by_severity_then_by_resources() -> None:
    counted = tally(
        finding("low", severity="LOW"),
        finding("few", severity="HIGH"),
        *[finding("many", severity="HIGH")] * 3,
        finding("worst", severity="CRITICAL"),
        finding("fine", "PASS", severity="CRITICAL"),
    )
    advice = counted.recommendations()
    assert [(each["check_id"], each["resources"]) for each in advice] == [
        ("worst", 1),
        ("many", 3),
        ("few", 1),
        ("low", 1),
    ]


def test_a_check_is_recommended_with_its_worst_severity() -> None:
    advice = tally(
        finding("a", severity="LOW"), finding("a", severity="CRITICAL"), finding("a", severity="INFO")
    )
    assert [(each["severity"], each["resources"]) for each in advice.recommendations()] == [("CRITICAL", 3)]


def test_recommendations_are_few() -> None:
    assert len(tally(*(finding(f"c{n}") for n in range(30))).recommendations()) == MOST_RECOMMENDATIONS


def test_the_most_frequent_account_names_the_report_unless_one_is_given() -> None:
    counted = tally(finding("a", account_id="1"), finding("b", account_id="2"), finding("c", account_id="2"))
    assert counted.summary()["account_id"] == "2"
    assert counted.summary("9")["account_id"] == "9"
    assert Tally().summary()["account_id"] == ""


def test_a_report_has_the_specifications_shape() -> None:
    data = report(finding("a", "PASS"), finding("b", severity="CRITICAL")).to_dict()
    assert list(data) == ["metadata", "summary", "findings", "compliance", "recommendations"]
    assert data["metadata"]["export_format"] == "json"
    assert data["metadata"]["exported_at"] == "2026-02-07T10:30:00+00:00"
    assert data["metadata"]["version"] == "1.0"
    assert data["summary"]["security_score"] == 50.0
    assert [each["id"] for each in data["findings"]] == ["a", "b"]


def test_a_report_made_from_a_stream_can_be_read_twice() -> None:
    made = AuditReport.of(iter([finding("a")]), report_id="R-1", generated_at=NOW)
    assert len(list(made.records())) == len(list(made.records())) == 1


def test_metadata_names_the_report() -> None:
    header: ReportHeader = report().header
    assert header.metadata(NOW, "csv") == {
        "exported_at": "2026-02-07T10:30:00+00:00",
        "export_format": "csv",
        "version": "1.0",
        "report_id": "R-1",
        "report_name": "audit",
        "source": "countersign",
        "generated_at": "2026-02-07T10:30:00+00:00",
    }
