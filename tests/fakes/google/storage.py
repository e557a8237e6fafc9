"""Cloud Storage: gcp-storage-emulator keeps the buckets; here is enforced what it lets pass.

That is: metageneration and etag conditions, clearing a field with null, whose project a bucket is in, policy versions, and that
public access prevention keeps public members out.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.fakes.google.checks import Call
from tests.fakes.google.refusal import Refusal

PUBLIC = {"allUsers", "allAuthenticatedUsers"}


@dataclass
class StorageService:
    """In front of an emulator at an address. `owners` maps a bucket to its project."""

    emulator: str
    store: Any
    owners: dict[str, str] = field(default_factory=dict)
    _etags: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, project: str) -> None:
        """Make a bucket."""
        self._forward("POST", "/storage/v1/b", {"name": name})
        self.owners[name] = project

    def bucket(self, name: str) -> dict[str, Any]:
        return self._forward("GET", f"/storage/v1/b/{name}", None)

    def policy(self, name: str) -> dict[str, Any]:
        return self._forward("GET", f"/storage/v1/b/{name}/iam", None)

    def write_policy(self, name: str, bindings: list[dict[str, Any]]) -> None:
        """Write a policy behind everybody's back."""
        self._forward("PUT", f"/storage/v1/b/{name}/iam", {"bindings": bindings, "version": 3})
        self._etags[name] = self._etags.get(name, 0) + 1

    def patch(self, name: str, **settings: Any) -> None:
        """Change settings behind everybody's back; None clears one, and an object is merged, as Google does and the emulator does not."""
        for field_name, value in settings.items():
            if value is None:
                self.store.buckets[name].pop(field_name, None)  # the emulator takes null for “leave it”
        if configuration := settings.get("iamConfiguration"):
            settings["iamConfiguration"] = {**self.bucket(name)["iamConfiguration"], **configuration}
        self._forward("PATCH", f"/storage/v1/b/{name}", settings)

    def serve(self, call: Call, query: dict[str, list[str]], body: Any) -> dict[str, Any]:
        if call.method == "buckets.list":
            return self._list(query["project"][0], query.get("prefix", [""])[0])
        name = call.path["bucket"]
        if name not in self.owners:
            raise Refusal(404, "The specified bucket does not exist.", "notFound")
        if call.method == "buckets.patch":
            self._check_metageneration(name, query)
            self.patch(name, **body)
            return self.bucket(name)
        if call.method == "buckets.setIamPolicy":
            return self._write_policy(name, body)
        if call.method == "buckets.getIamPolicy":
            return self._read_policy(name, query)
        return self.bucket(name)

    def _list(self, project: str, prefix: str) -> dict[str, Any]:
        names = sorted(
            name for name, owner in self.owners.items() if owner == project and name.startswith(prefix)
        )
        return {"kind": "storage#buckets", "items": [self.bucket(name) for name in names]}

    def _check_metageneration(self, name: str, query: dict[str, list[str]]) -> None:
        wanted = query.get("ifMetagenerationMatch")
        if wanted and wanted[0] != self.bucket(name)["metageneration"]:
            raise Refusal(
                412, "At least one of the pre-conditions you specified did not hold.", "conditionNotMet"
            )

    def _read_policy(self, name: str, query: dict[str, list[str]]) -> dict[str, Any]:
        policy = {**self.policy(name), "etag": self._etag(name)}
        if query.get("optionsRequestedPolicyVersion") == ["3"]:
            return policy
        plain = [{key: entry[key] for key in ("role", "members")} for entry in policy["bindings"]]
        return {**policy, "version": 1, "bindings": plain}

    def _write_policy(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("etag") != self._etag(name):
            raise Refusal(412, "The policy was changed meanwhile.", "conditionNotMet")
        if body.get("version") != 3 and any("condition" in entry for entry in body["bindings"]):
            raise Refusal(400, "Conditions need policy version 3.", "invalid")
        prevention = self.bucket(name)["iamConfiguration"].get("publicAccessPrevention")
        if prevention == "enforced" and any(PUBLIC & set(entry["members"]) for entry in body["bindings"]):
            raise Refusal(
                412,
                "Public members are not allowed since public access prevention is enforced.",
                "conditionNotMet",
            )
        self.write_policy(name, body["bindings"])
        return {**self.policy(name), "etag": self._etag(name)}

    def _etag(self, name: str) -> str:
        return f"CAE{self._etags.get(name, 0):04d}="

    def _forward(self, verb: str, path: str, body: Any, **query: str) -> dict[str, Any]:
        url = f"{self.emulator}{path}{'?' if query else ''}{urlencode(query)}"
        data = json.dumps(body).encode() if body is not None else None
        request = Request(url, data=data, method=verb, headers={"Content-Type": "application/json"})  # noqa: S310 - ours
        with urlopen(request, timeout=5) as response:  # noqa: S310 - ours
            answer: dict[str, Any] = json.load(response)
        return answer
