"""Steps done by functions that a program registered."""

from collections.abc import Callable

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.contract import Action, Draft, Params, Permissions
from remediation.execution import ActionResult
from remediation.plan import ActionPlan, State, Target
from remediation.playbook import PlaybookAction
from remediation.states import ActionStatus

Handler = Callable[[PlaybookAction, bool], ActionResult]
"""Is given the step, and whether it is only to say what it would do."""


class HandledAction(Action[Params]):
    """A step done by a function that a program registered.

    We cannot see what it does: its plan is what it says with `dry_run=True`, it counts as irreversible, and
    after a crash it is never done again by itself.
    """

    action_type = "handler"
    key = "handler"
    params_model = Params
    reversible = False
    idempotent = False
    verifiable = False
    done = "Done; only the handler itself can tell"
    permissions = Permissions(plan=(), apply=(), rollback=())

    def __init__(self, written: PlaybookAction, handler: Handler) -> None:
        self._written = written
        self._handler = handler

    def plan(self, target: Target, params: Params) -> Draft:  # noqa: ARG002 - the contract's signature
        """Ask the handler what it would do."""
        said = self._call(dry_run=True).message
        return Draft(
            target=target,
            before={self._written.action_name: "not run"},
            after={self._written.action_name: said or "run"},
        )

    def observe(self, plan: ActionPlan) -> State:
        """Return the state before: from outside, nothing else can be known."""
        return plan.before

    def verify(self, plan: ActionPlan) -> None:
        """Trust the handler's own result; there is nothing to read."""

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:  # noqa: ARG002 - the contract's signature
        """Let the handler do it."""
        return self._call(dry_run=False).request_ids

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Refuse: what a handler did is not ours to undo."""
        raise PermanentActionError(f"{plan.action_name} cannot be put back", cause=Cause.INVALID)

    def _call(self, *, dry_run: bool) -> ActionResult:
        try:
            result = self._handler(self._written, dry_run)
        except ActionError:
            raise
        except Exception as error:  # a stranger's code: whatever it raises is this step's failure
            raise self._failed(f"{type(error).__name__}: {error}") from error
        if result.status is ActionStatus.FAILED:
            raise self._failed(result.error or result.message)
        return result

    def _failed(self, why: str) -> PermanentActionError:
        return PermanentActionError(f"{self._written.action_name}: {why}", cause=Cause.INVALID)
