"""Credentials of roles, narrowed to what one phase of one fix may do, and who we are without them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.accounts import AwsRole
from remediation.actions.aws.errors import aws_errors, error_code
from remediation.actions.aws.partitions import home_region
from remediation.actions.recent import Recent

Clock = Callable[[], datetime]
StsClient = Callable[[str], Any]

SESSION_NAME = "countersign"
# The shortest that STS takes: a fix takes seconds, and a stolen session is worth as little as possible.
SESSION_S = 900
# A client that was just handed out must be good for every retry of the call it is meant for.
RENEW_BEFORE = timedelta(minutes=5)
KEPT_SESSIONS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Temporary credentials, and until when they are good."""

    access_key_id: SecretStr
    secret_access_key: SecretStr
    session_token: SecretStr
    expires_at: datetime

    def to_arguments(self) -> Mapping[str, str]:
        """Return them as a client is made with them."""
        return {
            "aws_access_key_id": self.access_key_id.get_secret_value(),
            "aws_secret_access_key": self.secret_access_key.get_secret_value(),
            "aws_session_token": self.session_token.get_secret_value(),
        }


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What makes one session another: the role, and the digest of the policy that narrows it."""

    role: str
    policy: str

    @classmethod
    def of(cls, role: AwsRole, policy: str) -> "SessionKey":
        """Return the key of a role narrowed by a policy."""
        return cls(role.arn, hashlib.sha256(policy.encode()).hexdigest())


class Sessions:
    """Assumes roles, once per role and policy until shortly before the credentials expire.

    Args:
        sts: makes an STS client for a region, on the bot's own credentials.
        clock: the time, aware.
        region: where to ask STS; without one, in a region that every account of the role's partition can use.
    """

    def __init__(self, sts: StsClient, *, clock: Clock, region: str = "") -> None:
        self._sts = sts
        self._clock = clock
        self._region = region
        self._kept: Recent[SessionKey, Credentials] = Recent(room=KEPT_SESSIONS, is_fresh=self.is_fresh)

    def is_fresh(self, credentials: Credentials) -> bool:
        """Tell whether credentials are good for one more call with all its retries."""
        return self._clock() < credentials.expires_at - RENEW_BEFORE

    def assume(self, role: AwsRole, policy: str) -> Credentials:
        """Return credentials of a role that allow no more than a policy.

        Raises:
            ActionError: the role cannot be assumed; says which one, and what to check.
        """
        return self._kept.get(SessionKey.of(role, policy), lambda: self._assume(role, policy))

    def _assume(self, role: AwsRole, policy: str) -> Credentials:
        sts = self._sts(self._region or home_region(role.arn))
        arguments = {"RoleArn": role.arn, "RoleSessionName": SESSION_NAME, "Policy": policy}
        if role.external_id is not None:
            arguments["ExternalId"] = role.external_id.get_secret_value()
        try:
            with aws_errors(f"assume {role.arn}"):
                answer = sts.assume_role(**arguments, DurationSeconds=SESSION_S)
        except ActionError as error:
            raise _explained(error, role) from error.__cause__
        return _credentials(answer["Credentials"])


def _credentials(answer: Mapping[str, Any]) -> Credentials:
    return Credentials(
        access_key_id=SecretStr(answer["AccessKeyId"]),
        secret_access_key=SecretStr(answer["SecretAccessKey"]),
        session_token=SecretStr(answer["SessionToken"]),
        expires_at=answer["Expiration"].astimezone(UTC),
    )


def _explained(error: ActionError, role: AwsRole) -> ActionError:
    """Say what a refusal by STS is about: never the rights that `playbook permissions` prints."""
    if error.cause is Cause.DENIED:
        sent = "an external id" if role.external_id is not None else "no external id"
        said = f"{error}; the bot sent {sent}"
        return PermanentActionError(said, cause=Cause.NOT_TRUSTED, request_id=error.request_id)
    if isinstance(error.__cause__, Exception) and error_code(error.__cause__) == "PackedPolicyTooLarge":
        said = f"{error}. Nothing is done with wider rights than the plan needs; split the playbook's action"
        return PermanentActionError(said, cause=Cause.INVALID, request_id=error.request_id)
    return error


def ask_who_we_are(sts: Any) -> str:  # noqa: ANN401 - botocore makes client classes at run time
    """Return the account that an STS client's credentials belong to.

    Raises:
        ActionError: it cannot be found out.
    """
    with aws_errors("find out which account the credentials belong to"):
        return str(sts.get_caller_identity()["Account"])
