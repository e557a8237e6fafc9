"""Run an executable of the one folder that the configuration names."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from audit.canonical import canonical_bytes
from audit.errors import Cause, PermanentActionError
from audit.findings import Finding
from remediation.actions.contract import Action, Draft, Params, Permissions
from remediation.actions.script_folder import ScriptFolder
from remediation.actions.script_process import RunAs, run_script
from remediation.plan import ActionPlan, State, Target

MOST_TIMEOUT_S = 900


class ScriptParams(Params):
    """Which script, by its name in the folder, and how long it may take."""

    script: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
    timeout_seconds: int = Field(default=60, gt=0, le=MOST_TIMEOUT_S)


class RunScript(Action[ScriptParams]):
    """Run a script with the finding as JSON on its standard input.

    Off unless the configuration names a folder. The plan shows the file's SHA-256, so an approval is for this very content. There is
    no shell, and nothing of the bot's environment. Nobody can tell what it does: it counts as irreversible.

    Example:
        ```yaml
        action_name: close_ticket
        action_type: script
        params:
          script: close-ticket.sh
          timeout_seconds: 30
        ```
    """

    action_type = "script"
    key = "script"
    params_model = ScriptParams
    reversible = False
    idempotent = False
    verifiable = False
    done = "Ended with status 0; what it did only the script can tell"
    permissions = Permissions(plan=(), apply=(), rollback=())

    def __init__(self, scripts: ScriptFolder | None, finding: Finding | None = None) -> None:
        self._scripts = scripts
        self._finding = finding

    def about(self, finding: Finding) -> Self:
        """Return this action with the finding that the script is told."""
        return type(self)(self._scripts, finding)

    def plan(self, target: Target, params: ScriptParams) -> Draft:
        """Say which content would run as which user; warn where that is the bot's own."""
        scripts = self._on()
        after = self._after(params)
        return Draft(
            target=target, before=dict.fromkeys(after, "not run"), after=after, notes=_warnings(scripts)
        )

    def observe(self, plan: ActionPlan) -> State:
        """Return the state before while the file is the one that was planned; else what the file is now."""
        now = self._after(ScriptParams.model_validate(dict(plan.params)))
        return plan.before if now == plan.after else now

    def verify(self, plan: ActionPlan) -> None:
        """Trust the script's own status; there is nothing to read."""

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Run the content that was planned, and no other."""
        scripts, params = self._on(), ScriptParams.model_validate(dict(plan.params))
        script = scripts.read(params.script)
        if _after(script.sha256, scripts, params) != plan.after:
            raise PermanentActionError(
                f"The script “{script.name}” was changed meanwhile", cause=Cause.CHANGED_MEANWHILE
            )
        if self._finding is None:
            raise PermanentActionError("There is no finding to tell the script", cause=Cause.INVALID)
        told = canonical_bytes(self._finding.to_record())
        run_script(script, told, timeout_s=params.timeout_seconds, run_as=_run_as(scripts))
        return ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Refuse: what a script did is not ours to undo."""
        raise PermanentActionError(f"{plan.action_name} cannot be put back", cause=Cause.INVALID)

    def _on(self) -> ScriptFolder:
        if self._scripts is None:
            raise PermanentActionError(
                "Scripts are off: `scripts.folder` is not set", cause=Cause.NOT_CONFIGURED
            )
        return self._scripts

    def _after(self, params: ScriptParams) -> State:
        scripts = self._on()
        return _after(scripts.read(params.script).sha256, scripts, params)


def _after(sha256: str, scripts: ScriptFolder, params: ScriptParams) -> State:
    user = scripts.user if scripts.may_switch else "the bot's own user"
    return {f"Script {params.script}": f"run as {user}, SHA-256 {sha256}"}


def _warnings(scripts: ScriptFolder) -> tuple[str, ...]:
    """Warn where a script has all the bot's own rights, its cloud credentials included."""
    if not scripts.user:
        return ("The script runs as the bot's own user, with all the bot may do: `scripts.user` is not set.",)
    scripts.account()
    if scripts.may_switch:
        return ()
    warning = (
        f"The script runs with all the bot may do: the bot cannot switch to {scripts.user}, "
        "which takes a bot that runs as root and a user that is not."
    )
    return (warning,)


def _run_as(scripts: ScriptFolder) -> RunAs | None:
    if not scripts.may_switch:
        return None
    account = scripts.account()
    return RunAs(account.pw_uid, account.pw_gid)
