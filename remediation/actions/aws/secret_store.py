"""A secret of Secrets Manager as a place to keep an access key: everything but the value, which is never read.

Which version belongs to which key can be told from outside: the version's id is derived from the key's id. So another
process finds out what was done without any memory of it.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.ours import TAGS, is_ours

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
# Marks a version that is stored and not proven yet, so that readers do not get it.
UNPROVEN = "COUNTERSIGN-UNPROVEN"
NO_VALUE = "no value"
_NAMESPACE = uuid.UUID("6f0b8a8e-4d0c-5c7e-9a53-2f6f8b1d9c11")
_NOT_FOUND = "ResourceNotFoundException"
_THERE = "ResourceExistsException"
_MOVED = "InvalidParameterException"


def version_of(key_id: str) -> str:
    """Return the id of the version that holds an access key: also the token that makes storing it idempotent."""
    return str(uuid.uuid5(_NAMESPACE, key_id))


class SecretStore:
    """One secret, by name."""

    def __init__(self, secretsmanager: Any, name: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self.name = name
        self._api = secretsmanager
        self._where = {"SecretId": name}

    def stages(self) -> Mapping[str, str] | None:
        """Return the version that each staging label is on; None where there is no such secret.

        Raises:
            ActionError: it cannot be read.
        """
        described = self._describe()
        if described is None or "DeletedDate" in described:
            return None
        versions: Mapping[str, list[str]] = described.get("VersionIdsToStages") or {}
        return {label: version for version, labels in versions.items() for label in labels}

    def refuse_unfit(self) -> None:
        """Refuse a secret that could not be put back.

        Raises:
            PermanentActionError: it is being deleted, is a replica, or holds no value that could be current again.
        """
        described = self._describe()
        if described is None:
            return
        why = ""
        if "DeletedDate" in described:
            why = "is being deleted: restore it, or name another"
        elif described.get("RotationEnabled"):
            why = "rotates by itself: two rotations would fight over it"
        elif CURRENT not in (self.stages() or {}):
            why = "has no current value, and could not be emptied again: give it one, delete it, or name another"
        if why:
            raise PermanentActionError(f"The secret {self.name} {why}", cause=Cause.INVALID)

    def create(self) -> None:
        """Create it without a value, with our mark; one that has it is the one that an answer was lost of."""
        try:
            with aws_errors(f"create the secret {self.name}"):
                about = "An access key, stored when it was rotated"
                self._api.create_secret(Name=self.name, Description=about, Tags=[dict(tag) for tag in TAGS])
        except ActionError as error:
            if not _is(error, _THERE) or not self._is_ours():
                raise

    def make_current(self, version: str) -> str:
        """Hand a version to readers."""
        stages = self.stages() or {}
        done = self._move(CURRENT, stages, to=version) if stages.get(CURRENT) != version else ""
        if stages.get(UNPROVEN) == version:
            self._move(UNPROVEN, stages, to=None)
        return done

    def hand_back(self, current: str) -> str:
        """Hand readers the version they had. The other one keeps a label: moving AWSCURRENT moves AWSPREVIOUS onto it."""
        stages = self.stages() or {}
        return self._move(CURRENT, stages, to=current) if stages.get(CURRENT) != current else ""

    def restore_previous(self, previous: str | None) -> None:
        """Bring the other labels back to where they were: from here on nothing shows which version was ours."""
        stages = self.stages() or {}
        if stages.get(PREVIOUS) != previous:
            self._move(PREVIOUS, stages, to=previous)
        self.forget_unproven()

    def forget_unproven(self) -> None:
        """Take our label off whatever it is on; without a label, Secrets Manager lets go of a version in time."""
        stages = self.stages() or {}
        if UNPROVEN in stages:
            self._move(UNPROVEN, stages, to=None)

    def delete_if_ours(self) -> str:
        """Delete the secret for good, if it carries our mark: what it holds is a key that no longer exists.

        Raises:
            PermanentActionError: it is somebody else's.
            ActionError: it cannot be read or deleted.
        """
        described = self._describe()
        if described is None or "DeletedDate" in described:
            return ""
        if not is_ours(described.get("Tags", ())):
            raise PermanentActionError(
                f"The secret {self.name} is not the one that was created here: it lacks our tag",
                cause=Cause.CHANGED_MEANWHILE,
            )
        with aws_errors(f"delete the secret {self.name}"):
            return request_id(self._api.delete_secret(**self._where, ForceDeleteWithoutRecovery=True))

    def _move(self, label: str, stages: Mapping[str, str], *, to: str | None) -> str:
        """Move a label. It names where it comes from, so that a second time is refused: it is there then, and that is fine."""
        away = {"RemoveFromVersionId": stages[label]} if label in stages else {}
        towards = {"MoveToVersionId": to} if to else {}
        try:
            with aws_errors(f"move {label} of the secret {self.name}"):
                return request_id(
                    self._api.update_secret_version_stage(
                        **self._where, VersionStage=label, **away, **towards
                    )
                )
        except ActionError as error:
            if not _is(error, _MOVED) or (self.stages() or {}).get(label) != to:
                raise
            return ""

    def _is_ours(self) -> bool:
        return is_ours((self._describe() or {}).get("Tags", ()))

    def _describe(self) -> Mapping[str, Any] | None:
        with aws_errors(f"read about the secret {self.name}"):
            try:
                described: Mapping[str, Any] = self._api.describe_secret(**self._where)
            except self._api.exceptions.ClientError as error:
                if error_code(error) != _NOT_FOUND:
                    raise
                return None
        return described


def _is(error: ActionError, code: str) -> bool:
    return isinstance(error.__cause__, Exception) and error_code(error.__cause__) == code
