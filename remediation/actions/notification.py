"""Tell people: in a Slack channel, or at a target that the configuration names."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from audit.errors import Cause, PermanentActionError
from audit.wording import nearest
from remediation.actions.apprise_targets import send
from remediation.actions.contract import Action, Draft, Params, Permissions
from remediation.plan import ActionPlan, State, Target
from remediation.ports import Messenger

LONGEST_MESSAGE = 2000
Channel = Annotated[
    str, StringConstraints(pattern=r"^(#[^\s#@<>&,!|]{1,80}|[CG][A-Z0-9]{2,})$", max_length=81)
]
TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_UNSENT = "not sent"


class NotificationParams(Params):
    """Where to, and what. A Slack channel is a name with its `#` or an id; any other place is a name of the configuration."""

    type: Literal["slack", "target"] = Field(
        description="slack: a channel; target: a name of the configuration."
    )
    channel: Channel | None = None
    target: TargetName | None = None
    message: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_MESSAGE)]

    @model_validator(mode="after")
    def _check_place(self) -> "NotificationParams":
        is_slack = self.type == "slack"
        if (self.channel is not None) is not is_slack or (self.target is None) is not is_slack:
            raise ValueError(
                "type slack takes a channel, type target takes a target; neither takes the other"
            )
        return self


class Notify(Action[NotificationParams]):
    """Send a message, once.

    It writes to no resource, so there is nothing to put back, and it does not keep the playbook's other steps from being put
    back; what was sent stays sent. After a crash in the middle of sending it is not sent again.

    Example:
        ```yaml
        action_name: notify_team
        action_type: notification
        params:
          type: slack
          channel: "#security-alerts"
          message: "Public access to {{ finding.resource }} was blocked"
        ```
    """

    action_type = "notification"
    key = "notification"
    params_model = NotificationParams
    reversible = False
    idempotent = False
    verifiable = False
    effect = "message"
    done = "Sent"
    permissions = Permissions(plan=(), apply=(), rollback=())

    def __init__(self, messenger: Messenger | None, targets: Mapping[str, SecretStr]) -> None:
        self._messenger = messenger
        self._targets = targets

    def plan(self, target: Target, params: NotificationParams) -> Draft:
        """Say what would be sent where. Where there is no Slack at all it is not sent, and the plan says so."""
        setting = f"Message to {params.channel or params.target}"
        before = {setting: _UNSENT}
        if params.channel and self._messenger is None:
            note = f"No Slack is connected here, so the message to {params.channel} is not sent."
            return Draft(target=target, before=before, after=before, notes=(note,))
        if params.target:
            self._url(params.target)
        return Draft(target=target, before=before, after={setting: params.message})

    def observe(self, plan: ActionPlan) -> State:
        """Return the state before: whether a message arrived cannot be read back."""
        return plan.before

    def verify(self, plan: ActionPlan) -> None:
        """Trust whoever took the message."""

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Send it; return where it stands, where that is known."""
        params = NotificationParams.model_validate(dict(plan.params))
        if params.target:
            send(self._url(params.target), params.message, name=params.target)
            return ()
        if self._messenger is None or params.channel is None:
            raise PermanentActionError("No Slack is connected here", cause=Cause.NOT_CONFIGURED)
        return (self._messenger.post(params.channel, params.message),)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Refuse: what was sent stays sent."""
        raise PermanentActionError(f"{plan.action_name}: a message cannot be put back", cause=Cause.INVALID)

    def _url(self, name: str) -> SecretStr:
        if url := self._targets.get(name):
            return url
        near = nearest(name, self._targets)
        hint = f"; did you mean “{near}”?" if near else ""
        raise PermanentActionError(
            f"`notifications` names no target “{name}”{hint}", cause=Cause.NOT_CONFIGURED
        )
