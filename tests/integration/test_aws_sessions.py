"""Roles are assumed with no more rights than the plan needs, kept while they are good, and explained when refused."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.clients import Access, Boto3Clients
from remediation.actions.aws.sessions import RENEW_BEFORE
from tests.conftest import ACCOUNT
from tests.fakes.sts import SECRET, TOKEN, Sts, serving

pytestmark = pytest.mark.slow

OTHER = "222233334444"
ROLE = f"arn:aws:iam::{OTHER}:role/countersign"
ACCOUNTS = AwsAccounts(
    role=AwsRole(
        arn="arn:aws:iam::{account_id}:role/countersign", external_id=SecretStr("canary-external-id")
    )
)
READ = ("s3:GetBucketAcl", "arn:aws:s3:::acme")
WRITE = ("s3:PutBucketAcl", "arn:aws:s3:::acme")
PLAN = Access(account_id=OTHER, allowed=(READ,))
APPLY = Access(account_id=OTHER, allowed=(READ, WRITE))


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    with serving(Sts()) as one:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", one.url)
        yield one


def refusal(sts: Sts, status: int, code: str, text: str) -> ActionError:
    sts.refusal = (status, code, text)
    with pytest.raises(ActionError) as caught:
        Boto3Clients(accounts=ACCOUNTS).client("s3", region="eu-west-1", access=PLAN)
    line = caught.value.explain()
    assert ROLE in line
    assert "canary" not in line
    assert len(line.splitlines()) == 1
    return caught.value


def test_a_role_is_assumed_with_exactly_the_rights_asked_for(sts: Sts) -> None:
    client = Boto3Clients(accounts=ACCOUNTS).client("s3", region="eu-west-1", access=APPLY)
    [asked] = sts.assumed()
    assert asked["RoleArn"] == ROLE
    assert asked["RoleSessionName"] == "countersign"
    assert asked["ExternalId"] == "canary-external-id"
    assert asked["DurationSeconds"] == "900"
    assert json.loads(asked["Policy"])["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetBucketAcl", "s3:PutBucketAcl"], "Resource": "arn:aws:s3:::acme"}
    ]
    assert client.meta.region_name == "eu-west-1"


def test_a_role_without_an_external_id_is_assumed_without_one(sts: Sts) -> None:
    accounts = AwsAccounts(overrides={OTHER: AwsRole(arn=ROLE)})
    Boto3Clients(accounts=accounts).client("s3", region="eu-west-1", access=PLAN)
    assert "ExternalId" not in sts.assumed()[0]


def test_a_policy_too_long_for_aws_never_leaves(sts: Sts) -> None:
    many = tuple((f"s3:Get{number}", f"arn:aws:s3:::{'x' * 50}-{number}") for number in range(30))
    with pytest.raises(PermanentActionError, match="AWS takes 2,048"):
        Boto3Clients(accounts=ACCOUNTS).client(
            "s3", region="eu-west-1", access=Access(account_id=OTHER, allowed=many)
        )
    assert sts.asked == []


def test_one_session_serves_all_who_may_do_the_same(sts: Sts) -> None:
    clients = Boto3Clients(accounts=ACCOUNTS)
    all_asking = threading.Barrier(8)

    def ask(_: int) -> object:
        all_asking.wait()
        return clients.client("s3", region="eu-west-1", access=PLAN)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(client) for client in pool.map(ask, range(8))}) == 1
    clients.client("ec2", region="eu-west-1", access=PLAN)
    clients.client("s3", region="us-east-1", access=PLAN)
    assert len(sts.assumed()) == 1


def test_other_rights_or_another_account_take_another_session(sts: Sts) -> None:
    clients = Boto3Clients(accounts=ACCOUNTS)
    third = Access(account_id="333344445555", allowed=(READ,))
    made = [clients.client("s3", region="eu-west-1", access=access) for access in (PLAN, APPLY, third)]
    assert len(set(map(id, made))) == 3
    assert len(sts.assumed()) == 3


def test_sessions_for_different_targets_are_asked_for_side_by_side(sts: Sts) -> None:
    both = threading.Barrier(2, timeout=30)
    sts.while_answering = both.wait
    clients = Boto3Clients(accounts=ACCOUNTS)

    def ask(access: Access) -> object:
        return clients.client("s3", region="eu-west-1", access=access)

    with ThreadPoolExecutor(2) as pool:
        assert len(set(map(id, pool.map(ask, (PLAN, APPLY))))) == 2


def test_credentials_are_renewed_before_they_end(sts: Sts) -> None:
    now = datetime.now(UTC)
    clients = Boto3Clients(accounts=ACCOUNTS, clock=lambda: now)
    first = clients.client("s3", region="eu-west-1", access=PLAN)
    now += sts.lifetime - RENEW_BEFORE - timedelta(seconds=30)
    assert clients.client("s3", region="eu-west-1", access=PLAN) is first
    now += timedelta(seconds=60)
    assert clients.client("s3", region="eu-west-1", access=PLAN) is not first
    assert len(sts.assumed()) == 2


def test_a_refused_role_is_asked_for_anew(sts: Sts) -> None:
    clients = Boto3Clients(accounts=ACCOUNTS)
    sts.refusal = (403, "AccessDenied", "no")
    with pytest.raises(PermanentActionError):
        clients.client("s3", region="eu-west-1", access=PLAN)
    sts.refusal = None
    assert clients.client("s3", region="eu-west-1", access=PLAN)


def test_a_refusal_says_which_role_and_what_to_check(sts: Sts) -> None:
    error = refusal(sts, 403, "AccessDenied", "User: arn:aws:iam::1:user/bot is not authorized")
    assert error.cause is Cause.NOT_TRUSTED
    assert error.request_id == "req-sts"
    assert "the bot sent an external id" in error.explain()
    assert "trust policy" in error.explain()


def test_where_no_external_id_is_configured_the_refusal_says_so(sts: Sts) -> None:
    sts.refusal = (403, "AccessDenied", "no")
    accounts = AwsAccounts(overrides={OTHER: AwsRole(arn=ROLE)})
    with pytest.raises(PermanentActionError, match="the bot sent no external id"):
        Boto3Clients(accounts=accounts).client("s3", region="eu-west-1", access=PLAN)


@pytest.mark.parametrize(
    ("status", "code", "text", "cause"),
    [
        (400, "PackedPolicyTooLarge", "104% of the allotted size", Cause.INVALID),
        (403, "RegionDisabledException", "STS is not activated in this region", Cause.WRONG_REGION),
        (
            403,
            "AccessDenied",
            "with an explicit deny in a service control policy",
            Cause.DENIED_BY_ORGANIZATION,
        ),
        (403, "ExpiredToken", "The security token included in the request is expired", Cause.CREDENTIALS),
    ],
)
def test_other_refusals_keep_their_cause(sts: Sts, status: int, code: str, text: str, cause: Cause) -> None:
    error = refusal(sts, status, code, text)
    assert error.cause is cause
    assert ("wider rights" in str(error)) is (code == "PackedPolicyTooLarge")


def test_sts_that_cannot_be_reached_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Sts()) as gone:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", gone.url)
    with pytest.raises(TemporaryActionError) as caught:
        Boto3Clients(accounts=ACCOUNTS).client("s3", region="eu-west-1", access=PLAN)
    assert caught.value.cause is Cause.UNAVAILABLE


def test_as_who_we_are_nothing_is_done_in_another_account(sts: Sts) -> None:
    clients = Boto3Clients()
    with pytest.raises(PermanentActionError, match=f"account {OTHER}.* belong to {ACCOUNT}") as caught:
        clients.client("ec2", region="eu-west-1", access=PLAN)
    assert caught.value.cause is Cause.WRONG_ACCOUNT
    assert clients.client("ec2", region="eu-west-1", access=Access(account_id=ACCOUNT))
    assert len(sts.asked) == 1


def test_nor_where_nobody_says_who_we_are(sts: Sts) -> None:
    sts.refusal = (403, "InvalidClientTokenId", "no")
    with pytest.raises(PermanentActionError) as caught:
        Boto3Clients().client("ec2", region="eu-west-1", access=Access(account_id=ACCOUNT))
    assert caught.value.cause is Cause.CREDENTIALS


def test_an_account_without_a_role_among_those_with_one_is_not_entered(sts: Sts) -> None:
    clients = Boto3Clients(accounts=AwsAccounts(overrides={OTHER: AwsRole(arn=ROLE)}))
    with pytest.raises(PermanentActionError, match="accounts.aws names no role"):
        clients.client("s3", region="eu-west-1", access=Access(account_id="333344445555"))


def test_a_target_without_an_account_is_ours_and_still_narrowed(sts: Sts) -> None:
    Boto3Clients(accounts=ACCOUNTS).client("s3", region="eu-west-1", access=Access(allowed=(READ,)))
    [asked] = sts.assumed()
    assert asked["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/countersign"
    assert "s3:GetBucketAcl" in asked["Policy"]


def test_clients_handed_in_are_checked_where_sts_is_among_them(sts: Sts) -> None:
    own = Boto3Clients().client("sts", region="us-east-1", access=Access())
    clients = Boto3Clients({"s3": "an s3 client", "sts": own})
    assert clients.client("s3", region="", access=Access(account_id=ACCOUNT)) == "an s3 client"
    with pytest.raises(PermanentActionError, match="belong to"):
        clients.client("s3", region="", access=PLAN)


def test_a_resource_without_a_region_is_asked_for_in_the_configured_one(sts: Sts) -> None:
    clients = Boto3Clients(accounts=AwsAccounts(region="eu-central-1"))
    for region in ("", "global"):
        client = clients.client("ec2", region=region, access=Access(account_id=ACCOUNT))
        assert client.meta.region_name == "eu-central-1"


def test_there_is_a_limit_to_what_is_kept(sts: Sts) -> None:
    clients = Boto3Clients(accounts=ACCOUNTS)
    clients.client("s3", region="eu-west-1", access=PLAN)
    assert 0 < clients._made._room <= 1024
    assert 0 < clients._sessions._kept._room <= 1024


def test_credentials_do_not_show(sts: Sts) -> None:
    clients = Boto3Clients(accounts=ACCOUNTS)
    client = clients.client("s3", region="eu-west-1", access=PLAN)
    role = ACCOUNTS.role_for(OTHER)
    assert role
    credentials = clients._sessions.assume(
        role, json.dumps(json.loads(sts.assumed()[0]["Policy"]), separators=(",", ":"))
    )
    assert len(sts.assumed()) == 1
    shown = f"{clients!r} {vars(clients)!r} {client!r} {credentials!r} {role!r}"
    assert "canary" not in shown.lower()
    assert credentials.secret_access_key.get_secret_value() == SECRET


PROGRAM = """
import logging, sys
from pydantic import SecretStr
from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.clients import Access, Boto3Clients

role = AwsRole(arn="arn:aws:iam::{account_id}:role/countersign", external_id=SecretStr("canary-external-id"))
clients = Boto3Clients(accounts=AwsAccounts(role=role))
early, late = Access(account_id="222233334444"), Access(account_id="333344445555")
clients.client("s3", region="eu-west-1", access=early)
logging.basicConfig(level=logging.DEBUG)
clients.client("s3", region="eu-west-1", access=late)
clients.account_id()
logging.getLogger("ours").debug("debugging is on")
"""


def test_debugging_switched_on_later_shows_nothing_of_the_sdk(
    sts: Sts, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert len(sts.assumed()) == 2
    assert done.stderr == "DEBUG:ours:debugging is on\n"
    for canary in (SECRET, TOKEN, "ASIACANARY", "canary-external-id"):
        assert canary not in done.stdout + done.stderr


def test_what_the_sdk_would_say_is_what_must_not_be_seen(sts: Sts, caplog: pytest.LogCaptureFixture) -> None:
    """The guard above guards something: with its loggers let loose, botocore prints the very secrets."""
    clients = Boto3Clients(accounts=ACCOUNTS)
    clients.client("sts", region="eu-west-1", access=APPLY)
    logger = logging.getLogger("botocore")
    pinned, level = logger.level, logging.DEBUG
    logger.setLevel(level)
    try:
        with caplog.at_level(level):
            clients._own_sts("us-east-1").assume_role(RoleArn=ROLE, RoleSessionName="loose")
    finally:
        logger.setLevel(pinned)
    assert SECRET in caplog.text
    assert pinned == logging.WARNING
