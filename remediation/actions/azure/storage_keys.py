"""Make one of a storage account's two access keys anew. There is no way back: the old one is gone."""

from datetime import datetime
from typing import Any, Literal

from audit.errors import Cause, PermanentActionError
from remediation.actions.azure.action import Answers, AzureAction
from remediation.actions.azure.arm_id import STORAGE_ACCOUNT, ArmId, locate, settled
from remediation.actions.azure.errors import azure_errors
from remediation.actions.contract import Draft, Params, Permissions
from remediation.plan import ABSENT, ActionPlan, State, Target

MADE_ANEW = "made anew by this fix"
_OTHER = {"key1": "key2", "key2": "key1"}


class RegenerateKeyParams(Params):
    """Which of the two keys to make anew."""

    key: Literal["key1", "key2"]


class RegenerateKey(AzureAction[RegenerateKeyParams]):
    """Make a storage account's access key anew, once, and never look at it.

    Cannot be put back: whoever still signs with the old key is refused from that moment. So clients belong on the other key first. Azure
    answers with both new keys; they are dropped unread, and whoever needs one fetches it from Azure. That it was done is read from the
    key's own creation time.

    Example:
        ```yaml
        action_name: regenerate_key
        action_type: azure
        params:
          service: storage
          action: regenerate-key
          params:
            key: key1
        ```
    """

    key = "storage:regenerate-key"
    params_model = RegenerateKeyParams
    reversible = False
    idempotent = True
    permissions = Permissions(
        plan=("Microsoft.Storage/storageAccounts/read",),
        apply=("Microsoft.Storage/storageAccounts/regenerateKey/action",),
        rollback=(),
    )

    def plan(self, target: Target, params: RegenerateKeyParams) -> Draft:
        """Read when the key was made, and whether anybody can be using it."""
        account = self._account(target)
        properties = account.read()
        name = params.key
        return Draft(
            target=settled(target, account.arm_id),
            before={name: _made(properties, name)},
            after={name: MADE_ANEW},
            untouched=(
                f"{_OTHER[name]} ({_made(properties, _OTHER[name]) or 'made at an unknown time'})",
                "Data",
                "Roles",
            ),
            notes=_advice(properties, name),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read whether the key still is the one of the plan."""
        (name,) = plan.before
        made = _made(self._account(plan.target).read(), name)
        return {name: made if made == plan.before[name] else MADE_ANEW}

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Make the key anew, unless it is no longer the one of the plan."""
        if self.observe(plan) == plan.after:
            return ()
        (name,) = plan.before
        return self._account(plan.target).regenerate(name)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Refuse: Azure keeps no old key."""
        (name,) = plan.before
        raise PermanentActionError(
            f"{name} of {plan.target.resource} cannot be put back: Azure keeps no old key",
            cause=Cause.INVALID,
        )

    def _account(self, target: Target) -> "_Account":
        arm_id = locate(target, STORAGE_ACCOUNT)
        return _Account(self.storage(arm_id), arm_id)


class _Account:
    """One storage account, by when its keys were made."""

    def __init__(self, storage: Any, arm_id: ArmId) -> None:  # noqa: ANN401 - see `AzureClients`
        self.arm_id = arm_id
        self._accounts = storage.storage_accounts
        self._where = {"resource_group_name": arm_id.group, "account_name": arm_id.name}

    def read(self) -> Any:  # noqa: ANN401 - the SDK's properties of an account; there are no keys among them
        with azure_errors(f"read the storage account {self.arm_id.name}"):
            return self._accounts.get_properties(**self._where).properties

    def regenerate(self, name: str) -> tuple[str, ...]:
        answers = Answers()
        with azure_errors(f"make {name} of the storage account {self.arm_id.name} anew"):
            # Not tried again: an answer that got lost may belong to a key that is new already.
            self._accounts.regenerate_key(
                **self._where, regenerate_key={"keyName": name}, raw_response_hook=answers, retry_total=0
            )
        return answers.written()


def _made(properties: Any, name: str) -> str | None:  # noqa: ANN401 - see `_Account.read`
    """Say when a key was made; None where Azure does not know, as of keys older than 2021."""
    times = properties.key_creation_time if properties else None
    made: datetime | None = getattr(times, name) if times else None
    return ABSENT if made is None else f"made {made.isoformat()}"


def _advice(properties: Any, name: str) -> tuple[str, ...]:  # noqa: ANN401 - see `_Account.read`
    notes = [
        f"This cannot be put back. Move every client to {_OTHER[name]} first: whoever still uses {name} is refused at once.",
        f"Signatures (SAS) made with {name} stop working. The new key is shown nowhere here; fetch it from Azure.",
    ]
    if properties and properties.allow_shared_key_access is False:
        notes.append("Shared keys are switched off for this account, so nobody can be using it today.")
    return tuple(notes)
