"""Google Cloud's errors, mapped to the few classes that people can act on.

Status codes and reasons are from Google's API design guide (AIP-193) and Cloud Storage's list of status codes; what never got an
answer raises classes of `requests` (compute passes them through as they are) and of google-auth.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

_BY_STATUS = {
    401: Cause.CREDENTIALS,
    403: Cause.DENIED,
    404: Cause.NOT_FOUND,
    408: Cause.TIMED_OUT,
    409: Cause.CHANGED_MEANWHILE,
    412: Cause.CHANGED_MEANWHILE,
    429: Cause.THROTTLED,
    504: Cause.TIMED_OUT,
}
_HTTP_SERVER_ERROR = 500
_THROTTLED = {"ratelimitexceeded", "userratelimitexceeded", "quotaexceeded", "rate_limit_exceeded"}
# An organization policy answers 412 (storage, compute) or 400 (service account keys) and names its constraint; a service perimeter
# answers 403 and names itself.
_BY_ORGANIZATION = re.compile(
    r"\bconstraints?[/ ]|organization policy|organization's policy|vpc service controls", re.IGNORECASE
)
_TEMPORARY = {Cause.THROTTLED, Cause.TIMED_OUT, Cause.UNAVAILABLE, Cause.CHANGED_MEANWHILE}
_CALL = re.compile(r"^[A-Z]+ https?://\S+: ")
_UPLOAD_ID = "x-guploader-uploadid"


@contextmanager
def google_errors(doing: str) -> Iterator[None]:
    """Turn what Google's SDK raises inside the block into an `ActionError` that says what could not be done.

    Args:
        doing: completes “could not …”, such as `read the bucket acme-data`.
    """
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except (GoogleAPICallError, RetryError, GoogleAuthError, RequestException) as error:
        raise _translate(error, doing) from error


def status_error(status: int, text: str, *, doing: str, request_id: str) -> ActionError:
    """Return the error for an operation that ended badly: its HTTP status and its own words."""
    return _error(f"Could not {doing}: {text}", _cause(status, text, reasons=set()), request_id)


def _translate(error: Exception, doing: str) -> ActionError:
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    if isinstance(error, GoogleAPICallError):
        return _from_answer(error, doing)
    if isinstance(error, RetryError):
        last = error.cause
        return _translate(last, doing) if isinstance(last, Exception) else _from_silence(error, doing)
    return _from_silence(error, doing)


def _from_answer(error: "GoogleAPICallError", doing: str) -> ActionError:
    status, text = int(error.code or 0), _CALL.sub("", str(error.message))
    reasons = {str(entry.get("reason", "")) for entry in error.errors if isinstance(entry, dict)} - {""}
    headers = getattr(error.response, "headers", None) or {}
    named = ", ".join([f"HTTP {status}", *sorted(reasons)])
    cause = _cause(status, text, reasons)
    return _error(f"Could not {doing}: {text} ({named})", cause, str(headers.get(_UPLOAD_ID, "")))


def _cause(status: int, text: str, reasons: set[str]) -> Cause:
    if {reason.casefold() for reason in reasons} & _THROTTLED:
        return Cause.THROTTLED
    if status in {400, 403, 412} and _BY_ORGANIZATION.search(text):
        return Cause.DENIED_BY_ORGANIZATION
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Cause.UNAVAILABLE if status >= _HTTP_SERVER_ERROR else Cause.INVALID


def _from_silence(error: Exception, doing: str) -> ActionError:
    """Map what came without an answer of the API."""
    import requests
    from google.api_core.exceptions import RetryError
    from google.auth import exceptions as auth

    classes: tuple[tuple[tuple[type[Exception], ...], Cause], ...] = (
        ((requests.exceptions.Timeout, RetryError), Cause.TIMED_OUT),
        ((auth.TransportError, requests.exceptions.RequestException), Cause.UNAVAILABLE),
        ((auth.GoogleAuthError,), Cause.CREDENTIALS),
    )
    cause = next((cause for kinds, cause in classes if isinstance(error, kinds)), Cause.INVALID)
    return _error(f"Could not {doing}: {error}", cause, "")


def _error(message: str, cause: Cause, request_id: str) -> ActionError:
    kind = TemporaryActionError if cause in _TEMPORARY else PermanentActionError
    return kind(message, cause=cause, request_id=request_id or None)
