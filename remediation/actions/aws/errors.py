"""AWS's errors, mapped to the few classes that people can act on.

Codes are from AWS's API references; timeouts and missing credentials are botocore's own classes.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError

if TYPE_CHECKING:
    from botocore.exceptions import WaiterError

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "UnauthorizedOperation",
    "403",
    "Forbidden",
}
_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_NOT_FOUND = {
    "404",
    "InvalidFlowLogId.NotFound",
    "InvalidGroup.NotFound",
    "InvalidSnapshot.NotFound",
    "InvalidVolume.NotFound",
    "InvalidVpcID.NotFound",
    "NoSuchBucket",
    "NoSuchEntity",
    "NotFound",
    "ResourceNotFoundException",
    "TrailNotFoundException",
}
_THROTTLED = {
    "ConcurrentSnapshotLimitExceeded",
    "RequestLimitExceeded",
    "SlowDown",
    "SnapshotCreationPerVolumeRateExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_WRONG_REGION = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "RegionDisabledException",
    "301",
}
_UNAVAILABLE = {"InternalError", "InternalFailure", "ServiceUnavailable", "500", "503"}
_CHANGED = {
    "OperationAborted",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "ConditionalRequestConflict",
    "EntityTemporarilyUnmodifiable",
    "InvalidSnapshot.InUse",
    "VolumeInUse",
}
_BY_CODE: tuple[tuple[set[str], Cause], ...] = (
    (_DENIED, Cause.DENIED),
    (_CREDENTIALS, Cause.CREDENTIALS),
    (_NOT_FOUND, Cause.NOT_FOUND),
    (_THROTTLED, Cause.THROTTLED),
    (_WRONG_REGION, Cause.WRONG_REGION),
    (_UNAVAILABLE, Cause.UNAVAILABLE),
    (_CHANGED, Cause.CHANGED_MEANWHILE),
)
_TEMPORARY = {Cause.THROTTLED, Cause.TIMED_OUT, Cause.UNAVAILABLE, Cause.CHANGED_MEANWHILE}
# What EC2 puts behind a denial: a thousand characters that say nothing without another call.
_ENCODED = re.compile(r"\s*Encoded authorization failure message: \S+")
_HTTP_FORBIDDEN, _HTTP_NOT_FOUND, _HTTP_TOO_MANY, _HTTP_SERVER_ERROR = 403, 404, 429, 500


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Turn what botocore raises inside the block into an `ActionError` that says what could not be done.

    Args:
        doing: completes “could not …”, such as `read the public access block of acme-data`.
    """
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _from_response(error.response, doing) from error  # type: ignore[arg-type]
    except WaiterError as error:
        raise _from_waiter(error, doing) from error
    except ResponseParserError as error:  # a gateway's page; botocore does not count it among its own errors
        raise _error(f"Could not {doing}: the answer is not AWS's", Cause.UNAVAILABLE, "") from error
    except BotoCoreError as error:
        raise _from_sdk(error, doing) from error


def is_unset(error: ActionError) -> bool:
    """Tell whether AWS was not asked because nobody set it up: there is no SDK, or there are no credentials at all."""
    if error.cause is Cause.NOT_INSTALLED:
        return True
    return type(error.__cause__).__name__ == "NoCredentialsError"


def error_code(error: Exception) -> str:
    """Return AWS's code of a botocore `ClientError`, else an empty text."""
    response = getattr(error, "response", None) or {}  # one that broke off has none
    return str(response.get("Error", {}).get("Code", ""))


def request_id(response: dict[str, dict[str, object]]) -> str:
    """Return AWS's id of the request that a response or an error belongs to, else an empty text."""
    return str(response.get("ResponseMetadata", {}).get("RequestId", ""))


def _from_response(response: dict[str, dict[str, object]], doing: str) -> ActionError:
    error = response.get("Error", {})
    code, text = str(error.get("Code", "")), _ENCODED.sub("", str(error.get("Message", "")))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    cause = _cause(code, text, status if isinstance(status, int) else 0)
    return _error(f"Could not {doing}: {text or code} ({code})", cause, request_id(response))


def _cause(code: str, text: str, http_status: int) -> Cause:
    named = next((cause for codes, cause in _BY_CODE if code in codes), None)
    cause = named or _by_http_status(http_status)
    if cause is Cause.DENIED and "service control policy" in text.lower():
        return Cause.DENIED_BY_ORGANIZATION
    return cause


def _by_http_status(status: int) -> Cause:
    if status >= _HTTP_SERVER_ERROR:
        return Cause.UNAVAILABLE
    by_status = {
        _HTTP_FORBIDDEN: Cause.DENIED,
        _HTTP_NOT_FOUND: Cause.NOT_FOUND,
        _HTTP_TOO_MANY: Cause.THROTTLED,
    }
    return by_status.get(status, Cause.INVALID)


def _from_waiter(error: "WaiterError", doing: str) -> ActionError:
    """Map what ended a wait: an answer of AWS, a state that will never become the right one, or the time."""
    if "Error" in error.last_response:
        return _from_response(error.last_response, doing)  # type: ignore[arg-type]
    is_over = "terminal failure state" in str(error)
    return _error(f"Could not {doing}: {error}", Cause.NOT_VERIFIED if is_over else Cause.TIMED_OUT, "")


def _from_sdk(error: Exception, doing: str) -> ActionError:
    """Map botocore's own errors, which come without a response."""
    from botocore import exceptions as sdk

    classes: tuple[tuple[tuple[type[Exception], ...], Cause], ...] = (
        ((sdk.ConnectTimeoutError, sdk.ReadTimeoutError), Cause.TIMED_OUT),
        (
            (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.CredentialRetrievalError),
            Cause.CREDENTIALS,
        ),
        ((sdk.TokenRetrievalError, sdk.SSOError, sdk.ProfileNotFound), Cause.CREDENTIALS),
        ((sdk.NoRegionError, sdk.InvalidRegionError), Cause.WRONG_REGION),
        ((sdk.HTTPClientError, sdk.ConnectionError), Cause.UNAVAILABLE),
    )
    cause = next((cause for kinds, cause in classes if isinstance(error, kinds)), Cause.INVALID)
    return _error(f"Could not {doing}: {error}", cause, "")


def _error(message: str, cause: Cause, request: str) -> ActionError:
    kind = TemporaryActionError if cause in _TEMPORARY else PermanentActionError
    return kind(message, cause=cause, request_id=request or None)
