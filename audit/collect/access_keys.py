"""IAM users and their access keys, as of now."""

from collections.abc import Iterator
from typing import Final

from audit.collect.facts import Facts, Unread
from audit.collect.reader import Answer, Ask, Reader, unread
from audit.errors import ActionError

USERS: Final = Ask("iam", "list_users", "iam:ListUsers")
KEYS: Final = Ask("iam", "list_access_keys", "iam:ListAccessKeys")
LAST_USED: Final = Ask("iam", "get_access_key_last_used", "iam:GetAccessKeyLastUsed")
ASKS: Final = (USERS, KEYS, LAST_USED)


def read_users(reader: Reader) -> Iterator[Facts]:
    """Yield each user with their keys.

    Raises:
        ActionError: the users cannot be listed.
    """
    for user in reader.entries(USERS, key="Users"):
        name = str(user["UserName"])
        yield {"name": name, "arn": str(user["Arn"]), "access_keys": _keys_of(reader, name)}


def _keys_of(reader: Reader, user: str) -> list[Facts] | Unread:
    try:
        keys = reader.entries(KEYS, key="AccessKeyMetadata", UserName=user)
    except ActionError as error:
        return unread(error, KEYS)
    try:
        return [_key(reader, key) for key in keys]
    except ActionError as error:
        return unread(error, LAST_USED)


def _key(reader: Reader, key: Answer) -> Facts:
    answer = reader.read(LAST_USED, AccessKeyId=key["AccessKeyId"]) or {}
    return {
        "id": key["AccessKeyId"],
        "active": key["Status"] == "Active",
        "created": key["CreateDate"],
        "last_used": answer.get("AccessKeyLastUsed", {}).get("LastUsedDate"),
    }
