"""The ten playbooks that ship: the specification's table, the findings that each answers, and the steps that apply."""

from collections.abc import Iterator
from importlib import resources

import pytest

from audit.findings import Finding, Severity
from bot.planning import make_registry
from remediation import PlaybookLibrary, find_playbook_for_finding
from remediation.conditions import Condition
from remediation.lint import lint_playbook
from remediation.matching import match_playbook
from remediation.planning import Planner
from remediation.playbook import CLOUDS, RemediationPlaybook
from remediation.policy import Policy

BOOKS = PlaybookLibrary.get_all_playbooks()
TABLE = {
    "AWS-PUBLIC-S3": ("Fix Public S3 Bucket", "Storage", "CRITICAL"),
    "AWS-EBS-ENCRYPTION": ("Enable EBS Encryption", "Compute", "HIGH"),
    "AWS-SG-RESTRICTION": ("Restrict Security Group", "Network", "HIGH"),
    "GCP-PUBLIC-BUCKET": ("Restrict GCS Bucket", "Storage", "CRITICAL"),
    "GCP-FW-RESTRICTION": ("Restrict Firewall Rule", "Network", "HIGH"),
    "AZURE-BLOB-PUBLIC": ("Restrict Blob Storage", "Storage", "CRITICAL"),
    "AZURE-NSG-RESTRICTION": ("Restrict NSG Rule", "Network", "HIGH"),
    "ENABLE-LOGGING": ("Enable Resource Logging", "Compliance", "MEDIUM"),
    "ENABLE-MFA": ("Enable MFA", "IAM", "CRITICAL"),
    "ROTATE-CREDENTIALS": ("Rotate Credentials", "IAM", "CRITICAL"),
}


def finding(**said: object) -> Finding:
    return Finding(**{"id": "F-1", "title": "Something is wrong", "severity": Severity.HIGH, **said})  # type: ignore[arg-type]


def clouds_of(book: RemediationPlaybook) -> set[str]:
    return {step.action_type for step in book.actions} & CLOUDS


def test_the_library_is_the_specifications_table() -> None:
    shipped = {
        book.playbook_id: (book.name, book.finding_category, book.severity.value) for book in BOOKS.values()
    }
    assert shipped == TABLE
    assert all(book.requires_approval and book.rollback_enabled for book in BOOKS.values())


def library_files() -> list[tuple[str, str]]:
    folder = resources.files("remediation.library")
    return [
        (file.name, file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    ]


@pytest.mark.parametrize("file", library_files(), ids=lambda file: file[0])
def test_a_file_of_the_library_has_no_mistake(file: tuple[str, str]) -> None:
    assert lint_playbook(file[1], registry=make_registry()) == []


# By each scanner's own name of the check.
CHECKS = [
    ("AWS-PUBLIC-S3", "aws", "s3_bucket_level_public_access_block"),
    ("AWS-PUBLIC-S3", "aws", "s3_account_level_public_access_blocks"),
    ("AWS-PUBLIC-S3", "aws", "S3.8"),
    ("AWS-PUBLIC-S3", "aws", "S3.1"),
    ("AWS-EBS-ENCRYPTION", "aws", "ec2_ebs_default_encryption"),
    ("AWS-EBS-ENCRYPTION", "aws", "EC2.7"),
    ("AWS-SG-RESTRICTION", "aws", "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22"),
    ("AWS-SG-RESTRICTION", "aws", "EC2.13"),
    ("AWS-SG-RESTRICTION", "aws", "EC2.14"),
    ("GCP-PUBLIC-BUCKET", "gcp", "cloudstorage_bucket_public_access"),
    ("GCP-PUBLIC-BUCKET", "gcp", "PUBLIC_BUCKET_ACL"),
    ("GCP-FW-RESTRICTION", "gcp", "compute_firewall_rdp_access_from_the_internet_allowed"),
    ("GCP-FW-RESTRICTION", "gcp", "OPEN_SSH_PORT"),
    ("AZURE-BLOB-PUBLIC", "azure", "storage_blob_public_access_level_is_disabled"),
    ("AZURE-NSG-RESTRICTION", "azure", "network_ssh_internet_access_restricted"),
    ("ENABLE-LOGGING", "aws", "s3_bucket_server_access_logging_enabled"),
    ("ENABLE-LOGGING", "aws", "CloudTrail.1"),
    ("ENABLE-LOGGING", "aws", "EC2.6"),
    ("ENABLE-LOGGING", "gcp", "cloudstorage_bucket_logging_enabled"),
    ("ENABLE-LOGGING", "gcp", "compute_subnet_flow_logs_enabled"),
    ("ENABLE-LOGGING", "gcp", "FIREWALL_RULE_LOGGING_DISABLED"),
    ("ENABLE-LOGGING", "azure", "network_flow_log_more_than_90_days"),
    ("ENABLE-MFA", "aws", "iam_user_mfa_enabled_console_access"),
    ("ENABLE-MFA", "aws", "IAM.5"),
    ("ENABLE-MFA", "aws", "iam_root_mfa_enabled"),
    ("ENABLE-MFA", "gcp", "MFA_NOT_ENFORCED"),
    ("ENABLE-MFA", "azure", "entra_privileged_user_has_mfa"),
    ("ROTATE-CREDENTIALS", "aws", "iam_rotate_access_key_90_days"),
    ("ROTATE-CREDENTIALS", "aws", "IAM.3"),
    ("ROTATE-CREDENTIALS", "gcp", "iam_sa_user_managed_key_rotate_90_days"),
    ("ROTATE-CREDENTIALS", "azure", "storage_key_rotation_90_days"),
]


@pytest.mark.parametrize(("playbook_id", "provider", "check"), CHECKS)
def test_a_scanners_check_finds_its_playbook(playbook_id: str, provider: str, check: str) -> None:
    about = finding(provider=provider, check_id=check)
    assert find_playbook_for_finding(about) == playbook_id
    assert match_playbook(about, BOOKS).why == f"it answers the check {check}"


# By what a framework calls it, where the scanner's check is none that we know. The same number of CIS means another thing per cloud.
FSBP = "AWS-Foundational-Security-Best-Practices"
CONTROLS = [
    ("AWS-PUBLIC-S3", "aws", FSBP, "S3.8"),
    ("AWS-PUBLIC-S3", "aws", "CIS-3.0", "2.1.4"),
    ("AWS-EBS-ENCRYPTION", "aws", FSBP, "EC2.7"),
    ("AWS-EBS-ENCRYPTION", "aws", "CIS-7.0", "6.1.1"),
    ("AWS-SG-RESTRICTION", "aws", FSBP, "EC2.14"),
    ("AWS-SG-RESTRICTION", "aws", "CIS-3.0", "5.2"),
    ("GCP-PUBLIC-BUCKET", "gcp", "CIS-3.0", "5.1"),
    ("GCP-FW-RESTRICTION", "gcp", "CIS-3.0", "3.7"),
    ("GCP-FW-RESTRICTION", "gcp", "CIS-2.0", "3.6"),
    ("AZURE-BLOB-PUBLIC", "azure", "CIS-2.0", "3.7"),
    ("AZURE-NSG-RESTRICTION", "azure", "CIS-3.0", "7.2"),
    ("ENABLE-LOGGING", "aws", FSBP, "S3.9"),
    ("ENABLE-LOGGING", "aws", "CIS-3.0", "3.7"),
    ("ENABLE-LOGGING", "gcp", "CIS-3.0", "3.8"),
    ("ENABLE-LOGGING", "azure", "CIS-3.0", "7.5"),
    ("ENABLE-MFA", "aws", FSBP, "IAM.5"),
    ("ENABLE-MFA", "aws", "CIS-3.0", "1.10"),
    ("ENABLE-MFA", "gcp", "CIS-2.0", "1.2"),
    ("ENABLE-MFA", "azure", "CIS-2.0", "1.1.2"),
    ("ROTATE-CREDENTIALS", "aws", FSBP, "IAM.3"),
    ("ROTATE-CREDENTIALS", "aws", "CIS-3.0", "1.14"),
    ("ROTATE-CREDENTIALS", "gcp", "CIS-3.0", "1.7"),
    ("ROTATE-CREDENTIALS", "azure", "CIS-2.0", "3.4"),
]


@pytest.mark.parametrize(("playbook_id", "provider", "framework", "control"), CONTROLS)
def test_a_frameworks_control_finds_its_playbook(
    playbook_id: str, provider: str, framework: str, control: str
) -> None:
    about = finding(provider=provider, check_id="of_another_scanner", compliance={framework: (control,)})
    match = match_playbook(about, BOOKS)
    assert (match.playbook.playbook_id, match.why) == (
        playbook_id,
        f"it answers the control {framework}:{control}",
    )


# By category and kind of resource, where neither tells.
KINDS = [
    ("AWS-PUBLIC-S3", "aws", "AwsS3Bucket"),
    ("AWS-EBS-ENCRYPTION", "aws", "AwsEc2Volume"),
    ("AWS-SG-RESTRICTION", "aws", "AwsEc2SecurityGroup"),
    ("GCP-PUBLIC-BUCKET", "gcp", "storage.googleapis.com/Bucket"),
    ("GCP-FW-RESTRICTION", "gcp", "compute.googleapis.com/Firewall"),
    ("AZURE-BLOB-PUBLIC", "azure", "Microsoft.Storage/storageAccounts"),
    ("AZURE-NSG-RESTRICTION", "azure", "Microsoft.Network/networkSecurityGroups"),
    ("ENABLE-LOGGING", "aws", "AwsCloudTrailTrail"),
    ("ENABLE-LOGGING", "gcp", "compute.googleapis.com/Subnetwork"),
    ("ENABLE-LOGGING", "azure", "microsoft.network/networkwatchers"),
    ("ENABLE-MFA", "aws", "AwsIamUser"),
    ("ENABLE-MFA", "gcp", "cloudresourcemanager.googleapis.com/Organization"),
    ("ROTATE-CREDENTIALS", "gcp", "iam.googleapis.com/ServiceAccountKey"),
]


@pytest.mark.parametrize(("playbook_id", "provider", "kind"), KINDS)
def test_a_kind_of_resource_finds_its_playbook(playbook_id: str, provider: str, kind: str) -> None:
    category = BOOKS[playbook_id].finding_category
    about = finding(provider=provider, category=category, resource_type=kind)
    match = match_playbook(about, BOOKS)
    assert match.playbook.playbook_id == playbook_id
    assert match.why.endswith("look closely")


def test_every_playbook_is_found_in_each_of_the_three_ways() -> None:
    for rows in (CHECKS, CONTROLS, KINDS):
        assert {row[0] for row in rows} == set(TABLE)


# The three for several clouds choose by the cloud and the kind of the resource.
AWS_ROOT = "arn:aws:iam::123456789012:root"
ARM = "/subscriptions/5a3f1f7c-6f2d-4c7e-9f53-0a4d4f0c2b11/resourceGroups/Acme/providers"
KEY = "a" * 40
Chosen = tuple[str, dict[str, str], list[str], bool]
CHOSEN: list[Chosen] = [
    (
        "ENABLE-LOGGING",
        {"provider": "aws", "resource": "arn:aws:s3:::acme-web"},
        ["log_bucket_access"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {"provider": "aws", "resource": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0"},
        ["record_vpc_traffic"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {"provider": "gcp", "resource": "acme-web", "check_id": "cloudstorage_bucket_logging_enabled"},
        ["log_gcp_bucket_usage"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {
            "provider": "gcp",
            "resource": "//storage.googleapis.com/acme-web",
            "resource_type": "google.cloud.storage.Bucket",
        },
        ["log_gcp_bucket_usage"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {
            "provider": "gcp",
            "resource": "//compute.googleapis.com/projects/acme/global/firewalls/web",
            "check_id": "FIREWALL_RULE_LOGGING_DISABLED",
        },
        ["log_gcp_firewall"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {
            "provider": "gcp",
            "resource": "7312",
            "region": "europe-west1",
            "check_id": "compute_subnet_flow_logs_enabled",
        },
        ["record_gcp_subnet_traffic"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {
            "provider": "azure",
            "resource": f"{ARM}/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope",
            "check_id": "network_flow_log_more_than_90_days",
        },
        ["record_azure_network_traffic"],
        True,
    ),
    (
        "ENABLE-LOGGING",
        {"provider": "azure", "resource": f"{ARM}/Microsoft.Network/virtualNetworks/hub"},
        ["record_azure_network_traffic"],
        True,
    ),
    (
        "ENABLE-MFA",
        {"provider": "aws", "resource": "arn:aws:iam::123456789012:user/team/root"},
        ["require_mfa"],
        True,
    ),
    (
        "ENABLE-MFA",
        {"provider": "aws", "resource": AWS_ROOT, "check_id": "iam_root_mfa_enabled"},
        ["root_mfa_by_hand"],
        False,
    ),
    (
        "ENABLE-MFA",
        {"provider": "aws", "resource": "AWS::::Account:123456789012", "check_id": "IAM.9"},
        ["root_mfa_by_hand"],
        False,
    ),
    (
        "ENABLE-MFA",
        {"provider": "aws", "resource": AWS_ROOT, "check_id": "iam_root_hardware_mfa_enabled"},
        ["root_hardware_mfa_by_hand"],
        False,
    ),
    (
        "ENABLE-MFA",
        {
            "provider": "gcp",
            "resource": "//cloudresourcemanager.googleapis.com/organizations/1",
            "check_id": "MFA_NOT_ENFORCED",
        },
        ["google_two_step_by_hand"],
        False,
    ),
    (
        "ENABLE-MFA",
        {"provider": "azure", "resource": "ana@acme.example", "check_id": "entra_privileged_user_has_mfa"},
        ["entra_mfa_by_hand"],
        False,
    ),
    (
        "ENABLE-MFA",
        {
            "provider": "azure",
            "resource": "Conditional Access Policy",
            "check_id": "entra_conditional_access_policy_require_mfa_for_admin_portals",
        },
        ["entra_management_mfa_by_hand"],
        False,
    ),
    (
        "ROTATE-CREDENTIALS",
        {"provider": "aws", "resource": "arn:aws:iam::123456789012:user/ana"},
        ["rotate_access_key"],
        True,
    ),
    (
        "ROTATE-CREDENTIALS",
        {"provider": "gcp", "resource": KEY, "check_id": "iam_sa_user_managed_key_rotate_90_days"},
        ["rotate_service_account_key"],
        True,
    ),
    (
        "ROTATE-CREDENTIALS",
        {
            "provider": "azure",
            "resource": f"{ARM}/Microsoft.Storage/storageAccounts/acmedata",
            "check_id": "storage_key_rotation_90_days",
        },
        ["prepare_storage_clients", "regenerate_storage_key"],
        False,
    ),
]


@pytest.mark.parametrize(
    ("playbook_id", "said", "steps", "reversible"), CHOSEN, ids=[f"{row[0]}-{row[2][0]}" for row in CHOSEN]
)
def test_exactly_the_right_steps_apply(
    playbook_id: str, said: dict[str, str], steps: list[str], reversible: bool
) -> None:
    about = finding(**{"account_id": "123456789012", "region": "eu-west-1", **said})
    applying = Planner(make_registry(), Policy()).steps(BOOKS[playbook_id], about)
    assert [step.written.action_name for step in applying] == steps
    changing = [step.action for step in applying if step.action.effect == "change"]
    assert (bool(changing) and all(action.reversible for action in changing)) is reversible


def conditional(book: RemediationPlaybook) -> Iterator[tuple[str, str]]:
    for step in book.actions:
        yield step.action_name, step.condition or ""


@pytest.mark.parametrize("playbook_id", ["ENABLE-LOGGING", "ENABLE-MFA", "ROTATE-CREDENTIALS"])
def test_no_step_is_for_a_finding_of_an_unknown_cloud(playbook_id: str) -> None:
    about = finding(resource=AWS_ROOT, check_id="iam_root_mfa_enabled")
    for name, condition in conditional(BOOKS[playbook_id]):
        assert not Condition(condition).holds(about), name


@pytest.mark.parametrize("playbook_id", ["ENABLE-LOGGING", "ENABLE-MFA", "ROTATE-CREDENTIALS"])
def test_a_playbook_for_several_clouds_says_which_clouds_cis_it_means(playbook_id: str) -> None:
    for control in BOOKS[playbook_id].controls:
        assert control.startswith((FSBP, "aws/CIS-", "gcp/CIS-", "azure/CIS-"))
