"""What an audit found, and who did what. Imports nothing of ours and no SDK; opens nothing."""

from audit.actor import Actor
from audit.findings import Finding, FindingStatus, Severity
from audit.report import AuditReport, ReportHeader

__all__ = ["Actor", "AuditReport", "Finding", "FindingStatus", "ReportHeader", "Severity"]
