"""Azure's errors, mapped to the few classes that people can act on.

Codes are from Azure Resource Manager's and the resource providers' error references; the rest are azure-core's own classes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError, HttpResponseError

_BY_CODE: tuple[tuple[Cause, str], ...] = (
    (Cause.DENIED, "AuthorizationFailed LinkedAuthorizationFailed AuthorizationPermissionMismatch Forbidden"),
    # A lock on the resource is somebody's decision, too: no role of the bot's lifts it.
    (Cause.DENIED_BY_ORGANIZATION, "RequestDisallowedByPolicy RequestDisallowedByAzure ScopeLocked"),
    (
        Cause.CREDENTIALS,
        "ExpiredAuthenticationToken InvalidAuthenticationToken AuthenticationFailed AuthenticationFailedInvalidHeader",
    ),
    (Cause.WRONG_ACCOUNT, "InvalidAuthenticationTokenTenant InvalidSubscriptionId SubscriptionNotFound"),
    (
        Cause.NOT_FOUND,
        "ResourceNotFound ResourceGroupNotFound ParentResourceNotFound ContainerNotFound NotFound",
    ),
    (Cause.THROTTLED, "TooManyRequests SubscriptionRequestsThrottled ResourceCollectionRequestsThrottled"),
    (
        Cause.CHANGED_MEANWHILE,
        "PreconditionFailed ConditionNotMet Conflict AnotherOperationInProgress StorageAccountOperationInProgress",
    ),
    (
        Cause.UNAVAILABLE,
        "InternalServerError ServiceUnavailable ServerBusy GatewayTimeout RetryableError",
    ),
    # The one 409 that is no race: the subscription has to be set up for the provider first, as Azure's own text says.
    (Cause.INVALID, "MissingSubscriptionRegistration"),
)
_CAUSES = {code: cause for cause, codes in _BY_CODE for code in codes.split()}
_BY_STATUS = {
    401: Cause.CREDENTIALS,
    403: Cause.DENIED,
    404: Cause.NOT_FOUND,
    409: Cause.CHANGED_MEANWHILE,
    412: Cause.CHANGED_MEANWHILE,
    429: Cause.THROTTLED,
}
_TEMPORARY = {Cause.THROTTLED, Cause.TIMED_OUT, Cause.UNAVAILABLE, Cause.CHANGED_MEANWHILE}
_SERVER_ERROR = 500
_DELAY_S = 5.0
_LONGEST_TEXT = 500


@contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turn what the SDK raises inside the block into an `ActionError` that says what could not be done.

    Args:
        doing: completes “could not …”, such as `read the storage account acmedata`.
    """
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        # A credential that cannot be had and an answer that was cut off are of this class as well.
        if error.response is None:
            raise _from_sdk(error, doing) from error
        raise _from_response(error, doing) from error
    except AzureError as error:
        raise _from_sdk(error, doing) from error


def request_id(headers: Any) -> str:  # noqa: ANN401 - the SDK's mapping of headers, in any case
    """Return Azure's id of the request that a response belongs to, else an empty text."""
    return str(headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id") or "")


def _from_response(error: "HttpResponseError", doing: str) -> ActionError:
    code, text = _said(error)
    headers: Any = getattr(error.response, "headers", {})
    cause = _CAUSES.get(code) or _by_http_status(error.status_code or 0)
    spelled = f" ({code})" if code else f" (HTTP {error.status_code})"
    return _error(
        f"Could not {doing}: {text or code or 'no reason given'}{spelled}",
        cause,
        request=request_id(headers),
        delay_s=_delay_s(headers),
    )


def _said(error: "HttpResponseError") -> tuple[str, str]:
    """Return Azure's code and text. The text of an answer that is no error of Azure's could be anything, so it is left out."""
    if error.error is None:
        return "", ""
    return str(error.error.code or ""), str(error.error.message or "")[:_LONGEST_TEXT]


def _by_http_status(status: int) -> Cause:
    return Cause.UNAVAILABLE if status >= _SERVER_ERROR else _BY_STATUS.get(status, Cause.INVALID)


def _delay_s(headers: Any) -> float:  # noqa: ANN401 - see `request_id`
    value = str(headers.get("Retry-After") or "")
    return float(value) if value.isdecimal() else _DELAY_S


def _from_sdk(error: "AzureError", doing: str) -> ActionError:
    """Map the SDK's own errors, which come without a response."""
    from azure.core import exceptions as sdk

    classes: tuple[tuple[tuple[type[Exception], ...], Cause], ...] = (
        ((sdk.ClientAuthenticationError,), Cause.CREDENTIALS),
        ((sdk.ServiceRequestTimeoutError, sdk.ServiceResponseTimeoutError), Cause.TIMED_OUT),
        ((sdk.ServiceRequestError, sdk.ServiceResponseError, sdk.IncompleteReadError), Cause.UNAVAILABLE),
    )
    cause = next((cause for kinds, cause in classes if isinstance(error, kinds)), Cause.INVALID)
    return _error(f"Could not {doing}: {_first_line(error)}", cause)


def _first_line(error: "AzureError") -> str:
    """Return what an error says first: the default credential goes on with a line for each way it tried."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:_LONGEST_TEXT]


def _error(message: str, cause: Cause, *, request: str = "", delay_s: float = _DELAY_S) -> ActionError:
    if cause in _TEMPORARY:
        return TemporaryActionError(message, cause=cause, request_id=request or None, delay_s=delay_s)
    return PermanentActionError(message, cause=cause, request_id=request or None)
