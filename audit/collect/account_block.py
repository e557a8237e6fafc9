"""The account's own block on public buckets."""

from typing import Final

from audit.collect.reader import Ask, Reader

BLOCK: Final = Ask(
    "s3control",
    "get_public_access_block",
    "s3:GetAccountPublicAccessBlock",
    absent=frozenset({"NoSuchPublicAccessBlockConfiguration"}),
)
ASKS: Final = (BLOCK,)


def read_account_block(reader: Reader, account_id: str, *, region: str) -> object:
    """Return the four switches; None where there is no block, `Unread` where it cannot be read. Any region answers."""
    ask = Ask(BLOCK.service, BLOCK.method, BLOCK.permission, region=region, absent=BLOCK.absent)
    return reader.value(ask, lambda answer: answer["PublicAccessBlockConfiguration"], AccountId=account_id)
