"""Which controls of which framework our own checks are about.

Our checks carry Prowler's names, and the table follows Prowler 5.46's published mappings, cut to what each check really looks at:
`compliance/aws/cis_3.0_aws.json`, `aws_foundational_security_best_practices_aws.json`, `pci_4.0_aws.json` (the requirement in its
`Section`, without the appendices) and `compliance/cis_controls_8.1.json`. Where a source names no control, neither do we.
What a control's coverage and a framework's status mean is said where they are worked out, in `audit.report`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from audit.finding_fields import Controls
from audit.findings import Finding
from audit.ingest.frameworks import FSBP

CIS_AWS: Final = "CIS-3.0"
CIS_V8: Final = "CIS v8"
PCI_DSS: Final = "PCI DSS"
OUR_FRAMEWORKS: Final = (CIS_AWS, FSBP, CIS_V8, PCI_DSS)

# check: CIS AWS 3.0 | FSBP | CIS Controls v8.1 | PCI DSS 4.0
_TABLE: Final = """
iam_root_mfa_enabled                    | 1.5   | IAM.9        | 6.5      | 8.4.1 8.4.2 8.4.3
iam_no_root_access_key                  | 1.4   | IAM.4        | 4.7      | 7.2.1 7.2.2 8.2.1 8.2.2
iam_avoid_root_usage                    | 1.7   |              | 4.7      |
iam_user_mfa_enabled_console_access     | 1.10  | IAM.5 IAM.19 | 6.3      | 8.4.1 8.4.2 8.4.3
iam_user_console_access_unused          | 1.12  | IAM.8 IAM.22 | 5.3      |
iam_user_accesskey_unused               | 1.12  | IAM.8 IAM.22 | 5.3      | 7.2.4 7.2.5.1 8.2.6
iam_user_two_active_access_key          | 1.13  |              |          |
iam_rotate_access_key_90_days           | 1.14  | IAM.3        |          | 8.3.9 8.6.3
iam_password_policy_minimum_length_14   | 1.8   | IAM.7        | 5.2      |
iam_password_policy_reuse_24            | 1.9   | IAM.7        | 5.2      |
iam_password_policy_uppercase           |       | IAM.7        | 5.2      |
iam_password_policy_lowercase           |       | IAM.7        | 5.2      |
iam_password_policy_number              |       | IAM.7        | 5.2      |
iam_password_policy_symbol              |       | IAM.7        | 5.2      |
s3_account_level_public_access_blocks   | 2.1.4 | S3.1         | 3.3      | 1.3.1 1.3.2 1.4.2
s3_bucket_level_public_access_block     | 2.1.4 | S3.8         | 3.3      |
s3_bucket_public_access                 |       |              | 3.3      | 1.3.1 1.3.2 1.4.2
s3_bucket_default_encryption            |       |              | 3.11     | 3.5.1
s3_bucket_server_access_logging_enabled |       | S3.9         | 8.2      | 10.2.1 10.2.2
s3_bucket_object_versioning             |       | S3.14        | 11.2     | 10.3.4
ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22   | 5.2 5.3 | EC2.13 | 4.4 | 1.3.1 1.3.2 1.4.2
ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389 | 5.2 5.3 | EC2.14 | 4.4 |
ec2_securitygroup_allow_ingress_from_internet_to_all_ports     | 5.2 5.3 |        | 4.4 |
ec2_securitygroup_default_restrict_traffic                     | 5.4     | EC2.2  | 4.4 |
ec2_ebs_default_encryption              |       | EC2.7        | 3.11     |
cloudtrail_multi_region_enabled         | 3.1   | CloudTrail.1 | 8.2 8.12 | 10.2.1 10.2.2
cloudtrail_log_file_validation_enabled  | 3.2   | CloudTrail.4 |          | 10.3.2 10.3.4
cloudtrail_kms_encryption_enabled       | 3.5   | CloudTrail.2 | 3.11     | 3.5.1
"""


def _row(line: str) -> tuple[str, Controls]:
    check, *cells = (cell.strip() for cell in line.split("|"))
    named = zip(OUR_FRAMEWORKS, cells, strict=True)
    return check, Controls({framework: tuple(cell.split()) for framework, cell in named if cell})


OUR_CONTROLS: Final[Mapping[str, Controls]] = MappingProxyType(dict(map(_row, _TABLE.strip().splitlines())))


def with_compliance(finding: Finding) -> Finding:
    """Return a finding with the controls that its check is about; one that names controls itself keeps its own."""
    known = OUR_CONTROLS.get(finding.check_id)
    return replace(finding, compliance=known) if known and not finding.compliance else finding
