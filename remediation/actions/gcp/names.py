"""Google Cloud's names of resources, in every spelling that scanners use.

A full resource name (`//compute.googleapis.com/projects/…`), a self link, a `gs://` address, a relative name or, where the finding
names the project, the bare name or number.
"""

import re
from dataclasses import dataclass

from audit.errors import Cause, PermanentActionError
from remediation.plan import Target

PROVIDER = "gcp"
_PROJECT = r"projects/(?P<project>[a-z0-9][a-z0-9.:-]{1,61}[a-z0-9])"
_COMPUTE = r"(?:(?:https:)?//(?:www|compute)\.googleapis\.com/(?:compute/[a-z0-9]+/)?)?"
_LABEL = r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAME = rf"(?P<name>{_LABEL}|[1-9][0-9]{{0,19}})"
_BUCKET = re.compile(
    r"(?:gs://|//storage\.googleapis\.com/(?:projects/_/buckets/)?|projects/_/buckets/"
    r"|https://(?:www|storage)\.googleapis\.com/storage/v1/b/)?(?P<name>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])/?"
)
_FIREWALL = re.compile(rf"{_COMPUTE}(?:{_PROJECT}/global/firewalls/)?{_NAME}")
_SUBNETWORK = re.compile(rf"{_COMPUTE}(?:{_PROJECT}/regions/(?P<region>{_LABEL})/subnetworks/)?{_NAME}")
_ACCOUNT = r"(?P<account>[a-z0-9][a-z0-9-]{4,62}@[a-z0-9.-]{1,190}\.gserviceaccount\.com|[0-9]{21})"
_KEY_ID = r"(?P<key>[0-9a-f]{40})"
_KEY = re.compile(
    rf"(?://iam\.googleapis\.com/)?(?:projects/(?P<project>-|[a-z0-9][a-z0-9.:-]{{1,61}}[a-z0-9])/serviceAccounts/)?"
    rf"(?:{_ACCOUNT}(?:/keys/{_KEY_ID})?|(?P<bare>[0-9a-f]{{40}}))"
)
_KEY_PROJECT = re.compile(r"@([a-z0-9-]+)\.iam\.gserviceaccount\.com$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A resource's own name, and the project and region it lives in; empty where neither name nor finding tells."""

    name: str
    project: str
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """A service account's key: the account's address and the key's id, each empty where the finding does not name it."""

    project: str
    account: str
    key_id: str


def bucket_of(target: Target) -> Located:
    """Return the bucket that a target names.

    Raises:
        PermanentActionError: it names none.
    """
    match = _match(_BUCKET, target, "a Cloud Storage bucket")
    return Located(name=match["name"], project=target.account_id)


def firewall_of(target: Target) -> Located:
    """Return the firewall rule that a target names.

    Raises:
        PermanentActionError: it names none, or one in another project than the finding says.
    """
    match = _match(_FIREWALL, target, "a VPC firewall rule")
    return Located(name=match["name"], project=_project(match["project"], target))


def subnetwork_of(target: Target) -> Located:
    """Return the subnetwork that a target names.

    Raises:
        PermanentActionError: it names none, one in another project than the finding says, or no region.
    """
    match = _match(_SUBNETWORK, target, "a VPC subnetwork")
    region = match["region"] or target.region
    if not re.fullmatch(_LABEL, region):
        raise PermanentActionError(
            f"“{target.resource[:120]}” is a subnetwork of no known region", cause=Cause.WRONG_REGION
        )
    return Located(name=match["name"], project=_project(match["project"], target), region=region)


def key_of(target: Target) -> KeyName:
    """Return the service account key that a target names, as far as it does.

    Raises:
        PermanentActionError: it names none, or one in another project than the finding says.
    """
    match = _match(_KEY, target, "a service account's key")
    account = match["account"] or ""
    named = match["project"] if match["project"] != "-" else None
    own = _KEY_PROJECT.search(account)
    project = _project(named or (own[1] if own else None), target)
    return KeyName(project=project, account=account, key_id=match["key"] or match["bare"] or "")


def _match(pattern: re.Pattern[str], target: Target, kind: str) -> re.Match[str]:
    match = pattern.fullmatch(target.resource.strip())
    if match is None or target.provider not in ("", PROVIDER):
        raise PermanentActionError(
            f"“{target.resource[:120]}” is not the name of {kind} on Google Cloud", cause=Cause.INVALID
        )
    return match


def _project(named: str | None, target: Target) -> str:
    """Return the project; where name and finding disagree, nobody knows what was meant."""
    if named and target.account_id and named != target.account_id:
        raise PermanentActionError(
            f"“{target.resource[:120]}” is in the project {named}, but the finding says {target.account_id}",
            cause=Cause.WRONG_ACCOUNT,
        )
    return named or target.account_id
