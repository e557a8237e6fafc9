"""Making a new access key that is stored and proven to work, or is gone again: the only place that ever holds a secret."""

import json
import time
from collections.abc import Sequence
from typing import Any

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.aws.clients import quiet_sdk_loggers
from remediation.actions.aws.errors import aws_errors, error_code
from remediation.actions.aws.iam_users import IamUser
from remediation.actions.aws.secret_store import UNPROVEN, version_of

# A new key is known everywhere within about ten seconds; "Changes that I make are not always immediately visible",
# IAM's user guide.
WAITS_S = (0.5, 0.5, 1.0, 1.0, 1.5, 1.5, 2.0, 2.0)
_NOT_KNOWN_YET = {"InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException"}


def make_key(clients: dict[str, Any], user: IamUser, secret: str, waits_s: Sequence[float]) -> str:
    """Create a key for a user, store it in a secret and prove it; return its id.

    Args:
        clients: for `iam`, which sends a request once, `secretsmanager` and `sts`.
        user: whose key.
        secret: the name of the secret, which exists.
        waits_s: how long to wait before each further try to prove it.

    Raises:
        ActionError: it could not be made, stored or proven. Then it was deleted again, unless the text says otherwise.
    """
    made: list[str] = []
    failure: ActionError | None = None
    is_explained = False
    try:
        _make(clients, user, secret, made=made, waits_s=waits_s)
        is_explained = True
    except ActionError as error:
        failure, is_explained = error, True
    finally:
        if not is_explained:
            _delete(user, made)
    if failure is not None:
        # A new error, outside of the handler: behind the old one are frames of the SDK that have held the secret.
        raise _add(failure, _delete(user, made))
    return made[0]


def _make(
    clients: dict[str, Any], user: IamUser, secret: str, *, made: list[str], waits_s: Sequence[float]
) -> None:
    """Hold the secret, and hand it to the SDK alone; `made` gets the key's id as soon as there is one."""
    import boto3

    # Whoever turned logging to DEBUG meanwhile: botocore would print the secret.
    quiet_sdk_loggers()
    with aws_errors(f"create an access key for {user.name}"):
        created = clients["iam"].create_access_key(UserName=user.name)["AccessKey"]
    try:
        made.append(str(created["AccessKeyId"]))
        with aws_errors(f"store the new key of {user.name} in the secret {secret}"):
            clients["secretsmanager"].put_secret_value(
                SecretId=secret,
                ClientRequestToken=version_of(made[0]),
                SecretString=json.dumps({name: created[name] for name in ("AccessKeyId", "SecretAccessKey")}),
                VersionStages=[UNPROVEN],
            )
        asked = clients["sts"].meta
        with aws_errors(f"prove the new key of {user.name}"):
            sts = boto3.Session().client(
                "sts",
                region_name=asked.region_name,
                endpoint_url=asked.endpoint_url,
                config=asked.config,
                aws_access_key_id=created["AccessKeyId"],
                aws_secret_access_key=created["SecretAccessKey"],
            )
    finally:
        created = None
    _prove(sts, user, waits_s)


def _prove(sts: Any, user: IamUser, waits_s: Sequence[float]) -> None:  # noqa: ANN401 - see `AwsClients`
    """Ask AWS who signs with the new key, until it knows.

    Raises:
        ActionError: it never does, or says somebody else.
    """
    waits = iter(waits_s)
    with aws_errors(f"prove the new key of {user.name}"):
        while (arn := _ask(sts, wait_s=next(waits, None))) is None:
            pass
    if arn != user.arn:
        raise PermanentActionError(f"The new key signs as {arn}, not as {user.arn}", cause=Cause.NOT_VERIFIED)


def _ask(sts: Any, *, wait_s: float | None) -> str | None:  # noqa: ANN401 - see `AwsClients`
    """Return who signs; None, after a while, where AWS does not know the key yet. Without a wait that is an error."""
    try:
        return str(sts.get_caller_identity()["Arn"])
    except sts.exceptions.ClientError as error:
        if wait_s is None or error_code(error) not in _NOT_KNOWN_YET:
            raise
    time.sleep(wait_s)
    return None


def _delete(user: IamUser, made: list[str]) -> str:
    """Delete the key that was made; say what became of it."""
    if not made:
        return ""
    try:
        user.delete_key(made[0])
    except ActionError as error:
        return f". The new key {made[0]} could NOT be deleted, delete it by hand ({error})"
    return f". The new key {made[0]} was deleted"


def _add(error: ActionError, said: str) -> ActionError:
    kind = TemporaryActionError if isinstance(error, TemporaryActionError) else PermanentActionError
    return kind(f"{error}{said}", cause=error.cause, request_id=error.request_id)
