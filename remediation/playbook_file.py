"""Playbooks as files: what a YAML file may say, and what is said about one that is wrong."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from audit.errors import InputError
from audit.strict_yaml import load_yaml
from remediation.playbook import DEFAULT_MAX_TARGETS, DEFAULT_TIMEOUT_S, RemediationPlaybook

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
MOST_TIMEOUT_S = 3600
MOST_TARGETS = 1000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ActionEntry(_Strict):
    """One step."""

    action_name: Word
    action_type: Word
    params: dict[str, object] = Field(default_factory=dict)
    condition: str | None = None


class PlaybookEntry(_Strict):
    """The whole file."""

    playbook_id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{1,63}$")]
    name: Word
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    finding_category: Word
    severity: Word
    requires_approval: bool = True
    rollback_enabled: bool = True
    rollback_on_failure: bool = False
    timeout_seconds: int = Field(default=DEFAULT_TIMEOUT_S, gt=0, le=MOST_TIMEOUT_S)
    max_targets: int = Field(
        default=DEFAULT_MAX_TARGETS,
        gt=0,
        le=MOST_TARGETS,
        description="The most resources that one plan may write to.",
    )
    prerequisites: list[Word] = Field(default_factory=list)
    checks: list[Word] = Field(default_factory=list)
    controls: list[Annotated[str, StringConstraints(pattern=r"^[^:]+:[^:]+$")]] = Field(default_factory=list)
    resource_types: list[Word] = Field(default_factory=list)
    actions: list[ActionEntry] = Field(min_length=1)

    def build(self) -> RemediationPlaybook:
        """Return the same playbook that Python code would have built."""
        book = RemediationPlaybook(
            self.playbook_id, self.name, self.description, self.finding_category, self.severity
        )
        book.requires_approval = self.requires_approval
        book.rollback_enabled = self.rollback_enabled
        book.rollback_on_failure = self.rollback_on_failure
        book.timeout_seconds = self.timeout_seconds
        book.max_targets = self.max_targets
        book.prerequisites = list(self.prerequisites)
        book.checks = list(self.checks)
        book.controls = list(self.controls)
        book.resource_types = list(self.resource_types)
        for action in self.actions:
            book.add_action(action.action_name, action.action_type, action.params, action.condition)
        return book


def read_playbook(text: str, *, name: str) -> RemediationPlaybook:
    """Read a playbook file.

    Args:
        text: the YAML.
        name: the file's name, for errors.

    Raises:
        InputError: names the file, the key and what is wrong with it.
    """
    return playbook_from_dict(load_yaml(text, name=name), name=name)


def playbook_from_dict(entries: object, *, name: str) -> RemediationPlaybook:
    """Build a playbook from what `RemediationPlaybook.to_dict` gives or a YAML file holds.

    Raises:
        InputError: names the key and what is wrong with it.
    """
    try:
        return PlaybookEntry.model_validate(entries).build()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{name}: {place}: {first['msg']}") from None
