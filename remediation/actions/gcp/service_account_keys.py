"""Service accounts' keys and Secret Manager's versions, over REST.

The text of a new key passes through here as a `SecretStr`: it is taken out of Google's answer and put into Secret Manager's request.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from audit.errors import Cause, PermanentActionError
from remediation.actions.gcp.errors import google_errors
from remediation.actions.gcp.names import KeyName
from remediation.actions.gcp.rest import GoogleRest

MOST_KEYS = 10  # Google's quota of keys per service account


@dataclass(frozen=True, slots=True)
class Account:
    """A service account and its user-managed keys."""

    rest: GoogleRest
    project: str
    email: str

    @property
    def name(self) -> str:
        """Return the account's relative name."""
        return f"projects/{self.project}/serviceAccounts/{self.email}"

    def keys(self) -> dict[str, bool]:
        """Return each key's id, and whether it is enabled.

        Raises:
            ActionError: they cannot be listed.
        """
        with google_errors(f"list the keys of {self.email}"):
            answer = self.rest.get("iam", f"{self.name}/keys", keyTypes="USER_MANAGED")
        return {_last(key["name"]): not key.get("disabled", False) for key in answer.get("keys", ())}

    def create(self) -> tuple[str, SecretStr]:
        """Make a key; return its id, and its file as Google sends it, in base64.

        Raises:
            ActionError: it was not made, or nobody can tell.
        """
        with google_errors(f"create a key for {self.email}"):
            made = self.rest.create(
                "iam", f"{self.name}/keys", {"privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE"}
            )
        return _last(made["name"]), SecretStr(made["privateKeyData"])

    def enable(self, key_id: str) -> None:
        """Let a key be used again.

        Raises:
            ActionError: it may not, or nobody can tell.
        """
        with google_errors(f"enable the key {key_id} of {self.email}"):
            self.rest.repeat("POST", "iam", f"{self.name}/keys/{key_id}:enable")

    def disable(self, key_id: str) -> None:
        """Let a key be used no more; it can be enabled again.

        Raises:
            ActionError: it still may, or nobody can tell.
        """
        with google_errors(f"disable the key {key_id} of {self.email}"):
            self.rest.repeat("POST", "iam", f"{self.name}/keys/{key_id}:disable")

    def delete(self, key_id: str) -> None:
        """Delete a key for good; one that is gone is fine: the answer to the first try may have been lost.

        Raises:
            ActionError: it is still there, or nobody can tell.
        """
        from google.api_core.exceptions import NotFound

        with google_errors(f"delete the key {key_id} of {self.email}"), suppress(NotFound):
            self.rest.repeat("DELETE", "iam", f"{self.name}/keys/{key_id}")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of Secret Manager and its versions, which Google numbers from 1."""

    rest: GoogleRest
    name: str

    def versions(self) -> dict[int, bool]:
        """Return each version's number, destroyed ones included, and whether it is enabled.

        Raises:
            ActionError: they cannot be listed, or there is no such secret.
        """
        with google_errors(f"list the versions of {self.name}"):
            pages = list(self.rest.list_pages("secretmanager", f"{self.name}/versions"))
        found = [entry for page in pages for entry in page.get("versions", ())]
        return {int(_last(entry["name"])): entry.get("state") == "ENABLED" for entry in found}

    def add(self, payload: SecretStr) -> int:
        """Store a payload, in base64, as the next version; return the version's number.

        Raises:
            ActionError: it was not stored, or nobody can tell.
        """
        with google_errors(f"store a version of {self.name}"):
            made = self.rest.create(
                "secretmanager", f"{self.name}:addVersion", {"payload": _payload(payload)}
            )
        return int(_last(made["name"]))

    def disable(self, version: int) -> None:
        """Let a version be read no more; it can be enabled again.

        Raises:
            ActionError: it still may, or nobody can tell.
        """
        with google_errors(f"disable the version {version} of {self.name}"):
            self.rest.repeat("POST", "secretmanager", f"{self.name}/versions/{version}:disable")


def _payload(payload: SecretStr) -> Mapping[str, str]:
    """Return a payload with its checksum, so that Google refuses one that was damaged on its way."""
    import base64

    import google_crc32c

    text = payload.get_secret_value()
    checksum: int = google_crc32c.value(base64.b64decode(text))
    return {"data": text, "dataCrc32c": str(checksum)}


def find_key(rest: GoogleRest, named: KeyName) -> tuple[Account, str]:
    """Return the account and id of a key that a finding names by id, by account, or by both.

    Scanners may say a key's bare id, so the project's accounts are searched for it. An account alone stands for its only enabled key.

    Raises:
        ActionError: there is no such key, it is not the only one, or that cannot be read.
    """
    if not named.account:
        return _search(rest, named)
    account = Account(rest, named.project, named.account)
    keys = account.keys()
    if named.key_id in keys:
        return account, named.key_id
    if named.key_id:
        raise PermanentActionError(
            f"{account.email} has no user-managed key {named.key_id}", cause=Cause.NOT_FOUND
        )
    enabled = [key for key, is_enabled in keys.items() if is_enabled]
    if len(enabled) != 1:
        raise PermanentActionError(
            f"{account.email} has {len(enabled)} enabled keys: the finding must say which one to rotate",
            cause=Cause.INVALID,
        )
    return account, enabled[0]


def _search(rest: GoogleRest, named: KeyName) -> tuple[Account, str]:
    with google_errors(f"list the service accounts of {named.project}"):
        pages = list(rest.list_pages("iam", f"projects/{named.project}/serviceAccounts", pageSize="100"))
    emails: list[Any] = [entry["email"] for page in pages for entry in page.get("accounts", ())]
    for email in emails:
        account = Account(rest, named.project, str(email))
        keys = account.keys()
        if named.key_id in keys:
            return account, named.key_id
    raise PermanentActionError(
        f"No service account of {named.project} has a key {named.key_id}", cause=Cause.NOT_FOUND
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]
