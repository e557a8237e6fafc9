"""Every way in which AWS can say no to the logging and identity actions: one line, cause and next step."""

from typing import Any

import pytest
from botocore import exceptions as sdk

from audit.errors import ActionError, Cause
from remediation.plan import ActionPlan
from tests.contract.cases.aws_identity import MfaGroupCase, RotateKeyCase
from tests.contract.cases.aws_logging import (
    BucketLoggingCase,
    CreateTrailCase,
    FlowLogsCase,
    StartLoggingCase,
)
from tests.contract.cases.contract import ActionCase
from tests.contract.test_action_errors import (
    BY_CODE,
    PHASES,
    URL,
    WORTH_ANOTHER_TRY,
    Failing,
    Phase,
    TemporaryActionError,
    said,
)

pytestmark = pytest.mark.slow

KINDS = (BucketLoggingCase, StartLoggingCase, CreateTrailCase, FlowLogsCase, MfaGroupCase, RotateKeyCase)
# What a service says in place of a thing is an answer, not an error.
ABSENT = {"NoSuchEntity", "TrailNotFoundException", "ResourceNotFoundException"}
OF_OURS = [
    ("InvalidVpcID.NotFound", Cause.NOT_FOUND),
    ("InvalidFlowLogId.NotFound", Cause.NOT_FOUND),
    ("ConcurrentModificationException", Cause.CHANGED_MEANWHILE),
    ("EntityTemporarilyUnmodifiable", Cause.CHANGED_MEANWHILE),
    ("InvalidTargetBucketForLogging", Cause.INVALID),
    ("LimitExceeded", Cause.INVALID),
    ("InsufficientS3BucketPolicyException", Cause.INVALID),
]
CODES = [(code, cause) for code, cause in (*BY_CODE, *OF_OURS) if code not in ABSENT]
Planned = tuple[ActionCase, ActionPlan]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def planned(request: pytest.FixtureRequest, moto_endpoint: str) -> Planned:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        case: Any = request.param(moto_endpoint)
        case.set_state(case.unsettled)
        return case, case.registry().resolve(case.written).plan(case.target())


def fail_at(phase: Phase, planned: Planned, error: Exception) -> ActionError:
    case, plan = planned
    step = case.registry(wrap=lambda client: Failing(client, error)).resolve(case.written)
    with pytest.raises(ActionError) as caught:
        phase(step, plan)
    line = caught.value.explain()
    assert line.startswith("Could not ")
    assert caught.value.cause.next_step in line
    assert len(line.splitlines()) == 1
    is_temporary = isinstance(caught.value, TemporaryActionError)
    assert is_temporary == (caught.value.cause in WORTH_ANOTHER_TRY)
    return caught.value


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_every_code_of_aws(planned: Planned, phase: Phase) -> None:
    for code, cause in CODES:
        error = fail_at(phase, planned, said(code))
        assert (code, error.cause, error.request_id) == (code, cause, "req-1")


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_a_denial_by_the_organization(planned: Planned, phase: Phase) -> None:
    text = "not authorized to perform this with an explicit deny in a service control policy"
    error = fail_at(phase, planned, said("AccessDenied", status=403, text=text))
    assert error.cause is Cause.DENIED_BY_ORGANIZATION


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_a_call_without_an_answer(planned: Planned, phase: Phase) -> None:
    assert fail_at(phase, planned, sdk.ReadTimeoutError(**URL)).cause is Cause.TIMED_OUT


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_no_credentials(planned: Planned, phase: Phase) -> None:
    assert fail_at(phase, planned, sdk.NoCredentialsError()).cause is Cause.CREDENTIALS
