"""Steps that no API offers: a person does them, and what Countersign keeps is the evidence that somebody signed."""

from typing import Annotated

from pydantic import Field, StringConstraints

from audit.errors import Cause, PermanentActionError
from remediation.actions.contract import Action, Draft, Params, Permissions
from remediation.plan import ActionPlan, State, Target

MOST_STEPS = 20
NOTHING_CHANGED = "Countersign changes nothing here: a person does the steps by hand. An approval records who signed them, and when."
Instruction = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class ManualParams(Params):
    """The exact steps, in their order, one action of a person each."""

    steps: list[Instruction] = Field(min_length=1, max_length=MOST_STEPS)


class ByHand(Action[ManualParams]):
    """Show a person what to do by hand, and record who signed it.

    Nothing is written to any cloud, so there is nothing to verify and nothing to put back.

    Example:
        ```yaml
        action_name: enforce_two_step
        action_type: manual
        params:
          steps:
            - "Sign in to the Admin console as a super administrator."
            - "Open Security, then 2-Step Verification, and turn on enforcement for everybody."
        ```
    """

    action_type = "manual"
    key = "manual"
    params_model = ManualParams
    reversible = False
    idempotent = True
    verifiable = False
    effect = "manual"
    done = "Signed; Countersign changed nothing"
    permissions = Permissions(plan=(), apply=(), rollback=())

    def plan(self, target: Target, params: ManualParams) -> Draft:
        """Show the steps, word by word."""
        steps = {f"By hand, step {number}": text for number, text in enumerate(params.steps, start=1)}
        return Draft(
            target=target,
            before=dict.fromkeys(steps, "not signed"),
            after=dict(steps),
            notes=(NOTHING_CHANGED,),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Return the state before: what a person did is not ours to see."""
        return plan.before

    def verify(self, plan: ActionPlan) -> None:
        """Let it pass: there is nothing to read."""

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:  # noqa: ARG002 - the contract's signature
        """Do nothing: the signature is all there is, and it is recorded already."""
        return ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Refuse: what people did by hand is theirs to undo."""
        raise PermanentActionError(f"{plan.action_name} was done by hand", cause=Cause.INVALID)
