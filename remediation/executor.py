"""The specification's `PlaybookExecutor`: the same use cases, run to their end before the call returns."""

from collections.abc import Mapping

from audit.actor import Actor
from audit.errors import CountersignError, RefusedError
from audit.findings import Finding
from remediation.actions.clouds import Clouds
from remediation.actions.equipment import Equipment
from remediation.actions.handled import Handler
from remediation.actions.registry import ActionRegistry
from remediation.execution import PlaybookExecution
from remediation.heartbeat import Heartbeat, new_owner
from remediation.journal import Journal
from remediation.memory import MemoryExecutions
from remediation.planning import Planner
from remediation.playbook import RemediationPlaybook
from remediation.policy import EXECUTOR_DEFAULT, Policy
from remediation.ports import ExecutionStore, Person
from remediation.rollbacks import Rollbacks
from remediation.runner import Runner
from remediation.service import Remediation
from remediation.states import PlaybookStatus


class CallerDirectory:
    """Believes what the calling program says about people: it has its own door."""

    def look_up(self, actor: Actor, *, groups: frozenset[str]) -> Person:  # noqa: ARG002 - the port's signature
        """Return the person as named, in none of the groups."""
        return Person(actor=actor)


class PlaybookExecutor:
    """Plans, runs and puts back playbooks from a program, with a second person's approval.

    On a store that others use too, as a bot does, each of these is somebody of its own, and is heard of while it runs something.

    Args:
        cloud_clients: SDK clients to use instead of our own, by service: `{"s3": boto3.client("s3")}`.
        store: where executions are kept; without one, in memory.
        policy: the rules; without one, anyone but the initiator may approve.
        equipment: what notifications, scripts and raw calls work with; without it messages to Slack are not sent, as the plan
            says, and the others are refused.
    """

    def __init__(
        self,
        cloud_clients: Mapping[str, object] | None = None,
        *,
        store: ExecutionStore | None = None,
        policy: Policy | None = None,
        equipment: Equipment | None = None,
    ) -> None:
        self._store = store or MemoryExecutions()
        self._registry = ActionRegistry.standard(Clouds.with_clients(cloud_clients), equipment or Equipment())
        planner = Planner(self._registry, policy or EXECUTOR_DEFAULT)
        self._planner = planner
        self._remediation = Remediation(store=self._store, planner=planner, directory=CallerDirectory())
        self._heart = Heartbeat(store=self._store, owner=new_owner("executor"))
        self._runner = Runner(journal=Journal(store=self._store, owner=self._heart.owner), planner=planner)
        self._rollbacks = Rollbacks(self._remediation, self._runner)

    def validate_playbook(self, playbook: RemediationPlaybook) -> bool:
        """Tell whether every step is one we can do, with parameters that fit. Reads no cloud."""
        try:
            self._planner.check(playbook)
        except CountersignError:
            return False
        return True

    def execute_playbook(
        self,
        playbook: RemediationPlaybook,
        finding_data: Finding | Mapping[str, object],
        initiated_by: str,
        execution_id: str | None = None,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> PlaybookExecution:
        """Plan a fix, and run it where the playbook needs no approval.

        With `dry_run` nothing is changed and messages begin with `[DRY RUN]`: `COMPLETED` where no approval is
        needed, else `PENDING` with its plan. A repeated id returns the stored execution.

        Raises:
            InputError: the playbook or the finding cannot be used.
            RefusedError: the policy refuses.
        """
        finding = finding_data if isinstance(finding_data, Finding) else Finding.from_dict(finding_data)
        execution = self._remediation.request(
            playbook, finding, person_named(initiated_by), execution_id=execution_id, dry_run=dry_run
        )
        waits = execution.status is PlaybookStatus.PENDING
        if not waits or execution.dry_run or execution.playbook["requires_approval"]:
            return execution
        with self._heart.beating():
            self._remediation.approve_by_policy(execution)
            return self._runner.run(execution.execution_id)

    def approve_execution(
        self,
        execution_id: str,
        approver: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - the specification's signature
        *,
        reason: str = "",
    ) -> bool:
        """Sign the plan as it is, and run it once enough people have signed.

        With `dry_run` the plan is made again and nothing is decided; the answer says whether it still is the one shown.

        Returns:
            Whether the signature counted and was not voided by a change of the resource.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, or not now.
            ActionError: a rehearsal could not read the resource.
        """
        if dry_run:
            return self._rehearse(execution_id)
        with self._heart.beating():
            signed = self._remediation.approve(execution_id, person_named(approver), reason=reason)
            ran = self._runner.run(execution_id)
        return ran.revision == signed.revision

    def _rehearse(self, execution_id: str) -> bool:
        execution = self._store.get(execution_id)
        plan, _ = self._planner.redraw(execution.playbook, execution.finding)
        return execution.plan is not None and plan.digest == execution.plan.digest

    def reject_execution(self, execution_id: str, rejector: str, reason: str) -> bool:
        """Say no, with a reason.

        Raises:
            NotFoundError: there is no such execution.
            InputError: there is no reason.
            RefusedError: this person may not, or not now.
        """
        self._remediation.reject(execution_id, person_named(rejector), reason=reason)
        return True

    def rollback_execution(self, execution_id: str, *, requester: str = "") -> bool:
        """Put back what an execution wrote, last action first, or ask for it where the policy wants several signatures.

        With `rollback_approvals` above 1 nothing is written yet: the rollback waits, its `rollback` in `get_execution` shows each setting
        in its three states, and `approve_rollback` adds a signature. A `requester` is the first of them and has to be one who may
        approve; without one, nobody has signed yet. Called again while one waits, it changes nothing.

        Returns:
            Whether everything is as it was before.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: there is nothing to put back, somebody changed the resource since, or the requester may not.
            ActionError: the resource cannot be read; nothing was written.
        """
        with self._heart.beating():
            if requester:
                rolled = self._rollbacks.ask(execution_id, person_named(requester))
            else:
                rolled = self._rollbacks.request(execution_id, Actor(origin="api"))
        return rolled.status is PlaybookStatus.ROLLED_BACK

    def approve_rollback(self, execution_id: str, approver: str) -> bool:
        """Sign the rollback that waits, and run it once enough people have signed.

        What is signed is the state that was read when it was asked for: where the resource or the rules have changed since, every
        signature is void and it has to be asked for anew.

        Returns:
            Whether everything is as it was before; False while more signatures are needed.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: none waits, its time is over, this person may not or has signed, or something changed since.
            ActionError: the resource cannot be read; nothing was written.
        """
        with self._heart.beating():
            signed = self._rollbacks.sign(execution_id, person_named(approver))
        return signed.status is PlaybookStatus.ROLLED_BACK

    def reject_rollback(self, execution_id: str, rejector: str) -> bool:
        """Say no to the rollback that waits: nothing is put back, and its signatures are void.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: none waits, or this person may not.
        """
        self._rollbacks.refuse(execution_id, person_named(rejector))
        return True

    def get_execution(self, execution_id: str) -> PlaybookExecution:
        """Return an execution as it stands.

        Raises:
            NotFoundError: there is no such execution.
        """
        return self._store.get(execution_id)

    def get_execution_history(
        self, playbook_id: str | None = None, finding_id: str | None = None, limit: int = 10
    ) -> list[PlaybookExecution]:
        """Return executions, newest first."""
        return self._store.history(playbook_id=playbook_id, finding_id=finding_id, limit=limit)

    def register_handler(self, action_type: str, handler: Handler) -> None:
        """Let a function answer every step of a type: `handler(action, dry_run) -> ActionResult`."""
        self._registry.register_handler(action_type, handler)


def person_named(name: str) -> Actor:
    """Return the actor a program names by email address or login.

    Raises:
        RefusedError: the name is empty, so nobody could tell requester and approver apart.
    """
    if not name.strip():
        raise RefusedError("Whoever asks or decides needs a name.")
    return Actor(email=name.strip(), origin="api")
