"""The specification's export half, called the way its guide calls it: names, order, defaults, and the public import."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import exporters
from exporters import CSVExporter, EmailService, HTMLExporter, JSONExporter
from tests.unit.exporters.samples import Page, report

# The guide's API reference, word for word but for `src.`.
SIGNATURES = {
    (JSONExporter, "export_report"): "report_data, output_path=None, pretty=True",
    (JSONExporter, "export_findings"): "findings, output_path=None, pretty=True",
    (JSONExporter, "export_compliance_summary"): "compliance_data, output_path=None, pretty=True",
    (JSONExporter, "export_for_api_integration"): "report_data, include_fields=None, exclude_fields=None",
    (JSONExporter, "export_for_pipeline"): "report_data, pipeline_type='generic'",
    (CSVExporter, "export_findings_to_csv"): "findings, output_path, include_fields=None",
    (CSVExporter, "export_report_summary_to_csv"): "report_data, output_path",
    (CSVExporter, "export_findings_by_severity_to_csv"): "findings, output_path",
    (CSVExporter, "export_compliance_summary_to_csv"): "compliance_data, output_path",
    (CSVExporter, "export_remediation_tracker_to_csv"): "findings, output_path",
    (
        HTMLExporter,
        "export_report_to_html",
    ): "report_data, output_path, include_toc=True, include_charts=True",
    (
        HTMLExporter,
        "export_email_template",
    ): "report_data, output_path, recipient_name=None, include_cta=True",
    (HTMLExporter, "export_executive_summary_html"): "report_data, output_path",
    (EmailService, "__init__"): "smtp_server=None, smtp_port=None, sender_email=None, sender_password=None",
    (
        EmailService,
        "send_report",
    ): "recipient_emails, subject, html_content, attachments=None, cc=None, bcc=None, reply_to=None",
    (
        EmailService,
        "send_report_with_attachment",
    ): "recipient_emails, subject, html_content, report_file_path, report_format='pdf'",
    (EmailService, "send_critical_alert"): "recipient_emails, finding_data, escalation_level='HIGH'",
    (EmailService, "test_connection"): "",
}
RETURNS = {JSONExporter: str, CSVExporter: str, HTMLExporter: str, EmailService: bool}


def public(method: Any) -> str:
    """Return what a caller may give by position, with its default."""
    parameters = [
        entry
        for entry in inspect.signature(method).parameters.values()
        if entry.kind is entry.POSITIONAL_OR_KEYWORD and entry.name != "self"
    ]
    plain = (entry.replace(annotation=inspect.Parameter.empty) for entry in parameters)
    return ", ".join(map(str, plain))


@pytest.mark.parametrize(("owner", "name"), SIGNATURES, ids=lambda part: getattr(part, "__name__", part))
def test_each_signature_is_the_specifications(owner: type, name: str) -> None:
    method = getattr(owner, name)
    assert public(method) == SIGNATURES[owner, name]
    if name != "__init__":
        assert inspect.signature(method).return_annotation is RETURNS[owner]


@pytest.mark.parametrize("owner", RETURNS)
def test_each_class_is_public_and_needs_no_argument(owner: type) -> None:
    assert owner.__name__ in exporters.__all__
    assert getattr(exporters, owner.__name__) is owner
    owner()


def test_every_json_method_returns_the_text(tmp_path: Path) -> None:
    data: Any = report()
    exporter, path = JSONExporter(), str(tmp_path / "report.json")
    matrix = json.loads(exporter.export_report(data, path, True))["compliance"]
    texts = [
        Path(path).read_text(encoding="utf-8"),
        exporter.export_findings(data["findings"], str(tmp_path / "findings.json"), False),
        exporter.export_compliance_summary(matrix, str(tmp_path / "matrix.json"), False),
        exporter.export_for_api_integration(data, ["id", "title", "severity", "remediation"], None),
        *(exporter.export_for_pipeline(data, kind) for kind in ("generic", "github", "gitlab", "jenkins")),
    ]
    assert all(isinstance(json.loads(text), dict) for text in texts)


def test_every_csv_method_returns_the_path(tmp_path: Path) -> None:
    data: Any = report()
    exporter, matrix = CSVExporter(), {"CIS v8": {"controls_covered": 15, "total_controls": 20}}
    paths = [str(tmp_path / f"{number}.csv") for number in range(5)]
    written = [
        exporter.export_findings_to_csv(data["findings"], paths[0], ["id", "title", "severity"]),
        exporter.export_report_summary_to_csv(data, paths[1]),
        exporter.export_findings_by_severity_to_csv(data["findings"], paths[2]),
        exporter.export_compliance_summary_to_csv(matrix, paths[3]),
        exporter.export_remediation_tracker_to_csv(data["findings"], paths[4]),
    ]
    assert written == paths
    assert all(Path(path).read_bytes().count(b"\r\n") > 1 for path in paths)


def test_every_html_method_returns_the_path(tmp_path: Path) -> None:
    data: Any = report()
    exporter = HTMLExporter()
    paths = [str(tmp_path / f"{number}.html") for number in range(3)]
    written = [
        exporter.export_report_to_html(data, paths[0], True, True),
        exporter.export_email_template(data, paths[1], "Alice Johnson", True),
        exporter.export_executive_summary_html(data, paths[2]),
    ]
    assert written == paths
    assert all("Northwind" in Page(Path(path).read_text(encoding="utf-8")).text for path in paths)
