"""The actions on AWS that ship with the product."""

from typing import Any

from remediation.actions.aws.clients import AwsClients
from remediation.actions.aws.s3_public_access import PutPublicAccessBlock
from remediation.actions.contract import Action


def aws_actions(clients: AwsClients) -> list[Action[Any]]:
    """Return them all."""
    return [PutPublicAccessBlock(clients)]
