"""Which action answers which step of a playbook."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from audit.errors import InputError
from audit.findings import Finding
from audit.wording import nearest
from remediation.actions.aws.catalogue import aws_actions
from remediation.actions.aws.raw_call import raw_call
from remediation.actions.azure.catalogue import azure_actions
from remediation.actions.clouds import Clouds
from remediation.actions.contract import Action, Draft, Params
from remediation.actions.equipment import Equipment
from remediation.actions.gcp.catalogue import gcp_actions
from remediation.actions.handled import HandledAction, Handler
from remediation.actions.manual import ByHand
from remediation.actions.notification import Notify
from remediation.actions.script import RunScript
from remediation.plan import ActionPlan, Target
from remediation.playbook import CLOUDS, PlaybookAction
from remediation.templating import is_template

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

AnyAction = Action[Any]
_CLOUD_KEYS = {"service", "action", "params"}
BARE = Equipment()


@dataclass(frozen=True, slots=True)
class Step:
    """A playbook's step with the action that does it and its checked parameters."""

    written: PlaybookAction
    action: AnyAction
    params: Params

    def plan(self, target: Target) -> ActionPlan:
        """Read the resource and draw up the plan of this step.

        Raises:
            ActionError: the resource cannot be read, or is not what the action is for.
        """
        return self.to_plan(self.draft(target))

    def draft(self, target: Target) -> Draft:
        """Read the resource and say what would change, and what else was seen.

        Raises:
            ActionError: the resource cannot be read, or is not what the action is for.
        """
        return self.action.plan(target, self.params)

    def to_plan(self, draft: Draft) -> ActionPlan:
        """Return the part of a draft that is signed, stored and run."""
        return ActionPlan(
            action_name=self.written.action_name,
            action=f"{self.action.action_type}:{self.action.key}",
            target=draft.target,
            params=self.params.model_dump(exclude_none=True),
            before=draft.before,
            after=draft.after,
            untouched=draft.untouched,
            notes=draft.notes,
            reversible=self.action.reversible,
            idempotent=self.action.idempotent,
            effect=self.action.effect,
        )


class ActionRegistry:
    """The actions we have, the raw calls that are allowed beside them, and the handlers a program adds."""

    def __init__(self, actions: Iterable[AnyAction], raw_calls: Iterable[AnyAction] = ()) -> None:
        self._actions = {(action.action_type, action.key): action for action in actions}
        # A call that we have a planned action for is that action, even where it is allowed raw.
        self._raw_calls = {
            action.key: action for action in raw_calls if ("aws", action.key) not in self._actions
        }
        self._handlers: dict[str, Handler] = {}

    @classmethod
    def standard(cls, clouds: Clouds, equipment: Equipment = BARE) -> "ActionRegistry":
        """Return a registry of all actions that ship with the product."""
        on_clouds = [*aws_actions(clouds.aws), *gcp_actions(clouds.gcp), *azure_actions(clouds.azure)]
        others: list[AnyAction] = [
            Notify(equipment.messenger, equipment.targets),
            RunScript(equipment.scripts),
            ByHand(),
        ]
        raw_calls = [raw_call(clouds.aws, key) for key in sorted(equipment.raw_calls)]
        return cls([*on_clouds, *others], raw_calls)

    def actions(self) -> list[AnyAction]:
        """Return the actions that ship with the product."""
        return list(self._actions.values())

    def raw_calls(self) -> list[str]:
        """Return the raw calls that are allowed, as `service:action`."""
        return list(self._raw_calls)

    def action_of(self, written: PlaybookAction) -> AnyAction:
        """Return the action that does a step, whatever its parameters are.

        Raises:
            InputError: nobody does it.
        """
        return self._find(written)[0]

    def register_handler(self, action_type: str, handler: Handler) -> None:
        """Let a function of the program's own answer every step of a type."""
        self._handlers[action_type] = handler

    def check(self, written: PlaybookAction) -> None:
        """Let a step pass that somebody does, with parameters that fit as far as they do not quote a finding.

        Raises:
            InputError: nobody does it, or the parameters do not fit; the text names the step.
        """
        if written.action_type not in self._handlers:
            action, params = self._find(written)
            _check_unfilled(written.action_name, action, params)

    def resolve(self, written: PlaybookAction, finding: Finding | None = None) -> Step:
        """Find who does a step for a finding, and check its parameters.

        Raises:
            InputError: nobody does it, or the parameters do not fit; the text names the step.
        """
        if written.action_type in self._handlers:
            handled = HandledAction(written, self._handlers[written.action_type])
            return Step(written, handled, Params())
        action, params = self._find(written)
        checked = _check_params(written.action_name, action, params)
        return Step(written, action.about(finding) if finding else action, checked)

    def _find(self, written: PlaybookAction) -> tuple[AnyAction, Mapping[str, object]]:
        key, params = (
            _cloud_form(written) if written.action_type in CLOUDS else (written.action_type, written.params)
        )
        action = self._actions.get((written.action_type, key))
        if action is None and written.action_type == "aws" and key in self._raw_calls:
            return self._raw_calls[key], {"arguments": params}
        if action is None:
            raise InputError(f"action {written.action_name}: {self._unknown(written.action_type, key)}")
        return action, params

    def _unknown(self, action_type: str, key: str) -> str:
        types = {kind for kind, _ in self._actions} | self._handlers.keys()
        if action_type not in types:
            return f"no action type “{action_type}”{_meant(action_type, types)}"
        keys = {name for kind, name in self._actions if kind == action_type}
        allow = "; any other call to AWS has to be named in `raw_calls`" if action_type == "aws" else ""
        return f"no action “{key}” of type {action_type}{_meant(key, keys | set(self._raw_calls))}{allow}"


def _meant(word: str, known: Iterable[str]) -> str:
    near = nearest(word, known)
    return f"; did you mean “{near}”?" if near else ""


def _cloud_form(written: PlaybookAction) -> tuple[str, Mapping[str, object]]:
    """Read the specification's `{"service": …, "action": …, "params": …}`."""
    unknown = set(written.params) - _CLOUD_KEYS
    params = written.params.get("params", {})
    if unknown or not isinstance(params, Mapping):
        raise InputError(
            f"action {written.action_name}: an action of type {written.action_type} takes service, action and params"
        )
    return f"{written.params.get('service')}:{written.params.get('action')}", params


def _check_params(name: str, action: AnyAction, params: Mapping[str, object]) -> Params:
    try:
        return action.params_model.model_validate(dict(params))
    except ValidationError as error:
        raise _refusal(name, error.errors()[0]) from None


def _check_unfilled(name: str, action: AnyAction, params: Mapping[str, object]) -> None:
    """Check parameters whose templates are not filled in yet: what is wrong with a template is no matter."""
    try:
        action.params_model.model_validate(dict(params))
    except ValidationError as error:
        for wrong in error.errors():
            if not is_template(wrong["input"]):
                raise _refusal(name, wrong) from None


def _refusal(name: str, wrong: "ErrorDetails") -> InputError:
    place = ".".join(map(str, wrong["loc"]))
    return InputError(f"action {name}: {place}: {wrong['msg']}")
