"""A playbook: which finding it answers, and the actions it takes, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.canonical import digest
from audit.errors import InputError
from audit.findings import Severity

DEFAULT_TIMEOUT_S = 300
DEFAULT_MAX_TARGETS = 10
CLOUDS = frozenset({"aws", "gcp", "azure"})  # their steps are written {service, action, params}


@dataclass(frozen=True, slots=True)
class PlaybookAction:
    """One step as written: its name, the type that decides who handles it, its parameters."""

    action_name: str
    action_type: str
    params: Mapping[str, object] = field(default_factory=dict)
    condition: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the step as the playbook file spells it."""
        step: dict[str, object] = {
            "action_name": self.action_name,
            "action_type": self.action_type,
            "params": dict(self.params),
        }
        return {**step, "condition": self.condition} if self.condition else step


class RemediationPlaybook:
    """The specification's playbook, built in Python or read from YAML; both give the same object.

    Approval is required, and rollback allowed, unless somebody says otherwise.

    Args:
        playbook_id: upper-case letters, digits and dashes, such as `AWS-PUBLIC-S3`.
        name: what it does, in a few words.
        description: what it does, in a sentence or two; shown on the card.
        finding_category: the specification's category, such as `Storage`.
        severity: a severity word.

    Raises:
        InputError: the severity is none, or the id is empty.
    """

    def __init__(
        self, playbook_id: str, name: str, description: str, finding_category: str, severity: str
    ) -> None:
        if not playbook_id.strip():
            raise InputError("a playbook needs an id")
        self.playbook_id = playbook_id
        self.name = name
        self.description = description
        self.finding_category = finding_category
        self.severity = Severity.parse(severity)
        self.actions: list[PlaybookAction] = []
        self.prerequisites: list[str] = []
        self.requires_approval = True
        self.rollback_enabled = True
        self.rollback_on_failure = False
        self.timeout_seconds = DEFAULT_TIMEOUT_S
        self.max_targets = DEFAULT_MAX_TARGETS
        self.checks: list[str] = []
        self.controls: list[str] = []
        self.resource_types: list[str] = []

    def __repr__(self) -> str:
        return f"RemediationPlaybook({self.playbook_id!r}, actions={len(self.actions)})"

    def add_action(
        self,
        action_name: str,
        action_type: str,
        params: Mapping[str, object],
        condition: str | None = None,
    ) -> None:
        """Append a step.

        Raises:
            InputError: another step has that name.
        """
        if any(action.action_name == action_name for action in self.actions):
            raise InputError(f"playbook {self.playbook_id} has two actions named {action_name}")
        self.actions.append(PlaybookAction(action_name, action_type, dict(params), condition))

    def add_prerequisite(self, check_name: str) -> None:
        """Append a named check that must hold before anything is planned."""
        self.prerequisites.append(check_name)

    def set_approval_required(self, required: bool) -> None:  # noqa: FBT001 - the specification's signature
        """Say whether a person has to approve each execution."""
        self.requires_approval = required

    def set_rollback_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - the specification's signature
        """Say whether an execution may be put back."""
        self.rollback_enabled = enabled

    @property
    def version(self) -> str:
        """Return a digest of everything the playbook says: another text is another version."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, object]:
        """Return the playbook as its YAML file spells it."""
        return {
            "playbook_id": self.playbook_id,
            "name": self.name,
            "description": self.description,
            "finding_category": self.finding_category,
            "severity": self.severity.value,
            "requires_approval": self.requires_approval,
            "rollback_enabled": self.rollback_enabled,
            "rollback_on_failure": self.rollback_on_failure,
            "timeout_seconds": self.timeout_seconds,
            "max_targets": self.max_targets,
            "prerequisites": list(self.prerequisites),
            "checks": list(self.checks),
            "controls": list(self.controls),
            "resource_types": list(self.resource_types),
            "actions": [action.to_dict() for action in self.actions],
        }
