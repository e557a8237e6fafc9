"""A small report in each format, as its scanner would write it, and what is in it."""

import json
from dataclasses import dataclass

PROWLER_COLUMNS = (
    "AUTH_METHOD;TIMESTAMP;ACCOUNT_UID;FINDING_UID;PROVIDER;CHECK_ID;CHECK_TITLE;STATUS;STATUS_EXTENDED;MUTED;SERVICE_NAME;"
    "SEVERITY;RESOURCE_TYPE;RESOURCE_UID;RESOURCE_NAME;REGION;DESCRIPTION;RISK;RELATED_URL;REMEDIATION_RECOMMENDATION_TEXT;"
    "REMEDIATION_RECOMMENDATION_URL;COMPLIANCE"
)
PROWLER_ROWS = (
    (
        "profile;2026-01-05 08:00:00;210987654321;p-1;aws;s3_bucket_public_access;Bucket must not be open;FAIL;Köln is open.;False;s3;"
        "critical;AwsS3Bucket;arn:aws:s3:::koeln;koeln;eu-central-1;No bucket may be open.;Leaks.;;Block it.;https://docs.example.com/s3;"
        "CIS-3.0: 2.1.4 | PCI-4.0: 1.3.1, 1.3.2"
    ),
    (
        "profile;2026-01-05 08:00:00;210987654321;p-2;aws;iam_root_mfa;Root needs a second factor;PASS;It has one.;True;iam;high;Other;"
        "210987654321;root;us-east-1;;;;;;"
    ),
)
PROWLER_CSV = "\n".join((PROWLER_COLUMNS, *PROWLER_ROWS, "")).encode()

PROWLER2_CSV = (
    b"PROFILE,ACCOUNT_NUM,REGION,TITLE_ID,CHECK_RESULT,ITEM_SCORED,ITEM_LEVEL,TITLE_TEXT,CHECK_RESULT_EXTENDED,"
    b"CHECK_ASFF_COMPLIANCE_TYPE,CHECK_SEVERITY,CHECK_SERVICENAME,CHECK_ASFF_RESOURCE_TYPE,CHECK_ASFF_TYPE,CHECK_RISK,"
    b"CHECK_REMEDIATION,CHECK_DOC,CHECK_CAF_EPIC\r\n"
    b",210987654321,eu-west-1,2.9,FAIL,Scored,Level 2,[check29] Ensure flow logs (Scored),vpc-1 has none,ens-op.mon.1.aws.flow.1,Medium,vpc,"
    b"AwsEc2Vpc,Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark,"
    b'"Nobody sees traffic, later.",Turn them on.,http://docs.example.com,Logging\r\n'
    b",210987654321,eu-west-1,7.13,INFO,Not Scored,Extra,[extra713] GuardDuty (Not Scored),none here,Software,High,guardduty,"
    b"AwsGuardDutyDetector,Software,,,,\r\n"
)

PROWLER_JSON = json.dumps(
    [
        {
            "AssessmentStartTime": "2023-03-18T15:43:31",
            "FindingUniqueId": "prowler-aws-s3-1",
            "Provider": "aws",
            "CheckID": "s3_bucket_public_access",
            "CheckTitle": "Bucket must not be open",
            "ServiceName": "s3",
            "Status": "FAIL",
            "StatusExtended": "koeln is open.",
            "Severity": "critical",
            "ResourceType": "AwsS3Bucket",
            "Description": "No bucket may be open.",
            "Risk": "Leaks.",
            "RelatedUrl": "",
            "Remediation": {
                "Code": {},
                "Recommendation": {"Text": "Block it.", "Url": "https://docs.example.com"},
            },
            "Compliance": {"CIS-1.5": ["2.1.5"]},
            "AccountId": "210987654321",
            "Region": "eu-central-1",
            "ResourceId": "koeln",
            "ResourceArn": "arn:aws:s3:::koeln",
        }
    ]
).encode()

ASFF_FINDING = {
    "SchemaVersion": "2018-10-08",
    "Id": "arn:aws:securityhub:eu-west-1:210987654321:security-control/S3.8/finding/1",
    "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
    "GeneratorId": "security-control/S3.8",
    "AwsAccountId": "210987654321",
    "CreatedAt": "2026-01-04T08:00:00Z",
    "UpdatedAt": "2026-01-05T08:00:00Z",
    "Severity": {"Label": "HIGH", "Normalized": 70},
    "Title": "S3 general purpose buckets should block public access",
    "Description": "Checks the block.",
    "Remediation": {"Recommendation": {"Text": "See the page.", "Url": "https://docs.example.com/S3.8"}},
    "Resources": [
        {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::koeln", "Region": "eu-west-1"},
        {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::bonn", "Region": "eu-west-1"},
    ],
    "Compliance": {
        "Status": "FAILED",
        "SecurityControlId": "S3.8",
        "StatusReasons": [{"ReasonCode": "X", "Description": "The block is off."}],
        "RelatedRequirements": [
            "CIS AWS Foundations Benchmark v1.4.0/2.1.5",
            "NIST.800-53.r5 AC-3",
            "NIST.800-53.r5 AC-4",
        ],
        "AssociatedStandards": [
            {"StandardsId": "standards/aws-foundational-security-best-practices/v/1.0.0"},
            {"StandardsId": "standards/cis-aws-foundations-benchmark/v/1.4.0"},
        ],
    },
    "Workflow": {"Status": "NEW"},
    "RecordState": "ACTIVE",
}
ASFF = json.dumps([ASFF_FINDING]).encode()

SECURITY_HUB_FINDING = {
    "class_uid": 2003,
    "cloud": {"account": {"uid": "210987654321"}, "provider": "AWS", "region": "eu-west-1"},
    "compliance": {
        "assessments": [{"desc": "The block is off.", "meets_criteria": False, "name": "X"}],
        "control": "S3.8",
        "requirements": ["CIS AWS Foundations 2.1.5", "NIST.800-53.r5 AC-3"],
        "standards": [
            "ruleset/cis-aws-foundations-benchmark/v/1.4.0",
            "standards/aws-foundational-security-best-practices/v/1.0.0",
        ],
        "status": "Fail",
        "status_id": 3,
    },
    "finding_info": {
        "desc": "Checks the block.",
        "last_seen_time": 1767600000000,
        "last_seen_time_dt": "2026-01-05T08:00:00Z",
        "title": "S3 general purpose buckets should block public access",
        "types": ["Software and Configuration Checks", "Posture Management"],
        "uid": "arn:aws:securityhub:eu-west-1:210987654321:security-control/S3.8/finding/1",
    },
    "metadata": {"product": {"name": "Security Hub", "vendor_name": "AWS"}, "uid": "m", "version": "1.6.0"},
    "remediation": {"desc": "See the page.", "references": ["https://docs.example.com/S3.8"]},
    "resources": [
        {
            "owner": {"account": {"uid": "210987654321"}},
            "region": "eu-west-1",
            "type": "AWS::S3::Bucket",
            "uid": "arn:aws:s3:::koeln",
        }
    ],
    "severity": "High",
    "severity_id": 4,
    "status": "New",
    "status_id": 1,
    "time": 1767600000000,
    "time_dt": "2026-01-05T08:00:00Z",
}
SECURITY_HUB = json.dumps([SECURITY_HUB_FINDING]).encode()

SCOUTSUITE_RESULTS = {
    "account_id": "210987654321",
    "last_run": {"ruleset_name": "default", "time": "2026-01-05 09:00:00+0100"},
    "provider_code": "aws",
    "services": {
        "ec2": {
            "findings": {
                "ec2-security-group-opens-all": {
                    "compliance": [
                        {
                            "name": "CIS Amazon Web Services Foundations",
                            "reference": "5.2",
                            "version": "1.2.0",
                        }
                    ],
                    "description": "Security group opens all ports",
                    "flagged_items": 2,
                    "items": [
                        "ec2.regions.eu-west-1.vpcs.vpc-1.security_groups.sg-1.rules.ingress",
                        "ec2.regions.eu-west-1.vpcs.vpc-1.security_groups.sg-2.rules.ingress",
                    ],
                    "level": "danger",
                    "path": "ec2.regions.id.vpcs.id.security_groups.id.rules.id",
                    "rationale": "Open to the world.",
                    "references": ["https://docs.example.com/sg"],
                    "remediation": "Close it.",
                },
                "ec2-nothing-flagged": {
                    "description": "Fine",
                    "flagged_items": 0,
                    "items": [],
                    "level": "warning",
                },
            },
            "regions": {
                "eu-west-1": {
                    "vpcs": {
                        "vpc-1": {
                            "security_groups": {
                                "sg-1": {
                                    "rules": {"ingress": {"arn": "arn:aws:ec2:eu-west-1:210987654321:x/sg-1"}}
                                },
                                "sg-2": {"rules": {"ingress": {"name": "sg-2"}}},
                            }
                        }
                    }
                }
            },
        }
    },
}
SCOUTSUITE = b"scoutsuite_results =\n" + json.dumps(SCOUTSUITE_RESULTS).encode()

CLOUDSPLOIT_FINDING = {
    "plugin": "flowLogsEnabled",
    "category": "EC2",
    "title": "VPC Flow Logs Enabled",
    "description": "Ensures flow logs.",
    "resource": "arn:aws:ec2:eu-west-1:210987654321:vpc/vpc-1",
    "region": "eu-west-1",
    "status": "FAIL",
    "message": "Flow logs are off",
}
CLOUDSPLOIT = json.dumps([CLOUDSPLOIT_FINDING]).encode()

_VNET = "/subscriptions/9cfb/resourcegroups/rg/providers/microsoft.network/virtualnetworks/vn"
AZURE_CSV = (
    "\ufeff"
    '"exportedTimestamp","subscriptionId","resourceType","resourceId","recommendationId","recommendationName",'
    '"recommendationDisplayName","description","remediationSteps","severity","state","notApplicableReason","statusChangeDate",'
    '"controls","azurePortalRecommendationLink","nativeCloudAccountId"\r\n'
    f'"2026-01-05T08:00:00Z","9cfb","virtualnetworks","{_VNET}","{_VNET}/providers/Microsoft.Security/assessments/f67f","f67f",'
    '"Virtual networks should have a firewall","Several\r\nlines","Do it","Low","Unhealthy","","2026-01-04T08:00:00.1234567Z",'
    '"{""Restrict unauthorized network access"":""f9d5""}","https://portal.example.com/#x",""\r\n'
).encode()

SARIF_RUNS = {
    "version": "2.1.0",
    "runs": [
        {
            "results": [
                {
                    "ruleIndex": 0,
                    "message": {"text": "koeln is open."},
                    "locations": [
                        {
                            "physicalLocation": {"artifactLocation": {"uri": "arn%3Aaws%3As3%3A%3A%3Akoeln"}},
                            "logicalLocations": [
                                {"fullyQualifiedName": "arn:aws:s3:::koeln", "kind": "resource"}
                            ],
                        }
                    ],
                    "properties": {"account": "210987654321", "region": "eu-west-1"},
                }
            ],
            "tool": {
                "driver": {
                    "name": "A scanner",
                    "rules": [
                        {
                            "id": "s3_bucket_public_access",
                            "shortDescription": {"text": "Bucket must not be open"},
                            "fullDescription": {"text": "No bucket may be open."},
                            "help": {"text": "Block it."},
                            "helpUri": "https://docs.example.com/s3",
                            "properties": {"security-severity": "9.5"},
                        }
                    ],
                }
            },
        }
    ],
}
SARIF = json.dumps(SARIF_RUNS).encode()

OCSF = json.dumps(
    [
        {
            "metadata": {"event_code": "s3_bucket_public_access"},
            "class_uid": 2004,
            "severity_id": 4,
            "finding_info": {"uid": "u", "title": "t"},
        }
    ]
).encode()

NATIVE = json.dumps({"findings": [{"id": "F", "title": "t", "severity": "LOW"}]}).encode()


@dataclass(frozen=True)
class Known:
    """A report and how many findings are in it."""

    source: str
    content: bytes
    count: int


KNOWN = {
    known.source: known
    for known in (
        Known("Countersign JSON", NATIVE, 1),
        Known("Prowler OCSF", OCSF, 1),
        Known("Security Hub OCSF", SECURITY_HUB, 1),
        Known("AWS Security Finding Format", ASFF, 1),
        Known("Prowler 3 JSON", PROWLER_JSON, 1),
        Known("Prowler CSV", PROWLER_CSV, 2),
        Known("Prowler 2 CSV", PROWLER2_CSV, 2),
        Known("ScoutSuite", SCOUTSUITE, 2),
        Known("CloudSploit JSON", CLOUDSPLOIT, 1),
        Known("Azure Security Center CSV", AZURE_CSV, 1),
        Known("SARIF", SARIF, 1),
    )
}
