"""The clouds that processes die on."""

from pathlib import Path

import pytest

from tests.contract.backends_azure import arm, azure_clients
from tests.contract.backends_google import google, google_clients, storage_emulator
from tests.databases import migrate

__all__ = ["arm", "azure_clients", "google", "google_clients", "storage_emulator"]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database once; each test has a copy."""
    path = tmp_path_factory.mktemp("faults") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path
