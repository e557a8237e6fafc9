"""The playbooks for Azure from the request to the rollback, through the public imports, on the stand-in."""

from typing import Any

import pytest

from audit.errors import RefusedError
from audit.findings import Finding, Severity
from remediation import PlaybookExecutor, PlaybookLibrary, PlaybookStatus, find_playbook_for_finding
from remediation.actions.azure.clients import NETWORK, STORAGE
from tests.contract.backends_azure import (
    ACCOUNT_ID,
    CONTAINERS,
    NETWORK_ID,
    NSG_ID,
    SUBSCRIPTION,
    WATCHER_ID,
    add_account,
    add_flow_log,
    add_group,
    add_networks,
    arm,
    azure_clients,
)
from tests.fakes.arm import ArmStandIn, Fault

pytestmark = pytest.mark.slow

__all__ = ["arm", "azure_clients"]
ASKS, SIGNS = "analyst@company.com", "manager@company.com"
CLOSED = {
    "network_ssh_internet_access_restricted": {"ssh"},
    "network_rdp_internet_access_restricted": {"rdp"},
    "network_http_internet_access_restricted": {"web"},
    "network_udp_internet_access_restricted": {"dns", "snmp"},
    "some_other_scanners_check": {"ssh", "rdp"},
}
RULES: dict[str, dict[str, Any]] = {
    "ssh": {"description": "for the vendor"},
    "rdp": {"destinationPortRange": "3380-3390", "sourceAddressPrefix": "Internet"},
    "web": {"destinationPortRange": "80"},
    "dns": {"destinationPortRange": "53", "protocol": "Udp"},
    "snmp": {"destinationPortRange": "161", "protocol": "Udp"},
    "office": {"sourceAddressPrefix": "198.51.100.0/24"},
}


@pytest.fixture
def executor(azure_clients: Any) -> PlaybookExecutor:
    services = (NETWORK, STORAGE)
    return PlaybookExecutor(
        {name: azure_clients.client(name, subscription=SUBSCRIPTION) for name in services}
    )


def finding(check: str, resource: str, category: str, kind: str) -> dict[str, object]:
    return Finding(
        id=f"prowler-{check}",
        title="It is open",
        severity=Severity.HIGH,
        category=category,
        resource=resource,
        resource_type=kind,
        check_id=check,
        provider="azure",
        account_id=SUBSCRIPTION,
        region="westeurope",
    ).to_dict()


def blob_finding(resource: str = ACCOUNT_ID) -> dict[str, object]:
    check = "storage_blob_public_access_level_is_disabled"
    return finding(check, resource, "Storage", "microsoft.storage/storageaccounts")


def nsg_finding(check: str) -> dict[str, object]:
    return finding(check, NSG_ID, "Network", "microsoft.network/networksecuritygroups")


def there_and_back(executor: PlaybookExecutor, arm: ArmStandIn, found: dict[str, object]) -> dict[str, Any]:
    """Ask, sign, run and roll back; return what the world looked like in between."""
    before = dict(arm.world.raw())
    book = PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(found)]
    asked = executor.execute_playbook(book, found, ASKS)
    assert asked.status is PlaybookStatus.PENDING, asked.error
    assert dict(arm.world.raw()) == before
    assert executor.approve_execution(asked.execution_id, SIGNS)
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED, done.error
    assert all(action.request_ids for action in done.actions)
    between = dict(arm.world.raw())
    assert between != before
    assert executor.rollback_execution(asked.execution_id)
    assert executor.get_execution(asked.execution_id).status is PlaybookStatus.ROLLED_BACK
    assert dict(arm.world.raw()) == before
    return between


def test_blob_public_on_an_account(executor: PlaybookExecutor, arm: ArmStandIn) -> None:
    add_account(arm.world)
    between = there_and_back(executor, arm, blob_finding())
    assert between[ACCOUNT_ID.casefold()]["properties"]["allowBlobPublicAccess"] is False
    assert between[f"{CONTAINERS}/exports".casefold()]["properties"]["publicAccess"] == "Container"


def test_blob_public_on_one_container(executor: PlaybookExecutor, arm: ArmStandIn) -> None:
    add_account(arm.world)
    between = there_and_back(executor, arm, blob_finding(f"{CONTAINERS}/exports"))
    levels = {key.rpartition("/")[2]: body["properties"].get("publicAccess") for key, body in between.items()}
    assert levels == {"acmedata": None, "exports": "None", "private": "None", "website": "Blob"}
    assert between[ACCOUNT_ID.casefold()]["properties"]["allowBlobPublicAccess"] is True


@pytest.mark.parametrize("check", CLOSED)
def test_nsg_restriction_closes_what_the_finding_is_about(
    executor: PlaybookExecutor, arm: ArmStandIn, check: str
) -> None:
    add_group(arm.world, RULES)
    between = there_and_back(executor, arm, nsg_finding(check))
    denied = {
        key.rpartition("/")[2] for key, body in between.items() if body["properties"].get("access") == "Deny"
    }
    assert denied == CLOSED[check]


WATCHED = "network_flow_log_more_than_90_days"


@pytest.mark.parametrize(
    ("resource", "kind"),
    [(NETWORK_ID, "microsoft.network/virtualnetworks"), (WATCHER_ID, "microsoft.network/networkwatchers")],
)
def test_logging_records_the_traffic_where_the_regions_other_records_go(
    executor: PlaybookExecutor, arm: ArmStandIn, resource: str, kind: str
) -> None:
    add_account(arm.world)
    add_networks(arm.world, "hub", "spoke")
    add_flow_log(arm.world, "theirs", NETWORK_ID.replace("hub", "spoke"), enabled=True)
    between = there_and_back(executor, arm, finding(WATCHED, resource, "Compliance", kind))
    recorded = {
        body["properties"]["targetResourceId"].rpartition("/")[2]: body["properties"]["storageId"].casefold()
        for key, body in between.items()
        if "/flowlogs/" in key
    }
    assert recorded == {"hub": ACCOUNT_ID.casefold(), "spoke": ACCOUNT_ID.casefold()}


def test_rotation_makes_the_first_key_anew_and_says_that_it_cannot_be_put_back(
    executor: PlaybookExecutor, arm: ArmStandIn
) -> None:
    add_account(arm.world)
    found = finding(
        "storage_key_rotation_90_days", ACCOUNT_ID, "Storage", "microsoft.storage/storageaccounts"
    )
    book = PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(found)]
    assert book.playbook_id == "ROTATE-CREDENTIALS"
    before, asked = str(arm.world.keys), executor.execute_playbook(book, found, ASKS)
    assert asked.plan is not None, asked.error
    assert not asked.plan.reversible
    assert executor.approve_execution(asked.execution_id, SIGNS)
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED, done.error
    assert [action.action_name for action in done.actions] == [
        "prepare_storage_clients",
        "regenerate_storage_key",
    ]
    assert str(arm.world.keys) != before
    with pytest.raises(RefusedError):
        executor.rollback_execution(asked.execution_id)


def test_entra_mfa_is_signed_and_nothing_is_asked_of_azure(
    executor: PlaybookExecutor, arm: ArmStandIn
) -> None:
    found = finding("entra_privileged_user_has_mfa", "ana@acme.example", "IAM", "NotDefined")
    book = PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(found)]
    asked = executor.execute_playbook(book, found, ASKS)
    assert asked.plan is not None, asked.error
    assert "ana@acme.example" in str(asked.plan.actions[0].after["By hand, step 2"])
    assert executor.approve_execution(asked.execution_id, SIGNS)
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED
    assert done.actions[0].message == "Signed; Countersign changed nothing"
    assert not arm.asked


def test_drift_between_the_signature_and_the_run_changes_nothing(
    executor: PlaybookExecutor, arm: ArmStandIn
) -> None:
    add_group(arm.world, RULES)
    found = nsg_finding("network_ssh_internet_access_restricted")
    book = PlaybookLibrary.get_all_playbooks()["AZURE-NSG-RESTRICTION"]
    asked = executor.execute_playbook(book, found, ASKS)
    ssh = arm.world.get(f"{NSG_ID}/securityRules/ssh") or {}
    ssh["properties"]["description"] = "narrowed next week"
    arm.world.put(ssh["id"], ssh)
    before = dict(arm.world.raw())
    assert not executor.approve_execution(asked.execution_id, SIGNS)
    assert executor.get_execution(asked.execution_id).status is PlaybookStatus.PENDING
    assert dict(arm.world.raw()) == before
    assert "rule put" not in arm.asked


def test_a_rollback_does_not_overwrite_what_a_person_did_since(
    executor: PlaybookExecutor, arm: ArmStandIn
) -> None:
    add_group(arm.world, RULES)
    book = PlaybookLibrary.get_all_playbooks()["AZURE-NSG-RESTRICTION"]
    asked = executor.execute_playbook(book, nsg_finding("network_ssh_internet_access_restricted"), ASKS)
    assert executor.approve_execution(asked.execution_id, SIGNS)
    arm.world.delete(f"{NSG_ID}/securityRules/ssh")
    before = dict(arm.world.raw())
    with pytest.raises(RefusedError, match="Somebody changed"):
        executor.rollback_execution(asked.execution_id)
    assert dict(arm.world.raw()) == before


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("account update", 403, "AuthorizationFailed"), "countersign playbook permissions"),
        (Fault("account update", 403, "RequestDisallowedByPolicy"), "organization policy"),
        (Fault("account update", 401, "ExpiredAuthenticationToken"), "renew the bot's cloud credentials"),
        (Fault("account update", 409, "ScopeLocked"), "the bot's own role is not the reason"),
    ],
)
def test_a_write_that_is_refused_ends_in_one_line(
    executor: PlaybookExecutor, arm: ArmStandIn, fault: Fault, says: str
) -> None:
    add_account(arm.world)
    before = dict(arm.world.raw())
    book = PlaybookLibrary.get_all_playbooks()["AZURE-BLOB-PUBLIC"]
    asked = executor.execute_playbook(book, blob_finding(), ASKS)
    fault.times = 1
    arm.world.faults = [fault]
    executor.approve_execution(asked.execution_id, SIGNS)
    failed = executor.get_execution(asked.execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert says in str(failed.error)
    assert "request azure-request-" in str(failed.error)
    assert dict(arm.world.raw()) == before


def test_an_answer_that_got_lost_is_read_back_and_counts_as_done(
    executor: PlaybookExecutor, arm: ArmStandIn
) -> None:
    add_account(arm.world)
    book = PlaybookLibrary.get_all_playbooks()["AZURE-BLOB-PUBLIC"]
    asked = executor.execute_playbook(book, blob_finding(), ASKS)
    arm.world.faults = [Fault("account update", after=True)]
    assert executor.approve_execution(asked.execution_id, SIGNS)
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED
    assert "The call failed" in done.actions[0].message


def test_a_resource_that_is_not_there_fails_before_any_change(executor: PlaybookExecutor) -> None:
    book = PlaybookLibrary.get_all_playbooks()["AZURE-BLOB-PUBLIC"]
    asked = executor.execute_playbook(book, blob_finding(), ASKS)
    assert asked.status is PlaybookStatus.FAILED
    assert "ResourceNotFound" in str(asked.error)
