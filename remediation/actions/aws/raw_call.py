"""A call to AWS that we have no planned action for, where the configuration allows that very call.

AWS's own description of the service, which comes with the SDK, says whether there is such a call and whether its parameters fit. It
says nothing of what the call does: nothing is read, nothing can be verified or put back, and the plan says so.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from pydantic import field_validator

from audit.canonical import canonical_bytes
from audit.errors import Cause, InputError, PermanentActionError, TemporaryActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.clients import AwsClients
from remediation.actions.aws.descriptions import check_arguments, operation, secret_places
from remediation.actions.aws.errors import aws_errors, request_id
from remediation.actions.contract import Draft, Params, Permissions
from remediation.plan import ActionPlan, State, Target

# Where AWS has one endpoint for all regions, scanners name no region, or `global`.
_NO_REGION = {"", "global", "aws-global"}
_WORLDWIDE = {"cloudfront", "iam", "organizations", "route53", "shield", "sts"}
_HOME_REGION = "us-east-1"
WARNING = "A raw call: its effect is neither read before nor verified after, and it cannot be put back."


class RawCallParams(Params):
    """The parameters as AWS spells them, those of one `call` (`service:action`)."""

    call: ClassVar[str] = ""
    arguments: dict[str, object]

    @field_validator("arguments")
    @classmethod
    def _check_arguments(cls, arguments: dict[str, object]) -> dict[str, object]:
        try:
            canonical_bytes(arguments)
        except InputError as error:
            raise ValueError(str(error)) from None
        _refuse_secrets(cls.call, arguments)
        return arguments


class RawCall(AwsAction[RawCallParams]):
    """One operation of one AWS service, by its name. Made by `raw_call`."""

    params_model = RawCallParams
    reversible = False
    idempotent = False
    verifiable = False
    done = "Called; AWS said yes, and nothing was read again"

    def plan(self, target: Target, params: RawCallParams) -> Draft:
        """Show the exact call. Reads nothing but AWS's description of it."""
        service, call = self._names()
        where = Target(
            provider="aws",
            resource=target.resource,
            account_id=target.account_id or self._clients.account_id(),
            region=_region(service, target),
        )
        check_arguments(operation(service, call), params.arguments, f"{service} {call}")
        after = {"Call": f"{service} {call}", **{f"with {k}": _spell(v) for k, v in params.arguments.items()}}
        return Draft(target=where, before=dict.fromkeys(after), after=after, notes=(WARNING,))

    def observe(self, plan: ActionPlan) -> State:
        """Return the state before: nothing is known of what the call is about."""
        return plan.before

    def verify(self, plan: ActionPlan) -> None:
        """Trust AWS's answer; there is nothing to read."""

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Make the call, once: nobody knows what a second one would do."""
        service, call = self._names()
        params = RawCallParams.model_validate(dict(plan.params))
        client = self.client(service, plan.target, "apply", once=True)
        with _doubt(), aws_errors(f"call {service} {call}"):
            answer = getattr(client, call.replace("-", "_"))(**params.arguments)
        return (request_id(answer),)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Refuse: nobody knows what it would take."""
        raise PermanentActionError(f"{plan.action_name} cannot be put back", cause=Cause.INVALID)

    def _names(self) -> tuple[str, str]:
        service, _, call = self.key.partition(":")
        return service, call


def raw_call(clients: AwsClients, key: str) -> RawCall:
    """Return the action that makes the call `service:action`, both spelled as the AWS command line does."""
    service, _, call = key.partition(":")
    # IAM's name of a permission most often is the operation's. Where it is not, the call is denied, never widened.
    permission = f"{service}:{''.join(word.capitalize() for word in call.split('-'))}"
    needs = Permissions(plan=(), apply=(permission,), rollback=())
    params: type[RawCallParams] = type(
        "RawCallParams", (RawCallParams,), {"call": key, "__module__": __name__}
    )
    kind: type[RawCall] = type(
        "RawCall", (RawCall,), {"key": key, "permissions": needs, "params_model": params}
    )
    return kind(clients)


def _refuse_secrets(key: str, arguments: dict[str, object]) -> None:
    """Refuse what AWS says is secret: a plan is shown to people, stored, and handed out as evidence.

    Raises:
        ValueError: there is some; names each place, and not what stands there.
    """
    service, _, call = key.partition(":")
    try:
        found = secret_places(operation(service, call), arguments)
    except PermanentActionError:
        return  # no such call, or no SDK to ask: planning says so, and nothing is planned
    if found:
        raise ValueError(
            f"{service} {call} takes {', '.join(found)} as a secret, and what is signed is shown to people and stored: "
            "make this call by hand, or from a script that reads the secret where it is kept"
        )


@contextmanager
def _doubt() -> Iterator[None]:
    """Say of a call without an answer what is known of it: nothing. Whoever asks for it again has to look first."""
    try:
        yield
    except TemporaryActionError as error:
        if error.cause not in {Cause.TIMED_OUT, Cause.UNAVAILABLE} or _was_never_sent(error):
            raise
        said = f"{error}; nobody can tell whether it was done"
        raise TemporaryActionError(said, cause=Cause.TIMED_OUT, request_id=error.request_id) from error


def _was_never_sent(error: TemporaryActionError) -> bool:
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

    return isinstance(error.__cause__, ConnectTimeoutError | EndpointConnectionError)


def _region(service: str, target: Target) -> str:
    if target.region not in _NO_REGION:
        return target.region
    if service in _WORLDWIDE:
        return _HOME_REGION
    raise PermanentActionError(f"The finding names no region to call {service} in", cause=Cause.WRONG_REGION)


def _spell(value: object) -> object:
    """Return a parameter as a card can show it whole: what has parts as JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else value
