"""Every way in which Google can say no, or say nothing: one line that names the cause and the next step."""

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.gcp.errors import google_errors, status_error

WORTH_ANOTHER_TRY = {Cause.THROTTLED, Cause.TIMED_OUT, Cause.UNAVAILABLE, Cause.CHANGED_MEANWHILE}
ANSWERS = [
    (400, "Invalid value", "invalid", Cause.INVALID),
    (
        400,
        "Constraint constraints/iam.disableServiceAccountKeyCreation violated",
        "",
        Cause.DENIED_BY_ORGANIZATION,
    ),
    (401, "Invalid credentials", "authError", Cause.CREDENTIALS),
    (403, "bot does not have storage.buckets.get access", "forbidden", Cause.DENIED),
    (403, "Rate Limit Exceeded", "rateLimitExceeded", Cause.THROTTLED),
    (403, "User Rate Limit Exceeded", "userRateLimitExceeded", Cause.THROTTLED),
    (403, "Quota exceeded", "quotaExceeded", Cause.THROTTLED),
    (
        403,
        "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x",
        "",
        Cause.DENIED_BY_ORGANIZATION,
    ),
    (404, "The specified bucket does not exist.", "notFound", Cause.NOT_FOUND),
    (408, "Request timeout", "", Cause.TIMED_OUT),
    (409, "Already being changed", "conflict", Cause.CHANGED_MEANWHILE),
    (412, "At least one of the pre-conditions did not hold.", "conditionNotMet", Cause.CHANGED_MEANWHILE),
    (
        412,
        "Request violates constraint 'constraints/storage.publicAccessPrevention'",
        "conditionNotMet",
        Cause.DENIED_BY_ORGANIZATION,
    ),
    (429, "Too many requests", "", Cause.THROTTLED),
    (500, "Backend error", "backendError", Cause.UNAVAILABLE),
    (502, "Bad gateway", "", Cause.UNAVAILABLE),
    (503, "Unavailable", "", Cause.UNAVAILABLE),
    (504, "Deadline exceeded", "", Cause.TIMED_OUT),
    (418, "Something new", "", Cause.INVALID),
]
SILENCES: list[tuple[Exception, Cause]] = [
    (requests.exceptions.ReadTimeout("read timed out"), Cause.TIMED_OUT),
    (requests.exceptions.ConnectTimeout("connect timed out"), Cause.TIMED_OUT),
    (requests.exceptions.ConnectionError("refused"), Cause.UNAVAILABLE),
    (requests.exceptions.SSLError("self-signed"), Cause.UNAVAILABLE),
    (requests.exceptions.ProxyError("proxy"), Cause.UNAVAILABLE),
    (requests.exceptions.ChunkedEncodingError("cut off"), Cause.UNAVAILABLE),
    (requests.exceptions.JSONDecodeError("no JSON", "<html>", 0), Cause.UNAVAILABLE),
    (auth.DefaultCredentialsError("none found"), Cause.CREDENTIALS),
    (auth.RefreshError("invalid_grant"), Cause.CREDENTIALS),
    (auth.MalformedError("no key"), Cause.CREDENTIALS),
    (auth.TransportError("no route"), Cause.UNAVAILABLE),
    (api.RetryError("Timeout of 30s exceeded", cause=None), Cause.TIMED_OUT),
    (api.RetryError("Timeout of 30s exceeded", requests.exceptions.ReadTimeout("slow")), Cause.TIMED_OUT),
    (api.RetryError("Timeout of 30s exceeded", api.TooManyRequests("busy")), Cause.THROTTLED),
    (api.RetryError("Timeout of 30s exceeded", api.ServiceUnavailable("down")), Cause.UNAVAILABLE),
    (api.RetryError("Timeout of 30s exceeded", requests.exceptions.ConnectionError("no")), Cause.UNAVAILABLE),
]


def explained(raised: Exception) -> ActionError:
    with pytest.raises(ActionError) as caught, google_errors("read the bucket acme"):
        raise raised
    error = caught.value
    assert error.explain().startswith("Could not read the bucket acme: ")
    assert error.cause.next_step in error.explain()
    assert len(error.explain().splitlines()) == 1
    assert type(error) is (TemporaryActionError if error.cause in WORTH_ANOTHER_TRY else PermanentActionError)
    return error


def answer(status: int, message: str, reason: str) -> Any:
    response = SimpleNamespace(headers={"x-guploader-uploadid": "upload-1"})
    kinds = {"reason": reason, "message": message}
    return api.from_http_status(
        status,
        f"GET https://storage.example/b/acme: {message}",
        errors=[kinds] if reason else [],
        response=response,
    )


@pytest.mark.parametrize(("status", "message", "reason", "cause"), ANSWERS)
def test_an_answer(status: int, message: str, reason: str, cause: Cause) -> None:
    error = explained(answer(status, message, reason))
    assert error.cause is cause
    assert error.request_id == "upload-1"
    assert f"{message} (HTTP {status}{f', {reason}' if reason else ''}) (request upload-1)" in error.explain()


@pytest.mark.parametrize(("raised", "cause"), SILENCES, ids=lambda value: type(value).__name__)
def test_silence(raised: Exception, cause: Cause) -> None:
    error = explained(raised)
    assert error.cause is cause
    assert error.request_id is None
    assert error.__cause__ is raised


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        (412, "Constraint constraints/compute.x violated", Cause.DENIED_BY_ORGANIZATION),
        (403, "no", Cause.DENIED),
        (400, "bad", Cause.INVALID),
    ],
)
def test_an_operation_that_ended_badly(status: int, text: str, cause: Cause) -> None:
    error = status_error(status, text, doing="write to the firewall rule ssh", request_id="operation-1")
    assert (error.cause, error.request_id) == (cause, "operation-1")


def test_what_is_no_error_of_google_stays_a_bug() -> None:
    with pytest.raises(KeyError, match="ours"), google_errors("read"):
        raise KeyError("ours")
