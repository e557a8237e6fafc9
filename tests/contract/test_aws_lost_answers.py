"""A write is done and its answer gets lost: what the SDK sends again is harmless twice, and what is not is sent once."""

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from audit.errors import RefusedError
from audit.findings import Finding
from remediation import PlaybookExecution, PlaybookExecutor, PlaybookStatus, RemediationPlaybook
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.aws.sending import sent_once
from remediation.actions.equipment import Equipment
from remediation.actions.registry import Step
from remediation.attempt import do, put_back
from remediation.plan import ActionPlan
from remediation.states import ActionStatus
from tests.contract.cases import all_cases
from tests.contract.cases.aws_account_public_access import AccountPublicAccessCase
from tests.contract.cases.aws_ebs import EncryptedCopyCase
from tests.contract.cases.aws_identity import RotateKeyCase
from tests.contract.cases.aws_services import ACCOUNT
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry
from tests.contract.writes_page import ONCE, writes
from tests.fakes.losing_aws import LosingAws
from tests.fakes.moto_clients import ONCE as ONE_TRY
from tests.fakes.moto_clients import account_client, moto_client

HOW_OFTEN = writes("aws")
MADE_ONCE = {call for call, how in HOW_OFTEN.items() if how == ONCE}
CASES = [(kind, kind.unsettled) for kind in all_cases() if ".aws" in kind.__module__]
CASES.append((RotateKeyCase, "no secret"))
DROP = "s3:delete-bucket-policy"


@pytest.fixture
def way(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LosingAws]:
    """The way to AWS, for whoever makes a client without saying where."""
    with LosingAws.before(moto_endpoint) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
        yield way


@pytest.fixture
def case(request: pytest.FixtureRequest) -> ActionCase:
    kind, state = request.param
    made: ActionCase = kind.prepare(request)
    made.set_state(state)
    return made


def step_of(case: ActionCase) -> tuple[Step, ActionPlan]:
    """Return an action on the clients that the product makes, and its plan."""
    is_of_account = isinstance(case, AccountPublicAccessCase)  # its address would be one of the account's own
    clients = OneClient(account_client(os.environ["AWS_ENDPOINT_URL"])) if is_of_account else Boto3Clients()
    step = aws_registry(clients).resolve(case.written)
    return step, step.plan(case.target())


def check_tries(way: LosingAws) -> None:
    """Hold what was sent to the page that says how often it is."""
    said = {call: 1 if HOW_OFTEN[call] == ONCE else 2 for call in way.tries}
    assert dict(way.tries) == said


@pytest.mark.parametrize("case", CASES, indirect=True, ids=lambda of: f"{of[0].__name__}-{of[1]}")
def test_what_is_sent_again_is_done_once_and_so_is_putting_it_back(case: ActionCase, way: LosingAws) -> None:
    step, plan = step_of(case)
    before = case.read_raw()
    way.is_losing, way.spared = True, MADE_ONCE
    done = do(step, plan)
    assert (done.status, done.error, done.message) == (ActionStatus.COMPLETED, None, "")
    way.spared = frozenset()
    back = put_back(step, plan, left=None)
    assert (back.status, back.error) == (ActionStatus.COMPLETED, None)
    assert case.read_raw() == before
    check_tries(way)


def run(
    case_or_bucket: ActionCase | str, finding: Finding, clients: dict[str, object] | None = None
) -> tuple[PlaybookExecutor, PlaybookExecution]:
    """Run a step through the journal, as people get it, with the product's clients or with those handed in."""
    book = RemediationPlaybook("ONE", "One", "One step.", "Storage", "HIGH")
    about = {**finding.to_dict(), "account_id": ACCOUNT}
    if isinstance(case_or_bucket, str):
        how = {
            "service": "s3",
            "action": "delete-bucket-policy",
            "params": {"Bucket": case_or_bucket},
        }
        book.add_action("drop_policy", "aws", how)
    else:
        target = case_or_bucket.target()
        book.actions.append(case_or_bucket.written)
        about |= {"resource": target.resource, "region": target.region}
    executor = PlaybookExecutor(clients, equipment=Equipment(raw_calls=frozenset({DROP})))
    asked = executor.execute_playbook(book, about, "ana@northwind.example")
    assert asked.status is PlaybookStatus.PENDING, asked.error
    executor.approve_execution(asked.execution_id, "omar@northwind.example")
    return executor, executor.get_execution(asked.execution_id)


@pytest.fixture
def policied(s3: Any, bucket: str) -> str:
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    return bucket


@pytest.mark.parametrize("mode", ["ours", "standard", "legacy", "adaptive"])
def test_a_raw_call_is_sent_once_whoever_made_the_client(
    way: LosingAws, policied: str, finding: Finding, mode: str
) -> None:
    theirs: dict[str, object] = {}
    if mode != "ours":
        config = Config(retries={"mode": mode, "total_max_attempts": 4})  # type: ignore[typeddict-item]
        theirs["s3"] = boto3.client("s3", region_name="us-east-1", config=config)
    way.is_losing = True
    _, failed = run(policied, finding, theirs or None)
    assert way.tries == {"DeleteBucketPolicy": 1}
    assert failed.status is PlaybookStatus.FAILED
    assert "Could not call s3 delete-bucket-policy" in str(failed.error)
    assert "nobody can tell whether it was done. Next: look at the resource" in str(failed.error)


def test_a_raw_call_that_was_never_sent_is_not_doubted(policied: str, finding: Finding) -> None:
    nowhere = boto3.client("s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:1")
    _, failed = run(policied, finding, {"s3": nowhere})
    assert failed.status is PlaybookStatus.FAILED
    assert "Could not connect" in str(failed.error)
    assert "nobody can tell" not in str(failed.error)


def test_and_the_client_that_was_handed_in_still_repeats_what_it_repeated(
    way: LosingAws, bucket: str, finding: Finding
) -> None:
    theirs = boto3.client("s3", region_name="us-east-1")
    sent_once(theirs)
    way.is_losing = True
    theirs.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert way.tries == {"PutBucketLogging": 2}


@pytest.mark.parametrize("lost", ["CreateSnapshot", pytest.param("CopySnapshot", marks=pytest.mark.slow)])
def test_a_snapshot_whose_answer_is_lost_is_asked_for_once_and_can_be_put_back(
    way: LosingAws, request: pytest.FixtureRequest, finding: Finding, lost: str
) -> None:
    case = EncryptedCopyCase.prepare(request)
    before = case.read_raw()
    way.is_losing, way.spared = True, HOW_OFTEN.keys() - {lost}
    executor, failed = run(case, finding)
    assert way.tries[lost] == 1
    assert failed.status is PlaybookStatus.FAILED
    assert "Could not make the" in str(failed.error)
    _, made = case.read_raw()  # type: ignore[misc]
    assert len(made) == (1 if lost == "CreateSnapshot" else 2)
    assert executor.rollback_execution(failed.execution_id)
    assert case.read_raw() == before


@pytest.mark.slow
def test_what_it_left_is_used_by_the_next_request(
    way: LosingAws, request: pytest.FixtureRequest, finding: Finding
) -> None:
    case = EncryptedCopyCase.prepare(request)
    way.is_losing, way.spared = True, HOW_OFTEN.keys() - {"CreateSnapshot"}
    run(case, finding)
    way.is_losing = False
    _, done = run(case, finding)
    assert done.status is PlaybookStatus.COMPLETED
    _, made = case.read_raw()  # type: ignore[misc]
    assert len(made) == 3


def test_a_key_whose_answer_is_lost_is_asked_for_once_and_left_to_a_person(
    way: LosingAws, request: pytest.FixtureRequest, finding: Finding
) -> None:
    case = RotateKeyCase.prepare(request)
    case.set_state("no secret")
    way.is_losing, way.spared = True, HOW_OFTEN.keys() - {"CreateAccessKey"}
    executor, failed = run(case, finding)
    assert way.tries["CreateAccessKey"] == 1
    assert failed.status is PlaybookStatus.FAILED
    assert len(case.keys()) == 2
    assert case.labels() is None, "the secret that was made for it is gone again"
    with pytest.raises(RefusedError, match="not stored in"):
        executor.rollback_execution(failed.execution_id)
    assert len(case.keys()) == 2, "nothing shows whose the new key is, so nobody deletes it"


def test_a_secret_of_which_no_answer_came_at_all_is_taken_away_again(
    way: LosingAws, request: pytest.FixtureRequest
) -> None:
    case = RotateKeyCase.prepare(request)
    case.set_state("no secret")
    before = case.read_raw()
    once = {name: moto_client(name, way.url, config=ONE_TRY) for name in ("iam", "secretsmanager", "sts")}
    step = aws_registry(Boto3Clients(once)).resolve(case.written)
    way.is_losing, way.spared = True, HOW_OFTEN.keys() - {"CreateSecret"}
    assert do(step, step.plan(case.target())).status is ActionStatus.FAILED
    assert way.tries["CreateSecret"] == 1
    assert case.read_raw() == before
