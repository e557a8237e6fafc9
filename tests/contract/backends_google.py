"""Google Cloud for one test: the stand-in, with gcp-storage-emulator behind it, and clients as they are made in production."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remediation.actions.gcp.clients import GoogleClients, Patience
from tests.fakes.google.identity import BOT, BOT_KEY
from tests.fakes.google.server import GoogleCloud, serving
from tests.fakes.google.storage import StorageService

PROJECT = "acme-prod"
QUICK = Patience(connect_s=2, read_s=5, total_s=10, operation_s=10, proof_s=10)
APIS = ("compute", "storage", "iam", "secretmanager", "iamcredentials")


@pytest.fixture(scope="session")
def storage_emulator() -> Iterator[tuple[str, Any]]:
    """Run gcp-storage-emulator for the whole session; each test makes buckets of its own."""
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=True)
    server.start()
    yield f"http://127.0.0.1:{_port_of(server)}", server._storage
    server.stop()


def _port_of(server: Any) -> int:
    """Return the port, which the emulator's thread binds right before it says that it is running."""
    port: int = server._api._httpd.server_address[1]
    return port


@pytest.fixture
def google(
    storage_emulator: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GoogleCloud]:
    """Serve Google Cloud, with the bot's credentials where google-auth looks for them. Nothing may have been asked amiss."""
    address, store = storage_emulator
    with serving(GoogleCloud(StorageService(address, store))) as cloud:
        file = tmp_path / "credentials.json"
        file.write_text(json.dumps(cloud.identity.key_file(BOT, BOT_KEY)), encoding="utf-8")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        # google-auth looks up at Google's own address, in the background, in which regions credentials may be used.
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        yield cloud
    assert cloud.violations == []


@pytest.fixture
def google_clients(google: GoogleCloud) -> GoogleClients:
    """Return the clients of production, sent to the stand-in."""
    return clients_for(google)


def clients_for(cloud: GoogleCloud, patience: Patience = QUICK, **settings: Any) -> GoogleClients:
    """Return clients of production, sent to a stand-in."""
    return GoogleClients(endpoints=dict.fromkeys(APIS, cloud.address), patience=patience, **settings)
