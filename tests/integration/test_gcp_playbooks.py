"""Google Cloud's playbooks from the request to the way back, through the public imports."""

from typing import Any

import pytest

from audit.errors import NotFoundError, RefusedError
from remediation import PlaybookExecutor, PlaybookLibrary, PlaybookStatus, RemediationPlaybook
from remediation.actions.gcp.clients import GoogleClients
from remediation.matching import find_playbook_for_finding
from tests.contract.backends_google import PROJECT, google, google_clients, storage_emulator
from tests.contract.cases.gcp import GoogleCase
from tests.contract.cases.gcp_compute import FirewallLoggingCase, FirewallRestrictionCase, FlowLogsCase
from tests.contract.cases.gcp_key_rotation import KeyRotationCase
from tests.contract.cases.gcp_storage import BucketLoggingCase, PublicBucketCase
from tests.fakes.google.server import GoogleCloud

pytestmark = pytest.mark.slow

__all__ = ["google", "google_clients", "storage_emulator"]
SERVICES = ("gcs", "firewalls", "subnetworks", "global_operations", "region_operations", "google_rest")
LOG_BUCKET = f"countersign-logs-{PROJECT}"
SHIPPED: list[tuple[type[GoogleCase], str, str]] = [
    (PublicBucketCase, "GCP-PUBLIC-BUCKET", "cloudstorage_bucket_public_access"),
    (FirewallRestrictionCase, "GCP-FW-RESTRICTION", "compute_firewall_ssh_access_from_the_internet_allowed"),
    (FirewallLoggingCase, "ENABLE-LOGGING", "FIREWALL_RULE_LOGGING_DISABLED"),
    (FlowLogsCase, "ENABLE-LOGGING", "compute_subnet_flow_logs_enabled"),
]
STEPS: list[type[GoogleCase]] = [
    PublicBucketCase,
    FirewallRestrictionCase,
    BucketLoggingCase,
    FirewallLoggingCase,
    FlowLogsCase,
    KeyRotationCase,
]


@pytest.fixture
def executor(google_clients: GoogleClients) -> PlaybookExecutor:
    return PlaybookExecutor({name: google_clients.client(name, project=PROJECT) for name in SERVICES})


def finding_about(case: GoogleCase, check_id: str = "") -> dict[str, Any]:
    target = case.target()
    return {
        "id": f"prowler-{case.name}",
        "title": "Open to everybody",
        "severity": "CRITICAL",
        "resource": target.resource,
        "provider": "gcp",
        "account_id": PROJECT,
        "region": target.region,
        "check_id": check_id,
    }


def made(kind: type[GoogleCase], google: GoogleCloud, google_clients: GoogleClients) -> GoogleCase:
    case = kind(google, google_clients)
    case.set_state(case.unsettled)
    return case


def run_there_and_back(
    executor: PlaybookExecutor, book: RemediationPlaybook, case: GoogleCase, check: str
) -> None:
    original = case.read_raw()
    asked = executor.execute_playbook(book, finding_about(case, check), "ann@acme.example")
    assert asked.status is PlaybookStatus.PENDING, asked.error
    with pytest.raises(RefusedError):
        executor.approve_execution(asked.execution_id, "ann@acme.example")
    assert case.read_raw() == original
    assert executor.approve_execution(asked.execution_id, "bob@acme.example")
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED, done.error
    assert case.read_raw() != original
    assert executor.rollback_execution(asked.execution_id)
    assert executor.get_execution(asked.execution_id).status is PlaybookStatus.ROLLED_BACK
    assert case.read_raw() == original


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda shipped: f"{shipped[1]}-{shipped[0].__name__}")
def test_a_playbook_that_ships(
    executor: PlaybookExecutor,
    google: GoogleCloud,
    google_clients: GoogleClients,
    shipped: tuple[type[GoogleCase], str, str],
) -> None:
    kind, playbook_id, check = shipped
    case = made(kind, google, google_clients)
    assert find_playbook_for_finding(finding_about(case, check)) == playbook_id
    run_there_and_back(executor, PlaybookLibrary.get_all_playbooks()[playbook_id], case, check)


def test_the_logs_of_a_bucket_go_to_the_log_bucket_of_its_project(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = made(BucketLoggingCase, google, google_clients)
    google.storage.add(LOG_BUCKET, PROJECT)
    google.storage.write_policy(LOG_BUCKET, google.storage.policy("acme-usage-logs")["bindings"])
    check = "cloudstorage_bucket_logging_enabled"
    book = PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(finding_about(case, check))]
    asked = executor.execute_playbook(book, finding_about(case, check), "ann@acme.example")
    assert asked.plan is not None, asked.error
    assert asked.plan.actions[0].after["Log bucket"] == LOG_BUCKET
    assert executor.reject_execution(asked.execution_id, "bob@acme.example", "planned again below")
    run_there_and_back(executor, book, case, check)


def test_a_service_accounts_key_goes_to_the_secret_of_its_own(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = KeyRotationCase(google, google_clients)
    case.set_state(case.unsettled)
    secret = f"projects/{PROJECT}/secrets/countersign-key-{case.name}"
    google.secrets.add(secret)
    check = "iam_sa_user_managed_key_rotate_90_days"
    found = finding_about(case, check)
    book = PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(found)]
    original = case.read_raw()
    asked = executor.execute_playbook(book, found, "ann@acme.example")
    assert executor.approve_execution(asked.execution_id, "bob@acme.example")
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED, done.error
    assert [entry["state"] for entry in google.secrets.secrets[secret]] == ["ENABLED"]
    assert case.read_raw() != original
    assert executor.rollback_execution(asked.execution_id)
    assert case.read_raw() == original
    assert [entry["state"] for entry in google.secrets.secrets[secret]] == ["DISABLED"]


def test_google_two_step_is_signed_and_nothing_is_asked_of_google(
    executor: PlaybookExecutor, google: GoogleCloud
) -> None:
    found = {
        "id": "scc-1",
        "title": "MFA is not enforced",
        "severity": "HIGH",
        "resource": "//cloudresourcemanager.googleapis.com/organizations/417",
        "provider": "gcp",
        "check_id": "MFA_NOT_ENFORCED",
    }
    book = PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(found)]
    asked = executor.execute_playbook(book, found, "ann@acme.example")
    assert asked.plan is not None, asked.error
    assert "organizations/417" in str(asked.plan.actions[0].after["By hand, step 1"])
    assert executor.approve_execution(asked.execution_id, "bob@acme.example")
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED
    assert done.actions[0].message == "Signed; Countersign changed nothing"
    with pytest.raises(RefusedError, match="nothing to roll back"):
        executor.rollback_execution(asked.execution_id)


@pytest.mark.parametrize("kind", STEPS, ids=lambda kind: kind.__name__)
def test_a_step_in_a_playbook_of_ones_own(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients, kind: type[GoogleCase]
) -> None:
    case = made(kind, google, google_clients)
    book = RemediationPlaybook("OWN", "Own", "", "Compliance", "MEDIUM")
    book.add_action("step", "gcp", case.written.params)
    run_there_and_back(executor, book, case, "")


def test_drift_between_plan_and_approval_changes_nothing(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = made(FirewallRestrictionCase, google, google_clients)
    book = PlaybookLibrary.get_all_playbooks()["GCP-FW-RESTRICTION"]
    asked = executor.execute_playbook(book, finding_about(case), "ann@acme.example")
    google.compute.resources[case.resource]["sourceRanges"] = ["0.0.0.0/0", "192.0.2.0/24"]
    drifted = case.read_raw()
    assert not executor.approve_execution(asked.execution_id, "bob@acme.example")
    assert executor.get_execution(asked.execution_id).status is PlaybookStatus.PENDING
    assert case.read_raw() == drifted


def test_a_change_since_is_not_rolled_back_over(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = made(PublicBucketCase, google, google_clients)
    book = PlaybookLibrary.get_all_playbooks()["GCP-PUBLIC-BUCKET"]
    asked = executor.execute_playbook(book, finding_about(case), "ann@acme.example")
    assert executor.approve_execution(asked.execution_id, "bob@acme.example")
    google.storage.patch(case.name, iamConfiguration={"publicAccessPrevention": "inherited"})
    google.storage.write_policy(case.name, [{"role": "roles/storage.admin", "members": ["allUsers"]}])
    theirs = case.read_raw()
    with pytest.raises(RefusedError, match="Somebody changed"):
        executor.rollback_execution(asked.execution_id)
    assert case.read_raw() == theirs


def test_what_was_half_done_is_put_back(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = made(PublicBucketCase, google, google_clients)
    original = case.read_raw()
    book = PlaybookLibrary.get_all_playbooks()["GCP-PUBLIC-BUCKET"]
    book.rollback_on_failure = True
    asked = executor.execute_playbook(book, finding_about(case), "ann@acme.example")
    google.refuse("buckets.setIamPolicy", 403, "no storage.buckets.setIamPolicy", "forbidden")
    executor.approve_execution(asked.execution_id, "bob@acme.example")
    assert executor.get_execution(asked.execution_id).status is PlaybookStatus.ROLLED_BACK
    assert case.read_raw() == original


def test_a_failed_rotation_is_put_back(
    executor: PlaybookExecutor, google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = made(KeyRotationCase, google, google_clients)
    original = case.read_raw()
    book = RemediationPlaybook("OWN", "Own", "", "IAM", "CRITICAL")
    book.add_action("rotate", "gcp", case.written.params)
    asked = executor.execute_playbook(book, finding_about(case), "ann@acme.example")
    google.refuse("projects.serviceAccounts.keys.disable", 403, "no keys.disable", "forbidden", times=9)
    executor.approve_execution(asked.execution_id, "bob@acme.example")
    failed = executor.get_execution(asked.execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert "no keys.disable" in str(failed.error)
    assert executor.rollback_execution(asked.execution_id)
    assert case.read_raw() == original


@pytest.mark.parametrize("framework", ["CIS-2.0", "CIS-3.0"])
def test_the_same_number_of_another_clouds_benchmark_is_no_match(framework: str) -> None:
    finding = {
        "id": "a1",
        "title": "t",
        "severity": "HIGH",
        "provider": "gcp",
        "compliance": {framework: ["5.1"]},
    }
    assert find_playbook_for_finding(finding) == "GCP-PUBLIC-BUCKET"
    with pytest.raises(NotFoundError):
        find_playbook_for_finding({**finding, "provider": "aws"})
