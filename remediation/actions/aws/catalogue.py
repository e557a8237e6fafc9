"""The actions on AWS that ship with the product."""

from typing import Any

from remediation.actions.aws.account_public_access import PutAccountPublicAccessBlock
from remediation.actions.aws.clients import AwsClients
from remediation.actions.aws.cloudtrail_create import CreateTrail
from remediation.actions.aws.cloudtrail_start import StartLogging
from remediation.actions.aws.ebs_default_encryption import EnableEbsEncryption
from remediation.actions.aws.ebs_encrypted_copy import PrepareEncryptedCopy
from remediation.actions.aws.flow_logs import CreateFlowLogs
from remediation.actions.aws.iam_access_key import RotateAccessKey
from remediation.actions.aws.iam_group import AddUserToGroup
from remediation.actions.aws.s3_logging import PutBucketLogging
from remediation.actions.aws.s3_public_access import PutPublicAccessBlock
from remediation.actions.aws.security_group import RevokeSecurityGroupIngress
from remediation.actions.contract import Action


def aws_actions(clients: AwsClients) -> list[Action[Any]]:
    """Return them all."""
    return [
        PutPublicAccessBlock(clients),
        PutAccountPublicAccessBlock(clients),
        EnableEbsEncryption(clients),
        PrepareEncryptedCopy(clients),
        RevokeSecurityGroupIngress(clients),
        PutBucketLogging(clients),
        StartLogging(clients),
        CreateTrail(clients),
        CreateFlowLogs(clients),
        AddUserToGroup(clients),
        RotateAccessKey(clients),
    ]
