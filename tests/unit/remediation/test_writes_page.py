"""Each write to a cloud that stands in the code has a line in `docs/writes.md`, and each line a write."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore import xform_name
from botocore.session import Session

from tests.contract.writes_page import writes

ACTIONS = Path(__file__).resolve().parents[3] / "remediation" / "actions"
SERVICES = ("s3", "s3control", "ec2", "iam", "cloudtrail", "secretsmanager", "sts")
READS = ("Get", "List", "Describe", "Head", "AssumeRole")
# What the SDKs of the others, and our own words for them, call a write.
WRITES = re.compile(
    r"(?:begin_|patch|set_iam|insert|create|update|delete|destroy|disable|enable|regenerate|undelete|upload|post|repeat)\w*"
)
ON_GOOGLE = {
    "self._client('firewalls').patch_unary": "firewalls.patch",
    "self._client('subnetworks').patch_unary": "subnetworks.patch",
    "bucket.patch": "buckets.patch",
    "bucket.set_iam_policy": "buckets.setIamPolicy",
    "self.rest.create iam /keys": "projects.serviceAccounts.keys.create",
    "self.rest.create secretmanager :addVersion": "projects.secrets.addVersion",
    "self.rest.repeat POST iam :disable": "projects.serviceAccounts.keys.disable",
    "self.rest.repeat POST iam :enable": "projects.serviceAccounts.keys.enable",
    "self.rest.repeat DELETE iam /keys/": "projects.serviceAccounts.keys.delete",
    "self.rest.repeat POST secretmanager :disable": "projects.secrets.versions.disable",
}
ON_AZURE = {
    "self._network.security_rules.begin_create_or_update": "security_rules.begin_create_or_update",
    "self._logs.begin_create_or_update": "flow_logs.begin_create_or_update",
    "self._logs.begin_delete": "flow_logs.begin_delete",
    "self._storage.storage_accounts.update": "storage_accounts.update",
    "self._storage.blob_containers.update": "blob_containers.update",
    "self._accounts.regenerate_key": "storage_accounts.regenerate_key",
}
# Methods of ours that sound like one, and those of the SDK's objects that only change what is in memory.
OURS = {
    "Compute(self._clients, named.project).patch_firewall",
    "Compute(self._clients, named.project).patch_subnetwork",
    "bucket.disable_logging",
    "bucket.enable_logging",
    "buckets.patch",
    "rotation.account.disable",
    "self._account(plan.target).regenerate",
    "self.account.create",
    "self.account.delete",
    "self.account.enable",
    "self.delete",
    "self.secret.disable",
}


@cache
def operations() -> dict[str, str]:
    """Return AWS's operations by the names that Python has for them."""
    session = Session()
    names = {name for service in SERVICES for name in session.get_service_model(service).operation_names}
    return {xform_name(name): name for name in names}


def trees(cloud: str) -> Iterator[ast.AST]:
    for path in sorted((ACTIONS / cloud).glob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def test_aws() -> None:
    nodes = [node for tree in trees("aws") for node in ast.walk(tree)]
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found = {operations()[name] for name in named & operations().keys()}
    assert {name for name in found if not name.startswith(READS)} == writes("aws").keys()


def calls(cloud: str) -> set[str]:
    """Return what is called by a name that sounds like a write: as it stands there, with what it says of Google's REST paths."""
    found = (
        (ast.unparse(node.func), node)
        for tree in trees(cloud)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and WRITES.match(node.func.attr)
    )
    return {" ".join([name, *_texts(node)]) if ".rest." in name else name for name, node in found} - OURS


def _texts(call: ast.Call) -> Iterator[str]:
    """Yield the texts among a call's arguments; of one that is put together, its last piece."""
    for argument in call.args:
        pieces = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
        words = [str(piece.value) for piece in pieces if isinstance(piece, ast.Constant)]
        yield from words[-1:]


def test_google() -> None:
    assert calls("gcp") == ON_GOOGLE.keys()
    assert set(ON_GOOGLE.values()) == writes("gcp").keys()


def test_azure() -> None:
    assert calls("azure") == ON_AZURE.keys()
    assert set(ON_AZURE.values()) == writes("azure").keys()
