"""What every action promises: it can say exactly what it would do, do it, prove it, and put it back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from audit.errors import Cause, PermanentActionError
from audit.findings import Finding
from remediation.plan import ActionPlan, Effect, State, Target, changes_between


class Params(BaseModel):
    """Base of an action's parameters: what is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


P = TypeVar("P", bound=Params)
Phase = Literal["plan", "apply", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """The cloud permissions an action needs, by phase, so that a bot can run with the right to plan only."""

    plan: tuple[str, ...]
    apply: tuple[str, ...]
    rollback: tuple[str, ...]

    def of(self, phase: Phase) -> tuple[str, ...]:
        """Return what a phase needs; those that write read as well."""
        writing = {"plan": (), "apply": self.apply, "rollback": self.rollback}[phase]
        return tuple(dict.fromkeys((*self.plan, *writing)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What planning found: the state now, the state meant, what stays, what to look out for.

    `tags` are the resource's own, None where they were not or could not be read: then it counts as protected wherever the
    configuration protects by tag.
    """

    target: Target
    before: State
    after: State
    tags: Mapping[str, str] | None = None
    untouched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HalfWay:
    """A state that only an action's own writes leave, between two of them: whoever reads it knows that nobody else made it.

    `why_not` says why the rest cannot be done from here, so that it can only be put back; empty where it can.
    """

    state: State
    why_not: str = ""


class Action(ABC, Generic[P]):
    """One thing we can do to one kind of resource.

    `plan` and `observe` only read. `apply` and `rollback` write, and are called only after the intent and the
    state before are committed. Every failure leaves as an `ActionError`. What is not `verifiable` cannot be read back:
    its own word is all there is. What has another `effect` than a change writes to no resource; it is irreversible, and
    does not stand in the way of putting back the rest. `done` is what a run says of it when it went well.
    """

    action_type: ClassVar[str]
    key: ClassVar[str]
    params_model: ClassVar[type[Params]]
    permissions: ClassVar[Permissions]
    reversible: ClassVar[bool]
    idempotent: ClassVar[bool]
    verifiable: ClassVar[bool] = True
    effect: ClassVar[Effect] = "change"
    done: ClassVar[str] = "Done and verified"

    def about(self, finding: Finding) -> Self:  # noqa: ARG002 - for those that need more than the target
        """Return this action as it is used for a finding."""
        return self

    @abstractmethod
    def plan(self, target: Target, params: P) -> Draft:
        """Read the resource and say what would change.

        Raises:
            ActionError: it cannot be read, or is not what the action is for.
        """

    @abstractmethod
    def observe(self, plan: ActionPlan) -> State:
        """Read the settings the plan is about, as they are now.

        Raises:
            ActionError: they cannot be read.
        """

    @abstractmethod
    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Bring the resource to `plan.after`; return the cloud's request ids.

        Raises:
            ActionError: the cloud said no, or did not answer. It may have taken effect all the same.
        """

    @abstractmethod
    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Bring the resource back to `plan.before`; return the cloud's request ids.

        Raises:
            ActionError: the cloud said no, or did not answer. It may have taken effect all the same.
        """

    def half_ways(self, plan: ActionPlan) -> tuple[HalfWay, ...]:  # noqa: ARG002 - one write leaves none
        """Return the states between two writes of `apply` that prove to be ours. What a person may have made is none of them.

        `apply` goes on from each that has no `why_not`, and `rollback` brings back each.
        """
        return ()

    def half_ways_back(self, plan: ActionPlan) -> tuple[State, ...]:  # noqa: ARG002 - as above
        """Return the states between two writes of `rollback` that prove to be ours; `rollback` goes on from each."""
        return ()

    def verify(self, plan: ActionPlan) -> None:
        """Read the resource again and compare it with what was promised.

        Raises:
            ActionError: it cannot be read, or does not look as planned.
        """
        require_state(self.observe(plan), plan.after, resource=plan.target.resource)

    def verify_rollback(self, plan: ActionPlan) -> None:
        """Read the resource again and compare it with what it was before.

        Raises:
            ActionError: it cannot be read, or does not look as before.
        """
        require_state(self.observe(plan), plan.before, resource=plan.target.resource)


def require_state(actual: State, expected: State, *, resource: str) -> None:
    """Let equal states pass.

    Raises:
        PermanentActionError: they differ; names each setting.
    """
    differences = [
        f"{change.setting} is {show_value(change.after)}, not {show_value(change.before)}"
        for change in changes_between(expected, actual)
    ]
    if differences:
        raise PermanentActionError(f"{resource}: {'; '.join(differences)}", cause=Cause.NOT_VERIFIED)


def show_value(value: object) -> str:
    """Write a setting's value for people: `on`, `off`, `not set`, or the value itself."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
