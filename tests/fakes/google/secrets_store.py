"""Secret Manager: versions are numbered from 1, and their payloads are never read here but by tests."""

import base64
from dataclasses import dataclass, field
from typing import Any

import google_crc32c

from tests.fakes.google.checks import Call
from tests.fakes.google.refusal import Refusal

PAGE = 2  # small, so that lists have pages


@dataclass
class SecretManager:
    """Holds secrets by name, each a list of versions."""

    secrets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, *states: str) -> None:
        """Make a secret with a version in each of these states."""
        self.secrets[name] = [
            {"name": f"{name}/versions/{number}", "state": state}
            for number, state in enumerate(states, start=1)
        ]

    def serve(self, call: Call, query: dict[str, list[str]], body: Any) -> dict[str, Any]:
        name = call.path.get("parent") or call.path["name"]
        versions = self.secrets.get(name.partition("/versions/")[0])
        if versions is None:
            raise Refusal(404, f"Secret [{name}] not found.", "notFound")
        if call.method.endswith(".list"):
            return _page(versions, query)
        if call.method.endswith(".addVersion"):
            return self._add_version(name, versions, body["payload"])
        version = next(entry for entry in versions if entry["name"] == name)
        version["state"] = "DISABLED"
        return dict(version)

    def _add_version(
        self, name: str, versions: list[dict[str, Any]], payload: dict[str, str]
    ) -> dict[str, Any]:
        data = base64.b64decode(payload["data"], validate=True)
        if int(payload["dataCrc32c"]) != google_crc32c.value(data):
            raise Refusal(400, "The checksum does not match.", "invalid")
        made = {"name": f"{name}/versions/{len(versions) + 1}", "state": "ENABLED"}
        versions.append(made)
        self.payloads[made["name"]] = data
        return dict(made)


def _page(versions: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """Answer newest first, as Google does, a few at a time."""
    start = int(query.get("pageToken", ["0"])[0])
    newest = list(reversed(versions))
    page: dict[str, Any] = {"versions": newest[start : start + PAGE], "totalSize": len(versions)}
    return {**page, "nextPageToken": str(start + PAGE)} if start + PAGE < len(newest) else page
