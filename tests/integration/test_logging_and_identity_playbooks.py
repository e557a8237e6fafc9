"""ENABLE-LOGGING, ENABLE-MFA and ROTATE-CREDENTIALS on AWS, whole, through the public imports, on moto's server."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from audit.errors import InputError, RefusedError
from remediation import PlaybookExecutor, PlaybookLibrary, PlaybookStatus
from tests.contract.cases.aws_identity import DENY, MfaGroupCase, RotateKeyCase
from tests.contract.cases.aws_logging import (
    AwsCase,
    BucketLoggingCase,
    CreateTrailCase,
    FlowLogsCase,
    StartLoggingCase,
    let_in,
)
from tests.contract.cases.aws_services import ACCOUNT

pytestmark = pytest.mark.slow

ASKER, SIGNER = "analyst@company.com", "manager@company.com"
SERVICES = ("s3", "cloudtrail", "iam", "secretsmanager", "sts")


def finding(case: AwsCase, **more: str) -> dict[str, Any]:
    target = case.target()
    return {
        "id": uuid.uuid4().hex,
        "title": "Something is missing",
        "severity": "HIGH",
        "status": "FAIL",
        "provider": "aws",
        "account_id": ACCOUNT,
        "region": target.region,
        "resource": target.resource,
        **more,
    }


def executor_of(case: AwsCase) -> PlaybookExecutor:
    clients = {service: case.clients.raw(service) for service in SERVICES}
    return PlaybookExecutor({**clients, "ec2": case.clients.raw("ec2", region="eu-west-1")})


def log_bucket(case: AwsCase, service: str, *, region: str = "us-east-1") -> None:
    """Make the bucket that the playbook as it ships names."""
    name = f"countersign-logs-{ACCOUNT}-{region}"
    case.s3.create_bucket(Bucket=name)
    let_in(case.s3, name, service)


def require_mfa(case: MfaGroupCase) -> None:
    """Make the group that the playbook as it ships names."""
    if "require-mfa" not in {group["GroupName"] for group in case.iam.list_groups()["Groups"]}:
        case.iam.create_group(GroupName="require-mfa")
    case.iam.put_group_policy(GroupName="require-mfa", PolicyName="d", PolicyDocument=json.dumps(DENY))


Journey = tuple[str, type[AwsCase], str, Callable[[Any], None], str]
JOURNEYS: list[Journey] = [
    (
        "ENABLE-LOGGING",
        BucketLoggingCase,
        "not logging",
        lambda case: log_bucket(case, "logging.s3.amazonaws.com"),
        "log_bucket_access",
    ),
    ("ENABLE-LOGGING", StartLoggingCase, "stopped", lambda case: None, "start_trail"),
    (
        "ENABLE-LOGGING",
        CreateTrailCase,
        "no trail",
        lambda case: log_bucket(case, "cloudtrail.amazonaws.com"),
        "create_trail",
    ),
    (
        "ENABLE-LOGGING",
        FlowLogsCase,
        "nobody",
        lambda case: log_bucket(case, "delivery.logs.amazonaws.com", region="eu-west-1"),
        "record_vpc_traffic",
    ),
    ("ENABLE-MFA", MfaGroupCase, "in another group", require_mfa, "require_mfa"),
    ("ROTATE-CREDENTIALS", RotateKeyCase, "no secret", lambda case: None, "rotate_access_key"),
    ("ROTATE-CREDENTIALS", RotateKeyCase, "a secret", lambda case: None, "rotate_access_key"),
]


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: f"{journey[4]}-{journey[2]}")
def test_from_a_finding_to_the_fix_and_back(moto_endpoint: str, journey: Journey) -> None:
    book, kind, state, furnish, step = journey
    case = kind(moto_endpoint)
    furnish(case)
    case.set_state(state)
    before, executor = case.read_raw(), executor_of(case)
    execution = executor.execute_playbook(PlaybookLibrary.get_all_playbooks()[book], finding(case), ASKER)
    assert execution.error is None
    assert [action.action_name for action in execution.actions] == [step]
    assert case.read_raw() == before

    assert executor.approve_execution(execution.execution_id, SIGNER)
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.COMPLETED
    assert case.read_raw() != before

    assert executor.rollback_execution(execution.execution_id)
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.ROLLED_BACK
    assert case.read_raw() == before


DRIFTS: list[tuple[str, type[AwsCase], Callable[[Any], object]]] = [
    (
        "ENABLE-LOGGING",
        StartLoggingCase,
        lambda case: case.trails.start_logging(Name=case.arn),
    ),
    (
        "ENABLE-LOGGING",
        CreateTrailCase,
        lambda case: case.trails.create_trail(
            Name="theirs", S3BucketName=f"countersign-logs-{ACCOUNT}-us-east-1"
        ),
    ),
    ("ENABLE-LOGGING", FlowLogsCase, lambda case: case.record()),
    (
        "ENABLE-MFA",
        MfaGroupCase,
        lambda case: case.iam.add_user_to_group(GroupName="require-mfa", UserName=case.user),
    ),
    ("ROTATE-CREDENTIALS", RotateKeyCase, lambda case: case.iam.create_access_key(UserName=case.user)),
    (
        "ROTATE-CREDENTIALS",
        RotateKeyCase,
        lambda case: case.secrets.create_secret(
            Name=f"countersign/access-keys/{case.user}", SecretString="theirs"
        ),
    ),
]


@pytest.mark.parametrize(("book", "kind", "change"), DRIFTS)
def test_what_changed_since_the_plan_is_not_written_over(
    moto_endpoint: str, book: str, kind: type[AwsCase], change: Callable[[Any], object]
) -> None:
    case = kind(moto_endpoint)
    log_bucket(case, "cloudtrail.amazonaws.com")
    if isinstance(case, MfaGroupCase):
        require_mfa(case)
    executor = executor_of(case)
    execution = executor.execute_playbook(PlaybookLibrary.get_all_playbooks()[book], finding(case), ASKER)
    change(case)
    drifted = case.read_raw()
    executor.approve_execution(execution.execution_id, SIGNER)
    ended = executor.get_execution(execution.execution_id)
    assert [action.before for action in ended.actions] == [None]
    assert case.read_raw() == drifted


@pytest.mark.parametrize(
    ("book", "resource"),
    [
        ("ENABLE-LOGGING", "arn:aws:rds:us-east-1:123456789012:db:acme"),
        ("ENABLE-LOGGING", "arn:aws:iam::123456789012:user/ana"),
    ],
)
def test_a_resource_that_no_step_is_for_is_refused(moto_endpoint: str, book: str, resource: str) -> None:
    case = StartLoggingCase(moto_endpoint)
    with pytest.raises(InputError, match="no step of"):
        executor_of(case).execute_playbook(
            PlaybookLibrary.get_all_playbooks()[book], finding(case, resource=resource), ASKER
        )


def test_the_root_user_is_a_persons_job(moto_endpoint: str) -> None:
    case = MfaGroupCase(moto_endpoint)
    before, executor = case.read_raw(), executor_of(case)
    asked = executor.execute_playbook(
        PlaybookLibrary.get_all_playbooks()["ENABLE-MFA"],
        finding(case, resource=f"arn:aws:iam::{ACCOUNT}:root", check_id="iam_root_mfa_enabled"),
        ASKER,
    )
    assert asked.plan is not None
    (planned,) = asked.plan.actions
    assert f"root user of account {ACCOUNT}" in str(planned.after["By hand, step 2"])
    assert not asked.plan.reversible
    assert executor.approve_execution(asked.execution_id, SIGNER)
    (signed,) = executor.get_execution(asked.execution_id).actions
    assert signed.message == "Signed; Countersign changed nothing"
    assert case.read_raw() == before
    with pytest.raises(RefusedError, match="nothing to roll back"):
        executor.rollback_execution(asked.execution_id)


SCRIPT = """
import logging, sys
{before}
import boto3
from remediation import PlaybookExecutor, PlaybookLibrary
endpoint, arn = sys.argv[1:]
make = lambda name: boto3.client(name, endpoint_url=endpoint, region_name="us-east-1")
executor = PlaybookExecutor({{name: make(name) for name in ("iam", "secretsmanager", "sts")}})
found = dict(id="f", title="t", severity="HIGH", provider="aws", account_id="{account}", resource=arn)
{after}
asked = executor.execute_playbook(PlaybookLibrary.get_all_playbooks()["ROTATE-CREDENTIALS"], found, "a@b.c")
executor.approve_execution(asked.execution_id, "d@e.f")
done = executor.get_execution(asked.execution_id)
print(done.status.value, repr(done), done.plan.to_dict())
"""
DEBUG = "logging.basicConfig(level=logging.DEBUG)"
# What leaves no chance to set levels beforehand: loggers of the SDK that are set to DEBUG by name.
BY_NAME = f"{DEBUG}; logging.getLogger('botocore').setLevel(logging.DEBUG)"


@pytest.mark.parametrize(("before", "after"), [(DEBUG, ""), ("", DEBUG), (BY_NAME, ""), ("", BY_NAME)])
def test_a_new_secret_is_printed_nowhere_however_much_is_logged(
    moto_endpoint: str, before: str, after: str
) -> None:
    case = RotateKeyCase(moto_endpoint)
    script = SCRIPT.format(before=before, after=after, account=ACCOUNT)
    done = subprocess.run(
        [sys.executable, "-c", script, moto_endpoint, case.arn], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("COMPLETED")
    stored = case.secrets.get_secret_value(SecretId=f"countersign/access-keys/{case.user}")["SecretString"]
    canary = json.loads(stored)["SecretAccessKey"]
    assert canary not in done.stdout + done.stderr
    assert json.dumps(canary)[1:-1] not in done.stdout + done.stderr
