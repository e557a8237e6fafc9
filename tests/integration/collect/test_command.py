"""`countersign audit aws` against moto's server: what it stores, what it says, and how it fails."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from typer.testing import CliRunner

from audit.actor import Actor
from audit.collect import PERMISSIONS
from audit.errors import Cause, InputError, PermanentActionError
from bot.auditing import AuditRequest, audit_account, read_policy
from bot.cli import app
from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.aws.session_policy import LONGEST_POLICY, session_policy
from tests.conftest import ACCOUNT, NOW
from tests.databases import migrate, stores_in_memory
from tests.fakes.sts import Sts, serving

ANA = Actor(email="ana@northwind.example")
OTHER = "311111111111"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_endpoint: str) -> CliRunner:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    url = f"sqlite:///{tmp_path / 'test.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    migrate(url)
    return CliRunner()


def test_an_audit_is_a_report_like_any_other(shell: CliRunner) -> None:
    words = ["audit", "aws", "--account", ACCOUNT, "--region", "us-west-2", "--json"]
    done = shell.invoke(app, words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["summary"]["account_id"] == ACCOUNT
    assert said["summary"]["critical"] >= 1, "moto's root user has no MFA"
    assert set(said["compliance"]) >= {"CIS-3.0", "CIS v8", "PCI DSS"}
    # S3 Control lives at a host that begins with the account, which moto's address cannot have: unread, and said so.
    assert any("s3:GetAccountPublicAccessBlock" in reason for reason in said["unread"])
    listed = json.loads(shell.invoke(app, ["report", "list", "--json"]).stdout)
    assert [report["report_id"] for report in listed] == [said["report_id"]]
    assert listed[0]["source"] == "AWS account"
    assert "The trail holds: 1 entries" in shell.invoke(app, ["trail", "verify"]).output


def test_the_accounts_own_block_is_read_where_its_host_can_be_reached(
    shell: CliRunner, monkeypatch: pytest.MonkeyPatch, moto_endpoint: str, s3control: Any
) -> None:
    s3control.delete_public_access_block(AccountId=ACCOUNT)  # of an earlier test of this process
    # As a proxy, moto is sent whatever host the SDK wants, the one that begins with the account too.
    monkeypatch.setenv("HTTP_PROXY", moto_endpoint)
    done = shell.invoke(app, ["audit", "aws", "--account", ACCOUNT, "--region", "us-west-2", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert not [reason for reason in said["unread"] if "PublicAccessBlock" in reason]
    listed = shell.invoke(
        app, ["report", "findings", "check:s3_account_level_public_access_blocks", "--json"]
    )
    (finding,) = json.loads(listed.stdout)["findings"]
    assert (finding["resource"], finding["status"]) == (ACCOUNT, "FAIL")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["audit", "aws"], 2, "name the account"),
        (["audit", "aws", "--account", "12345"], 1, "is not an AWS account id"),
        (["audit", "aws", "--account", OTHER], 1, "accounts.aws names no role"),
        (["audit", "aws", "--account", OTHER, "--region", "eu-west-1"], 1, "accounts.aws names no role"),
    ],
)
def test_what_cannot_be_audited_is_said_in_a_line_and_stores_nothing(
    shell: CliRunner, words: list[str], code: int, says: str
) -> None:
    done = shell.invoke(app, words)
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert json.loads(shell.invoke(app, ["report", "list", "--json"]).stdout) == []


def test_the_policy_reads_and_fits_a_session(shell: CliRunner) -> None:
    printed = json.loads(shell.invoke(app, ["audit", "aws", "--permissions"]).stdout)
    assert printed == read_policy()
    names = printed["Statement"][0]["Action"]
    assert names == list(PERMISSIONS)
    # Making a credential report is the one that is not called a read; it changes no setting.
    reads = {"Get", "List", "Describe", "Generate"}
    assert all(any(name.partition(":")[2].startswith(word) for word in reads) for name in names)
    assert len(session_policy((name, "*") for name in names)) < LONGEST_POLICY


@pytest.mark.slow
def test_every_client_is_held_to_reading(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a role the session may do what an audit takes, whatever else the role may."""
    sts = Sts()
    with serving(sts):
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        role = AwsRole(arn="arn:aws:iam::{account_id}:role/countersign")
        clients = Boto3Clients(accounts=AwsAccounts(role=role))
        stores = stores_in_memory()
        request = AuditRequest(account_id=OTHER, regions=("us-east-1",))
        audit_account(clients, stores.reports, request, actor=ANA, now=NOW)
    policies = {one["Policy"] for one in sts.assumed()}
    assert len(policies) == 1
    (statement,) = json.loads(policies.pop())["Statement"]
    assert statement["Action"] == list(PERMISSIONS)
    assert all(one["RoleArn"].split(":")[4] == OTHER for one in sts.assumed())


class Recording:
    """Hands out moto's clients, and keeps which it was asked for."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.asked = endpoint, dict[tuple[str, str], Any]()
        self.session = boto3.Session()

    def client(self, service: str, *, region: str, access: Any) -> Any:
        if (service, region) not in self.asked:
            where = region or "us-east-1"
            made = self.session.client(service, endpoint_url=self.endpoint, region_name=where, config=ONCE)
            self.asked[service, region] = made
        return self.asked[service, region]

    def account_id(self) -> str:
        return ACCOUNT


@pytest.mark.slow
def test_without_regions_all_enabled_ones_are_read(moto_endpoint: str) -> None:
    clients, heard = Recording(moto_endpoint), list[tuple[str, int, int]]()
    stores = stores_in_memory()

    def say(name: str, done: int, of: int) -> None:
        heard.append((name, done, of))

    request = AuditRequest(account_id=ACCOUNT)
    done, unread = audit_account(clients, stores.reports, request, actor=ANA, now=NOW, say=say)
    groups = {region for service, region in clients.asked if service == "ec2"}
    assert {"eu-central-1", "sa-east-1"} <= groups
    assert heard[-1] == ("done", len(heard) - 1, len(heard) - 1)
    assert [position for _, position, _ in heard] == list(range(len(heard)))
    assert done.header.summary["manual"] == len(unread)


def test_regions_that_cannot_be_listed_have_to_be_named(moto_endpoint: str) -> None:
    class Blind(Recording):
        def client(self, service: str, *, region: str, access: Any) -> Any:
            if service == "ec2":
                raise PermanentActionError("Could not look", cause=Cause.DENIED)
            return super().client(service, region=region, access=access)

    stores = stores_in_memory()
    with pytest.raises(InputError, match="name the regions with --region"):
        audit_account(
            Blind(moto_endpoint), stores.reports, AuditRequest(account_id=ACCOUNT), actor=ANA, now=NOW
        )
    assert stores.reports.list_reports() == []
