"""How the other actions on AWS take a no, at every phase: one line that names the cause and the next step."""

from typing import Any

import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from audit.errors import Cause
from remediation.actions.registry import Step
from remediation.plan import ActionPlan
from tests.contract.cases.aws_account_public_access import AccountPublicAccessCase
from tests.contract.cases.aws_ebs import EbsDefaultEncryptionCase, EncryptedCopyCase
from tests.contract.cases.aws_security_group import SecurityGroupCase
from tests.contract.cases.contract import ActionCase
from tests.contract.test_action_errors import PHASES, Failing, Phase, explained, said

pytestmark = pytest.mark.slow

KINDS: dict[type[ActionCase], str] = {
    AccountPublicAccessCase: "123456789012",
    EbsDefaultEncryptionCase: "us-east-1",
    EncryptedCopyCase: "vol-",
    SecurityGroupCase: "sg-",
}
BY_ORGANIZATION = "is not authorized: explicit deny in a service control policy"
ERRORS: dict[str, tuple[Exception, Cause]] = {
    "denied": (said("UnauthorizedOperation", status=403), Cause.DENIED),
    "denied by the organization": (
        said("UnauthorizedOperation", status=403, text=BY_ORGANIZATION),
        Cause.DENIED_BY_ORGANIZATION,
    ),
    "expired": (said("RequestExpired"), Cause.CREDENTIALS),
    "throttled": (said("RequestLimitExceeded", status=503), Cause.THROTTLED),
    "snapshots throttled": (said("SnapshotCreationPerVolumeRateExceeded"), Cause.THROTTLED),
    "gone": (said("InvalidSnapshot.NotFound"), Cause.NOT_FOUND),
    "in use": (said("InvalidSnapshot.InUse"), Cause.CHANGED_MEANWHILE),
    "timed out": (sdk.ReadTimeoutError(endpoint_url="https://aws.example"), Cause.TIMED_OUT),
    "unreadable": (ResponseParserError("<html>\nlines"), Cause.UNAVAILABLE),
}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest) -> ActionCase:
    made: ActionCase = request.param.prepare(request)
    made.set_state(made.unsettled)
    return made


def failing(case: ActionCase, error: Exception) -> tuple[Step, ActionPlan]:
    plan = case.registry().resolve(case.written).plan(case.target())

    def wrap(client: Any) -> Failing:
        return Failing(client, error)

    return case.registry(wrap=wrap).resolve(case.written), plan


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_each_no_is_explained(case: ActionCase, phase: Phase) -> None:
    for error, cause in ERRORS.values():
        step, plan = failing(case, error)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - `explained` looks at it
            phase(step, plan)
        assert explained(caught.value, about=KINDS[type(case)]).cause is cause  # type: ignore[arg-type]
        assert caught.value.__cause__ is error


@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_what_is_no_error_of_the_cloud_stays_a_bug(case: ActionCase, phase: Phase) -> None:
    step, plan = failing(case, KeyError("ours"))
    with pytest.raises(KeyError, match="ours"):
        phase(step, plan)
