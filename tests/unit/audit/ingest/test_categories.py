"""Categories: the specification's words wherever they can be told."""

import pytest

from audit.ingest.categories import category_of


@pytest.mark.parametrize(
    ("check_id", "service", "category"),
    [
        ("s3_bucket_public_access", "s3", "Storage"),
        ("ec2_ebs_default_encryption", "ec2", "Compute"),
        ("ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22", "ec2", "Network"),
        ("compute_firewall_rdp_access_from_the_internet_allowed", "compute", "Network"),
        ("iam_root_mfa_enabled", "iam", "IAM"),
        ("cloudtrail_multi_region_enabled", "cloudtrail", "Compliance"),
        ("s3_bucket_server_access_logging_enabled", "s3", "Compliance"),
        ("", "S3", "Storage"),
        ("kms_cmk_rotation_enabled", "kms", "kms"),
        ("", "", ""),
    ],
)
def test_categories(check_id: str, service: str, category: str) -> None:
    assert category_of(check_id, service) == category
