"""Whether a region encrypts its new volumes."""

from dataclasses import replace
from typing import Final

from audit.collect.reader import Ask, Reader

DEFAULT: Final = Ask("ec2", "get_ebs_encryption_by_default", "ec2:GetEbsEncryptionByDefault")
ASKS: Final = (DEFAULT,)


def read_default_encryption(reader: Reader, region: str) -> object:
    """Return whether it is on; `Unread` where it cannot be read."""
    ask = replace(DEFAULT, region=region)
    return reader.value(ask, lambda answer: bool(answer.get("EbsEncryptionByDefault")))
