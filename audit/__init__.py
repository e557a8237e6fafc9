"""What an audit found, and who did what. Imports nothing of ours and no SDK; opens nothing."""

from audit.actor import Actor
from audit.aws import AWSAuditReport
from audit.findings import Finding, FindingStatus, Severity
from audit.report import AuditReport, ReportHeader

__all__ = ["AWSAuditReport", "Actor", "AuditReport", "Finding", "FindingStatus", "ReportHeader", "Severity"]
