"""`rollback_on_failure` with real actions on a real back-end: what was done is put back, the last step first."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from remediation import PlaybookExecution, PlaybookExecutor, PlaybookStatus, RemediationPlaybook
from tests.conftest import ACCOUNT

SSH, RDP, FTP = 22, 3389, 21
Write = tuple[str, int]


def rule(port: int, **source: object) -> dict[str, object]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        **(source or {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": f"for {port}"}]}),
    }


def ports(ec2: Any, group: str) -> list[int]:
    """Return the ports that the world may come in by, with one entry for each source."""
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return sorted(one["FromPort"] for one in found["SecurityGroupRules"] if not one["IsEgress"])


@pytest.fixture
def group(ec2: Any, security_group: str) -> str:
    permissions = [rule(SSH), rule(RDP), rule(FTP)]
    ec2.authorize_security_group_ingress(GroupId=security_group, IpPermissions=permissions)
    return security_group


@pytest.fixture
def somebody(moto_endpoint: str, group: str) -> Callable[[], None]:
    """Return what somebody else does with a client of their own: say what the FTP rule is for."""
    client = boto3.client("ec2", endpoint_url=moto_endpoint, region_name="us-east-1")
    texts = [{"CidrIp": "0.0.0.0/0", "Description": "for the vendor, until May"}]
    return lambda: (
        client.update_security_group_rule_descriptions_ingress(
            GroupId=group, IpPermissions=[rule(FTP, IpRanges=texts)]
        )
        and None
    )


def watch(ec2: Any, somebody: Callable[[], None]) -> list[str]:
    """Note the calls that write as they leave; after the second, somebody else changes what the third is about."""
    writes: list[str] = []

    def note(model: Any, params: Any, **_: object) -> None:
        if model.name.endswith("SecurityGroupIngress"):
            port = params["body"].get("IpPermissions.1.FromPort", "")
            writes.append(f"{model.name.partition('Security')[0]} {port}".strip())

    def meddle(**_: object) -> None:
        if len(writes) == 2:
            somebody()

    ec2.meta.events.register("before-call.ec2", note)
    ec2.meta.events.register("after-call.ec2.RevokeSecurityGroupIngress", meddle)
    return writes


def run(ec2: Any, group: str, *, put_back: bool) -> PlaybookExecution:
    book = RemediationPlaybook("THREE", "Close three doors", "", "Network", "HIGH")
    book.rollback_on_failure = put_back
    for port in (SSH, RDP, FTP):
        step = {"service": "ec2", "action": "revoke-security-group-ingress", "params": {"ports": [port]}}
        book.add_action(f"close_{port}", "aws", step)
    found = {
        "id": f"open-{group}",
        "title": "Open to the world",
        "severity": "HIGH",
        "provider": "aws",
        "account_id": ACCOUNT,
        "region": "us-east-1",
        "resource": f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{group}",
    }
    executor = PlaybookExecutor({"ec2": ec2})
    asked = executor.execute_playbook(book, found, "analyst@company.com")
    assert asked.status is PlaybookStatus.PENDING, asked.error
    executor.approve_execution(asked.execution_id, "manager@company.com")
    return executor.get_execution(asked.execution_id)


def test_two_real_fixes_are_put_back_in_reverse_order(
    ec2: Any, group: str, somebody: Callable[[], None]
) -> None:
    writes = watch(ec2, somebody)
    ended = run(ec2, group, put_back=True)
    assert ended.status is PlaybookStatus.ROLLED_BACK, ended.error
    assert str(ended.error).endswith("What had been done was put back.")
    assert writes == ["Revoke", "Revoke", f"Authorize {RDP}", f"Authorize {SSH}"]
    assert ports(ec2, group) == [FTP, SSH, RDP]


def test_without_it_what_was_done_stays(ec2: Any, group: str, somebody: Callable[[], None]) -> None:
    writes = watch(ec2, somebody)
    ended = run(ec2, group, put_back=False)
    assert ended.status is PlaybookStatus.FAILED
    assert writes == ["Revoke", "Revoke"]
    assert ports(ec2, group) == [FTP]
