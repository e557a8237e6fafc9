"""Stop anonymous reads of blobs, for a whole storage account or one container, and put the level back as it was."""

from collections.abc import Iterator
from typing import Any, ClassVar

from audit.errors import ActionError
from remediation.actions.azure.action import Answers, AzureAction
from remediation.actions.azure.arm_id import BLOB_CONTAINER, STORAGE_ACCOUNT, ArmId, locate, settled
from remediation.actions.azure.errors import azure_errors
from remediation.actions.contract import Draft, Params, Permissions
from remediation.plan import ActionPlan, State, Target

ACCOUNT_SWITCH = "allow_blob_public_access"
CONTAINER_LEVEL = "public_access"
NOBODY = "None"  # Azure's own word for a container that is not public
_MOST_NAMED = 20


class RestrictBlobAccessParams(Params):
    """Nothing to choose: what the finding names, an account or a container, is what is closed."""


class RestrictBlobAccess(AzureAction[RestrictBlobAccessParams]):
    """Switch off anonymous access to a storage account, or take one container's public level away.

    On an account only its switch is written. The levels of its containers stay as they are, without effect while
    the switch is off; so switching it on again restores exactly what was public. On a container only its own level is written,
    and its stored access policies are not touched, which the data plane's call for the same would wipe out.

    An account that never said counts as on, as Azure has it for accounts made before the switch was there; a rollback then says so
    in words.

    Example:
        ```yaml
        action_name: restrict_blob_access
        action_type: azure
        params:
          service: storage
          action: restrict-blob-access
        ```
    """

    key = "storage:restrict-blob-access"
    params_model = RestrictBlobAccessParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "Microsoft.Storage/storageAccounts/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
        ),
        apply=(
            "Microsoft.Storage/storageAccounts/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        ),
        rollback=(
            "Microsoft.Storage/storageAccounts/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
        ),
    )

    def plan(self, target: Target, params: RestrictBlobAccessParams) -> Draft:  # noqa: ARG002 - there are none
        """Read the level, and what else decides about it."""
        found = self._open(target)
        return Draft(
            target=settled(target, found.arm_id),
            before=found.read(),
            after=found.closed,
            untouched=found.describe_untouched(),
            notes=found.describe_visitors(),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the level as it is now."""
        return self._open(plan.target).read()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Close it."""
        return self._open(plan.target).write(plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Set the level that was captured."""
        return self._open(plan.target).write(plan.before)

    def _open(self, target: Target) -> "_Account | _Container":
        arm_id = locate(target, STORAGE_ACCOUNT, BLOB_CONTAINER)
        kind = _Account if arm_id.kind == STORAGE_ACCOUNT else _Container
        return kind(self.storage(arm_id), arm_id)


class _Account:
    """One storage account, by its switch."""

    closed: ClassVar[State] = {ACCOUNT_SWITCH: False}

    def __init__(self, storage: Any, arm_id: ArmId) -> None:  # noqa: ANN401 - see `AzureClients`
        self.arm_id = arm_id
        self._storage = storage
        self._where = {"resource_group_name": arm_id.group, "account_name": arm_id.name}

    def read(self) -> State:
        return {ACCOUNT_SWITCH: self._switch() is not False}

    def write(self, state: State) -> tuple[str, ...]:
        answers = Answers()
        body = {"properties": {"allowBlobPublicAccess": bool(state[ACCOUNT_SWITCH])}}
        with azure_errors(f"write the blob access of the storage account {self.arm_id.name}"):
            self._storage.storage_accounts.update(**self._where, parameters=body, raw_response_hook=answers)
        return answers.written()

    def describe_untouched(self) -> tuple[str, ...]:
        """Say which level each public container keeps."""
        try:
            public = list(self._public_containers())
        except ActionError:
            return ("The containers' own levels (could not be read)", "Blobs")
        levels = [f"Container {name} (level {level})" for name, level in public[:_MOST_NAMED]]
        more = len(public) - len(levels)
        rest = [f"{more} more public containers"] if more else []
        return (
            *levels,
            *rest,
            "All other containers (not public)" if public else "Containers (none is public)",
            "Blobs",
        )

    def describe_visitors(self) -> tuple[str, ...]:
        said = self._switch()
        if said is None:
            return ("The account never said; Azure takes that as on. A rollback writes it as on.",)
        return ("Anonymous readers of its public containers will be refused.",) if said else ()

    def _switch(self) -> bool | None:
        with azure_errors(f"read the storage account {self.arm_id.name}"):
            account = self._storage.storage_accounts.get_properties(**self._where)
            said: bool | None = account.properties.allow_blob_public_access if account.properties else None
        return said

    def _public_containers(self) -> Iterator[tuple[str, str]]:
        with azure_errors(f"list the containers of {self.arm_id.name}"):
            for container in self._storage.blob_containers.list(**self._where):
                level = _word(container.properties.public_access if container.properties else None)
                if level != NOBODY:
                    yield str(container.name), level


class _Container:
    """One container, by its public level."""

    closed: ClassVar[State] = {CONTAINER_LEVEL: NOBODY}

    def __init__(self, storage: Any, arm_id: ArmId) -> None:  # noqa: ANN401 - see `AzureClients`
        self.arm_id = arm_id
        self._account = _Account(storage, _account_of(arm_id))
        self._storage = storage
        self._where = {
            "resource_group_name": arm_id.group,
            "account_name": arm_id.names[0],
            "container_name": arm_id.name,
        }

    def read(self) -> State:
        with azure_errors(f"read the container {self.arm_id.name} of {self.arm_id.names[0]}"):
            container = self._storage.blob_containers.get(**self._where)
        properties = container.container_properties
        return {CONTAINER_LEVEL: _word(properties.public_access if properties else None)}

    def write(self, state: State) -> tuple[str, ...]:
        answers = Answers()
        body = {"properties": {"publicAccess": state[CONTAINER_LEVEL]}}
        with azure_errors(f"write the level of the container {self.arm_id.name} of {self.arm_id.names[0]}"):
            self._storage.blob_containers.update(
                **self._where, blob_container=body, raw_response_hook=answers
            )
        return answers.written()

    def describe_untouched(self) -> tuple[str, ...]:
        return ("Stored access policies", "Blobs", "The account's other containers", self._describe_switch())

    def describe_visitors(self) -> tuple[str, ...]:
        return ("Anonymous readers of this container will be refused.",)

    def _describe_switch(self) -> str:
        try:
            is_on = self._account.read()[ACCOUNT_SWITCH]
        except ActionError:
            return "The account's own switch (could not be read)"
        return f"The account's own switch ({'on' if is_on else 'off: nothing in it is public today'})"


def _account_of(container: ArmId) -> ArmId:
    return ArmId(
        subscription=container.subscription,
        group=container.group,
        kind=STORAGE_ACCOUNT,
        names=container.names[:1],
    )


def _word(level: Any) -> str:  # noqa: ANN401 - the SDK's enumeration, or a text it does not know yet
    """Return a level as Azure spells it: `None`, `Blob` or `Container`."""
    return NOBODY if level is None else str(getattr(level, "value", level))
