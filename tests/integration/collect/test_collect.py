"""An account of moto's server is read, and exactly the planted problems are found."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from audit.collect import PERMISSIONS, collect, list_regions
from audit.errors import ActionError
from audit.findings import Finding, FindingStatus
from remediation import find_playbook_for_finding
from tests.conftest import NOW
from tests.integration.collect.conftest import REGIONS, World, new_world

ALL_ON = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
READ_ONLY = {"Field": "readOnly", "Equals": ["false"]}
INGRESS = "ec2_securitygroup_allow_ingress_from_internet_to"


def make_clean(world: World) -> None:
    """Bring the account to where nothing fails."""
    world.protect_root()
    iam, s3 = world.client("iam"), world.client("s3")
    iam.update_account_password_policy(
        MinimumPasswordLength=14,
        PasswordReusePrevention=24,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
    )
    world.client("s3control").put_public_access_block(
        AccountId=world.account_id, PublicAccessBlockConfiguration=ALL_ON
    )
    logs, data = f"logs-{world.account_id}", f"data-{world.account_id}"
    for bucket in (logs, data):
        s3.create_bucket(Bucket=bucket)
        close_bucket(world, bucket)
    for region in REGIONS:
        ec2 = world.client("ec2", region)
        ec2.enable_ebs_encryption_by_default()
        empty_default_groups(ec2)
    trail = world.client("cloudtrail")
    trail.create_trail(
        Name="all", S3BucketName=logs, IsMultiRegionTrail=True, EnableLogFileValidation=True, KmsKeyId="key-1"
    )
    # AWS answers with this for a trail that nobody gave any selectors; moto has to be told.
    selects = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]
    trail.put_event_selectors(TrailName="all", EventSelectors=selects)
    trail.start_logging(Name="all")


def close_bucket(world: World, bucket: str) -> None:
    s3 = world.client("s3")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=ALL_ON)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=ENCRYPTED)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    logs = f"logs-{world.account_id}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{logs}/*",
    }
    s3.put_bucket_policy(Bucket=logs, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    target = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "a/"}}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=target)


def empty_default_groups(ec2: Any) -> None:
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        for rules, revoke in (
            ("IpPermissions", ec2.revoke_security_group_ingress),
            ("IpPermissionsEgress", ec2.revoke_security_group_egress),
        ):
            if group[rules]:
                revoke(GroupId=group["GroupId"], IpPermissions=group[rules])


def open_group(ec2: Any, name: str, protocol: str, ports: tuple[int, int], cidr: str) -> str:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName=name, Description="x", VpcId=vpc)["GroupId"]
    ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
    said = {} if protocol == "-1" else {"FromPort": ports[0], "ToPort": ports[1]}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": protocol, **said, **ranges}]
    )
    return str(group)


def plant(world: World) -> set[tuple[str, str]]:
    """Plant problems into a clean account; return what has to be found, by check and resource."""
    iam, s3, account = world.client("iam"), world.client("s3"), world.account_id
    iam.create_user(UserName="alice")
    iam.create_login_profile(UserName="alice", Password="Xx1!xxxxxxxxxxxxxx")
    iam.create_user(UserName="robot")
    for _ in range(2):
        iam.create_access_key(UserName="robot")
    iam.delete_account_password_policy()
    s3.create_bucket(
        Bucket=f"bare-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    world.client("s3control").delete_public_access_block(AccountId=account)
    s3.put_bucket_acl(Bucket=f"bare-{account}", ACL="public-read")
    east, west = world.client("ec2", "us-east-1"), world.client("ec2", "eu-central-1")
    west.disable_ebs_encryption_by_default()
    ssh = open_group(east, "ssh", "tcp", (20, 25), "0.0.0.0/0")
    rdp = open_group(west, "rdp", "tcp", (3389, 3389), "::/0")
    everything = open_group(west, "all", "-1", (0, 0), "0.0.0.0/0")
    open_group(east, "office", "tcp", (22, 22), "203.0.113.0/24")
    open_group(east, "dns", "udp", (22, 22), "0.0.0.0/0")
    open_group(east, "web", "tcp", (443, 443), "0.0.0.0/0")
    world.client("cloudtrail").stop_logging(Name="all")
    world.client("cloudtrail", "eu-central-1").create_trail(Name="local", S3BucketName=f"logs-{account}")
    arn, bare = f"arn:aws:iam::{account}", f"arn:aws:s3:::bare-{account}"
    local = f"arn:aws:cloudtrail:eu-central-1:{account}:trail/local"
    policy = {f"iam_password_policy_{what}" for what in ("minimum_length_14", "reuse_24", "uppercase")}
    policy |= {f"iam_password_policy_{what}" for what in ("lowercase", "number", "symbol")}
    group = f"arn:aws:ec2:{{}}:{account}:security-group/{{}}"
    return {
        ("iam_user_mfa_enabled_console_access", f"{arn}:user/alice"),
        ("iam_user_two_active_access_key", f"{arn}:user/robot"),
        *((check, f"{arn}:password-policy") for check in policy),
        ("s3_account_level_public_access_blocks", account),
        ("s3_bucket_level_public_access_block", bare),
        ("s3_bucket_public_access", bare),
        ("s3_bucket_default_encryption", bare),  # moto's buckets are in the clear, unlike AWS's
        ("s3_bucket_server_access_logging_enabled", bare),
        ("s3_bucket_object_versioning", bare),
        (f"{INGRESS}_tcp_port_22", group.format("us-east-1", ssh)),
        (f"{INGRESS}_tcp_port_3389", group.format("eu-central-1", rdp)),
        (f"{INGRESS}_tcp_port_22", group.format("eu-central-1", everything)),
        (f"{INGRESS}_tcp_port_3389", group.format("eu-central-1", everything)),
        (f"{INGRESS}_all_ports", group.format("eu-central-1", everything)),
        ("ec2_ebs_default_encryption", f"arn:aws:ec2:eu-central-1:{account}:volume"),
        ("cloudtrail_multi_region_enabled", f"arn:aws:cloudtrail:us-east-1:{account}:trail"),
        ("cloudtrail_log_file_validation_enabled", local),
        ("cloudtrail_kms_encryption_enabled", local),
    }


def of(findings: list[Finding], status: FindingStatus) -> set[tuple[str, str]]:
    return {(finding.check_id, finding.resource) for finding in findings if finding.status is status}


def test_a_clean_account_fails_nothing(world: World) -> None:
    make_clean(world)
    found = list(collect(world.reader, world.account))
    assert of(found, FindingStatus.FAIL) == set()
    # moto's credential report leaves the root user out.
    assert of(found, FindingStatus.MANUAL) == {
        ("iam_avoid_root_usage", f"arn:aws:iam::{world.account_id}:root")
    }
    passed = Counter(check for check, _ in of(found, FindingStatus.PASS))
    assert passed["s3_bucket_public_access"] == 2
    assert passed["ec2_ebs_default_encryption"] == len(REGIONS)


def test_exactly_what_was_planted_is_found(world: World) -> None:
    make_clean(world)
    planted = plant(world)
    found = list(collect(world.reader, world.account))
    assert of(found, FindingStatus.FAIL) == planted
    again = list(collect(world.reader, world.account))
    assert [finding.fingerprint for finding in again] == [finding.fingerprint for finding in found]
    assert len({finding.fingerprint for finding in found}) == len(found)
    assert all(finding.account_id == world.account_id for finding in found)
    assert {finding.region for finding in found if "security-group" in finding.resource} == set(REGIONS)
    bare = next(f for f in found if f.check_id == "s3_bucket_public_access" and not f.is_open)
    assert dict(bare.compliance)["CIS v8"] == ("3.3",)
    assert find_playbook_for_finding(bare) == "AWS-PUBLIC-S3"


def test_old_and_idle_credentials_fail_in_time(world: World) -> None:
    iam = world.client("iam")
    iam.create_user(UserName="robot")
    iam.create_access_key(UserName="robot")
    iam.create_login_profile(UserName="robot", Password="Xx1!xxxxxxxxxxxxxx")
    when = iam.list_access_keys(UserName="robot")["AccessKeyMetadata"][0]["CreateDate"]
    robot = f"arn:aws:iam::{world.account_id}:user/robot"

    def failing(days: int) -> set[str]:
        account = type(world.account)(
            account_id=world.account_id, regions=REGIONS, when=when + timedelta(days=days)
        )
        return {
            finding.check_id
            for finding in collect(world.reader, account)
            if finding.resource == robot and finding.status is FindingStatus.FAIL
        } - {"iam_user_mfa_enabled_console_access"}

    idle = {"iam_user_accesskey_unused", "iam_user_console_access_unused"}
    assert failing(44) == set()
    assert failing(46) == idle
    assert failing(89) == idle
    assert failing(91) == idle | {"iam_rotate_access_key_90_days"}


class Refusing:
    """A client whose calls by one name are refused the way AWS does."""

    def __init__(self, client: Any, refused: str, code: str, times: int = 10**6) -> None:
        self._client, self._refused, self._code, self.left = client, refused, code, times

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._refused else getattr(self._client, name)

    def get_paginator(self, name: str) -> Any:
        if name == self._refused:
            self._refuse()
        return self._client.get_paginator(name)

    def _refuse(self, **arguments: object) -> Any:
        if self.left <= 0:
            return getattr(self._client, self._refused)(**arguments)
        self.left -= 1
        raise self._client.exceptions.ClientError(
            {"Error": {"Code": self._code, "Message": "no"}}, self._refused
        )


CALLS = [
    (
        "iam",
        "get_account_summary",
        "iam:GetAccountSummary",
        {"iam_root_mfa_enabled", "iam_no_root_access_key"},
    ),
    ("iam", "list_users", "iam:ListUsers", {"iam_rotate_access_key_90_days"}),
    ("iam", "list_access_keys", "iam:ListAccessKeys", {"iam_user_accesskey_unused"}),
    ("iam", "get_access_key_last_used", "iam:GetAccessKeyLastUsed", {"iam_user_accesskey_unused"}),
    ("iam", "generate_credential_report", "iam:GenerateCredentialReport", {"iam_avoid_root_usage"}),
    ("iam", "get_credential_report", "iam:GetCredentialReport", {"iam_user_console_access_unused"}),
    ("iam", "get_account_password_policy", "iam:GetAccountPasswordPolicy", {"iam_password_policy_symbol"}),
    ("s3", "list_buckets", "s3:ListAllMyBuckets", {"s3_bucket_public_access"}),
    ("s3", "get_bucket_location", "s3:GetBucketLocation", {"s3_bucket_object_versioning"}),
    ("s3", "get_bucket_encryption", "s3:GetEncryptionConfiguration", {"s3_bucket_default_encryption"}),
    ("s3", "get_bucket_policy_status", "s3:GetBucketPolicyStatus", {"s3_bucket_public_access"}),
    ("s3", "get_bucket_acl", "s3:GetBucketAcl", {"s3_bucket_public_access"}),
    ("s3", "get_bucket_logging", "s3:GetBucketLogging", {"s3_bucket_server_access_logging_enabled"}),
    ("s3", "get_bucket_versioning", "s3:GetBucketVersioning", {"s3_bucket_object_versioning"}),
    (
        "s3",
        "get_public_access_block",
        "s3:GetBucketPublicAccessBlock",
        {"s3_bucket_level_public_access_block"},
    ),
    (
        "s3control",
        "get_public_access_block",
        "s3:GetAccountPublicAccessBlock",
        {"s3_account_level_public_access_blocks"},
    ),
    ("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups", {f"{INGRESS}_all_ports"}),
    ("ec2", "get_ebs_encryption_by_default", "ec2:GetEbsEncryptionByDefault", {"ec2_ebs_default_encryption"}),
    ("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails", {"cloudtrail_multi_region_enabled"}),
    (
        "cloudtrail",
        "get_event_selectors",
        "cloudtrail:GetEventSelectors",
        {"cloudtrail_multi_region_enabled"},
    ),
    ("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus", {"cloudtrail_multi_region_enabled"}),
]


@pytest.fixture(scope="session")
def full(moto_endpoint: str) -> World:
    """One account with something of everything, for tests that only read."""
    full = new_world(moto_endpoint)
    make_clean(full)
    full.client("iam").create_user(UserName="robot")
    full.client("iam").create_access_key(UserName="robot")
    return full


@pytest.fixture(scope="session")
def whole(full: World) -> set[str]:
    """Return the checks that have something to say where everything may be read."""
    return {finding.check_id for finding in collect(full.reader, full.account)}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}.{call[1]}")
def test_what_may_not_be_read_is_a_persons_business_and_stops_nothing_else(
    full: World, whole: set[str], call: tuple[str, str, str, set[str]]
) -> None:
    service, method, permission, checks = call

    def clients(asked: str, region: str) -> Any:
        client = full.client(asked, region)
        return Refusing(client, method, "AccessDenied") if asked == service else client

    found = list(collect(full.reader_with(clients), full.account))
    blind = [finding for finding in found if finding.check_id in checks]
    assert {finding.check_id for finding in blind} == checks
    assert {finding.status for finding in blind} == {FindingStatus.MANUAL}
    assert all(permission in finding.evidence for finding in blind), blind[0].evidence
    lost = {"cloudtrail_log_file_validation_enabled", "cloudtrail_kms_encryption_enabled"}
    assert whole - {finding.check_id for finding in found} <= (lost if method == "describe_trails" else set())
    assert not [finding for finding in found if finding.status is FindingStatus.FAIL]
    assert permission in PERMISSIONS


@pytest.mark.parametrize(
    ("selectors", "takes"),
    [
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}, False),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT]}]}, True),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, READ_ONLY]}]}, False),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{**MANAGEMENT, "Equals": ["Data"]}]}]}, False),
        ({}, False),
    ],
)
def test_a_trail_that_leaves_out_management_events_does_not_count(
    full: World, selectors: dict[str, Any], takes: bool
) -> None:
    def clients(asked: str, region: str) -> Any:
        client = full.client(asked, region)
        return Selecting(client, selectors) if asked == "cloudtrail" else client

    found = collect(full.reader_with(clients), full.account)
    (verdict,) = {f.status for f in found if f.check_id == "cloudtrail_multi_region_enabled"}
    assert verdict is (FindingStatus.PASS if takes else FindingStatus.FAIL)


class Selecting:
    """A client for CloudTrail whose trails select these events."""

    def __init__(self, client: Any, selectors: dict[str, Any]) -> None:
        self._client, self._selectors = client, selectors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_event_selectors(self, **arguments: object) -> dict[str, Any]:
        assert self._client.get_event_selectors(**arguments)["TrailARN"]
        return self._selectors


def test_every_call_names_its_permission() -> None:
    assert set(PERMISSIONS) == {permission for _, _, permission, _ in CALLS} | {"ec2:DescribeRegions"}


def test_asked_too_often_it_waits_and_asks_again(full: World) -> None:
    pauses: list[float] = []
    throttled = Refusing(full.client("ec2", "us-east-1"), "describe_regions", "RequestLimitExceeded", times=2)
    reader = full.reader_with(lambda _service, _region: throttled, pauses)
    assert "eu-central-1" in list_regions(reader, home="us-east-1")
    assert pauses == [2.0, 8.0]
    throttled.left = 10
    with pytest.raises(ActionError, match="RequestLimitExceeded"):
        list_regions(reader, home="us-east-1")


def test_the_credential_report_is_fetched_once(full: World) -> None:
    asked: list[str] = []

    def clients(service: str, region: str) -> Any:
        return Listening(full.client(service, region), asked)

    assert list(collect(full.reader_with(clients), full.account))
    assert asked.count("get_credential_report") == 1


class Listening:
    """A client that writes down what it is asked."""

    def __init__(self, client: Any, asked: list[str]) -> None:
        self._client, self._asked = client, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._client, name)

    def get_paginator(self, name: str) -> Any:
        self._asked.append(f"get_paginator {name}")
        return self._client.get_paginator(name)


@pytest.mark.slow
def test_users_beyond_the_first_page_are_read(world: World) -> None:
    iam = world.client("iam")
    for number in range(101):  # a page of moto's has 100
        iam.create_user(UserName=f"user-{number:03}")
    found = collect(world.reader, world.account)
    users = {finding.resource for finding in found if ":user/user-" in finding.resource}
    assert len(users) == 101


def test_the_reading_bears_the_accounts_time(full: World) -> None:
    assert {finding.observed_at for finding in collect(full.reader, full.account)} == {NOW}
