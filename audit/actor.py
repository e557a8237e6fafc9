"""Who did it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person or a program that asks, decides or runs.

    `workspace` is Slack's team id and `slack_id` the member id there; both are empty for someone at a shell.
    `origin` says by which way they came: `slack`, `cli`, `api`, `policy` or `worker`.
    """

    workspace: str = ""
    slack_id: str = ""
    email: str = ""
    origin: str = "slack"

    @property
    def label(self) -> str:
        """Return the most telling of the names, for logs and plain text."""
        return self.email or self.slack_id or self.origin

    @property
    def is_resolved(self) -> bool:
        """Tell whether we know who this is; a gate that needs a person refuses others."""
        return bool(_folded(self.email) or (_folded(self.workspace) and _folded(self.slack_id)))

    def is_same_person(self, other: "Actor") -> bool:
        """Tell whether any identity agrees, without regard to case and to spaces around it.

        A Slack id counts as equal even where a workspace is unknown: to refuse once too often is the safe error.
        """
        return _agree(self.email, other.email) or (
            _agree(self.slack_id, other.slack_id) and not _differ(self.workspace, other.workspace)
        )

    def is_comparable(self, other: "Actor") -> bool:
        """Tell whether the two share a kind of identity, so that being different means something."""
        by_address = bool(_folded(self.email)) and bool(_folded(other.email))
        return by_address or (bool(self.slack_id) and bool(other.slack_id))

    def to_dict(self) -> dict[str, str]:
        """Return the four fields, for the trail and the tables."""
        return {
            "workspace": self.workspace,
            "slack_id": self.slack_id,
            "email": self.email,
            "origin": self.origin,
        }


def _agree(mine: str, theirs: str) -> bool:
    known = _folded(mine)
    return bool(known) and known == _folded(theirs)


def _differ(mine: str, theirs: str) -> bool:
    """Tell whether both are known, and are not the same."""
    known, other = _folded(mine), _folded(theirs)
    return bool(known and other) and known != other


def _folded(text: str) -> str:
    return text.strip().casefold()


WORKER = Actor(origin="worker")
POLICY = Actor(origin="policy")
