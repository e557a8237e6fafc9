"""Playbooks: planned, approved by a second person, run, proven, put back."""

from remediation.execution import ActionResult, PlaybookExecution
from remediation.executor import PlaybookExecutor
from remediation.library import PlaybookLibrary
from remediation.matching import find_playbook_for_finding
from remediation.playbook import PlaybookAction, RemediationPlaybook
from remediation.policy import Policy
from remediation.states import ActionStatus, PlaybookStatus

__all__ = [
    "ActionResult",
    "ActionStatus",
    "PlaybookAction",
    "PlaybookExecution",
    "PlaybookExecutor",
    "PlaybookLibrary",
    "PlaybookStatus",
    "Policy",
    "RemediationPlaybook",
    "find_playbook_for_finding",
]
