"""Every way in which AWS can say no, at every phase of an action: one line that names the cause and the next step."""

import socket
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import exceptions as sdk
from botocore.config import Config

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.aws.clients import Access, Boto3Clients
from remediation.actions.registry import Step
from remediation.plan import ActionPlan
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry

Phase = Callable[[Step, ActionPlan], object]
PHASES: dict[str, Phase] = {
    "plan": lambda step, plan: step.plan(plan.target),
    "observe": lambda step, plan: step.action.observe(plan),
    "apply": lambda step, plan: step.action.apply(plan),
    "verify": lambda step, plan: step.action.verify(plan),
    "rollback": lambda step, plan: step.action.rollback(plan),
    "verify rollback": lambda step, plan: step.action.verify_rollback(plan),
}
KINDS: list[type[S3PublicAccessCase]] = [S3PublicAccessCase]
CODES = {
    Cause.DENIED: "AccessDenied AccessDeniedException AllAccessDisabled UnauthorizedOperation Forbidden 403",
    Cause.CREDENTIALS: (
        "AuthFailure ExpiredToken ExpiredTokenException InvalidAccessKeyId InvalidClientTokenId InvalidToken "
        "RequestExpired SignatureDoesNotMatch UnrecognizedClientException"
    ),
    Cause.NOT_FOUND: (
        "NoSuchBucket NoSuchEntity NotFound InvalidGroup.NotFound InvalidVolume.NotFound ResourceNotFoundException "
        "TrailNotFoundException 404"
    ),
    Cause.THROTTLED: (
        "RequestLimitExceeded SlowDown Throttling ThrottlingException TooManyRequestsException"
    ),
    Cause.WRONG_REGION: (
        "PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException RegionDisabledException 301"
    ),
    Cause.UNAVAILABLE: "InternalError InternalFailure ServiceUnavailable 500 503",
    Cause.CHANGED_MEANWHILE: "OperationAborted ConcurrentModification ConditionalRequestConflict",
    Cause.INVALID: "MalformedXML SomethingNew",
}
BY_CODE = [(code, cause) for cause, codes in CODES.items() for code in codes.split()]
# For codes we have never seen: what HTTP says.
BY_STATUS = [
    (400, Cause.INVALID),
    (403, Cause.DENIED),
    (404, Cause.NOT_FOUND),
    (429, Cause.THROTTLED),
    (500, Cause.UNAVAILABLE),
    (503, Cause.UNAVAILABLE),
]
URL = {"endpoint_url": "https://s3.example"}
BY_SDK: list[tuple[sdk.BotoCoreError, Cause]] = [
    (sdk.ReadTimeoutError(**URL), Cause.TIMED_OUT),
    (sdk.ConnectTimeoutError(**URL), Cause.TIMED_OUT),
    (sdk.NoCredentialsError(), Cause.CREDENTIALS),
    (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), Cause.CREDENTIALS),
    (sdk.CredentialRetrievalError(provider="sts", error_msg="no answer"), Cause.CREDENTIALS),
    (sdk.TokenRetrievalError(provider="sso", error_msg="no answer"), Cause.CREDENTIALS),
    (sdk.UnauthorizedSSOTokenError(), Cause.CREDENTIALS),
    (sdk.SSOTokenLoadError(error_msg="expired"), Cause.CREDENTIALS),
    (sdk.ProfileNotFound(profile="acme"), Cause.CREDENTIALS),
    (sdk.NoRegionError(), Cause.WRONG_REGION),
    (sdk.InvalidRegionError(region_name="us_east"), Cause.WRONG_REGION),
    (sdk.EndpointConnectionError(**URL), Cause.UNAVAILABLE),
    (sdk.ConnectionClosedError(**URL), Cause.UNAVAILABLE),
    (sdk.ProxyConnectionError(proxy_url="http://proxy.example"), Cause.UNAVAILABLE),
    (sdk.SSLError(error=OSError("self-signed"), **URL), Cause.UNAVAILABLE),
    (sdk.HTTPClientError(error="broken"), Cause.UNAVAILABLE),
    (sdk.ResponseStreamingError(error="cut off"), Cause.UNAVAILABLE),
    (sdk.ParamValidationError(report="Missing “Bucket”\nUnknown “Bukcet”"), Cause.INVALID),
]
WORTH_ANOTHER_TRY = {Cause.THROTTLED, Cause.TIMED_OUT, Cause.UNAVAILABLE, Cause.CHANGED_MEANWHILE}


class Failing:
    """A client whose every call raises one error."""

    def __init__(self, client: Any, error: Exception) -> None:
        self.exceptions = client.exceptions
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise self._error

        return fail


@cache
def planned(kind: type[S3PublicAccessCase], endpoint: str) -> tuple[ActionCase, ActionPlan]:
    """Return a resource and its plan, for all tests here: their calls fail before they reach it."""
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="said-no")
    case = kind(client, "said-no")
    return case, case.registry().resolve(case.written).plan(case.target())


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def drawn(request: pytest.FixtureRequest, moto_endpoint: str) -> tuple[ActionCase, ActionPlan]:
    return planned(request.param, moto_endpoint)


def fail_at(phase: Phase, drawn: tuple[ActionCase, ActionPlan], error: Exception) -> ActionError:
    """Return what an action makes of an SDK's error, once it has been held to what every one must be."""
    case, plan = drawn
    step = case.registry(wrap=lambda client: Failing(client, error)).resolve(case.written)
    with pytest.raises(ActionError) as caught:
        phase(step, plan)
    return explained(caught.value, about="said-no")


def explained(error: ActionError, *, about: str) -> ActionError:
    line = error.explain()
    assert line.startswith("Could not ")
    assert about in line
    assert error.cause.next_step in line
    assert len(line.splitlines()) == 1
    kind = TemporaryActionError if error.cause in WORTH_ANOTHER_TRY else PermanentActionError
    assert type(error) is kind
    return error


def said(code: str, *, status: int = 400, text: str = "said AWS") -> sdk.ClientError:
    return sdk.ClientError(
        {
            "Error": {"Code": code, "Message": text},
            "ResponseMetadata": {"RequestId": "req-1", "HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        "PutSomething",
    )


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
@pytest.mark.parametrize(("code", "cause"), BY_CODE, ids=[code for code, _ in BY_CODE])
def test_a_code_of_aws(drawn: tuple[ActionCase, ActionPlan], phase: Phase, code: str, cause: Cause) -> None:
    error = fail_at(phase, drawn, said(code))
    assert error.cause is cause
    assert error.request_id == "req-1"
    assert "said AWS" in error.explain()
    assert f"({code}) (request req-1)" in error.explain()


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
@pytest.mark.parametrize(("status", "cause"), BY_STATUS)
def test_a_code_that_nobody_knows(
    drawn: tuple[ActionCase, ActionPlan], phase: Phase, status: int, cause: Cause
) -> None:
    assert fail_at(phase, drawn, said("SomethingNew", status=status)).cause is cause


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_a_denial_by_the_organization_does_not_blame_the_role(
    drawn: tuple[ActionCase, ActionPlan], phase: Phase
) -> None:
    text = "not authorized to perform this with an explicit deny in a service control policy"
    error = fail_at(phase, drawn, said("AccessDenied", status=403, text=text))
    assert error.cause is Cause.DENIED_BY_ORGANIZATION


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
@pytest.mark.parametrize(("raised", "cause"), BY_SDK, ids=[type(error).__name__ for error, _ in BY_SDK])
def test_an_error_of_the_sdk_itself(
    drawn: tuple[ActionCase, ActionPlan], phase: Phase, raised: sdk.BotoCoreError, cause: Cause
) -> None:
    error = fail_at(phase, drawn, raised)
    assert error.cause is cause
    assert error.request_id is None
    assert error.__cause__ is raised


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_what_is_no_error_of_the_cloud_stays_a_bug(
    drawn: tuple[ActionCase, ActionPlan], phase: Phase
) -> None:
    case, plan = drawn
    step = case.registry(wrap=lambda client: Failing(client, KeyError("ours"))).resolve(case.written)
    with pytest.raises(KeyError, match="ours"):
        phase(step, plan)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def plan_at(address: str) -> ActionError:
    """Plan with a real client against an address; return what comes of it."""
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=0.2)
    client = boto3.Session().client("s3", endpoint_url=address, region_name="us-east-1", config=once)
    registry, case = aws_registry(OneClient(client)), S3PublicAccessCase(client, "real-edge")
    with pytest.raises(ActionError) as caught:
        registry.resolve(case.written).plan(case.target())
    return explained(caught.value, about="real-edge")


def test_a_cloud_that_never_answers(silent_port: int) -> None:
    assert plan_at(f"http://127.0.0.1:{silent_port}").cause is Cause.TIMED_OUT


def test_a_cloud_that_is_not_there(closed_port: int) -> None:
    assert plan_at(f"http://127.0.0.1:{closed_port}").cause is Cause.UNAVAILABLE


def test_a_cloud_that_speaks_no_tls(moto_endpoint: str) -> None:
    assert plan_at(moto_endpoint.replace("http:", "https:")).cause is Cause.UNAVAILABLE


def test_no_credentials(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert plan_at(moto_endpoint).cause is Cause.CREDENTIALS


def test_no_sdk_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(PermanentActionError, match=r"pip install 'countersign\[aws\]'") as caught:
        Boto3Clients().client("s3", region="us-east-1", access=Access())
    assert caught.value.cause is Cause.NOT_INSTALLED
