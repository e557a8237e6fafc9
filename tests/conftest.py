"""What all tests share: a clean environment, a clock that stands still, a small AWS account."""

import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from moto import backends as moto_backends
from moto.server import ThreadedMotoServer

from audit.findings import Finding, Severity
from tests.endings import Later, ending_later
from tests.fakes.moto_clients import ONCE, account_client, moto_client
from tests.postgres import HOW_TO_GET_IT, find_server, running_postgres

SHARED = Path(__file__).resolve().parents[2] / "shared"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
_KEPT = {"PATH", "HOME", "LANG", "TMPDIR", "TZ", "CI", "PYTHONPATH", "VIRTUAL_ENV", "DATABASE_URL_POSTGRES"}

# Read now, since every test's environment is cleared. Set by `.ci/run`: there, what is not tested is not proved.
NO_SKIPS = bool(os.environ.get("COUNTERSIGN_NO_SKIPS"))

# Properties are about results: a busy machine must not fail them for being slow. A few examples, other ones each time, are
# enough for every day; many are tried with `--hypothesis-profile thorough`.
for _name, _examples in (("quick", 25), ("thorough", 100)):
    hypothesis_settings.register_profile(
        _name, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=_examples
    )
hypothesis_settings.load_profile("quick")


# Tests break things on purpose, again and again: their tracebacks are printed without boxes and colours, which take long to draw.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--pictures`: the folder that browser tests leave the documentation's pictures in."""
    parser.addoption("--pictures", type=Path, default=None)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the developer's environment in: above all no cloud credentials."""
    for name in set(os.environ) - _KEPT:
        if not name.startswith(("PYTEST_", "COV_", "UPDATE_")):
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def later() -> Iterator[Later]:
    """End what a test has started beside the tests that follow."""
    with ending_later() as end:
        yield end


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """Run moto's server for the whole session; each test makes buckets of its own."""
    # For each request moto lists its folders anew, and werkzeug writes a line that nobody reads.
    folders = tuple(moto_backends.list_of_moto_modules())
    moto_backends.list_of_moto_modules = lambda: folders
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the address of a Postgres: the one that DATABASE_URL_POSTGRES names, else a server of our own."""
    if url := os.environ.get("DATABASE_URL_POSTGRES"):
        yield url
        return
    programs = find_server()
    if programs is None:
        need("initdb", HOW_TO_GET_IT)
    assert programs is not None
    with running_postgres(programs) as url:
        yield url


@pytest.fixture
def s3(moto_endpoint: str) -> Any:
    """Return an S3 client on the account."""
    return moto_client("s3", moto_endpoint)


@pytest.fixture
def s3control(moto_endpoint: str) -> Any:
    """Return a client for the account's own S3 settings."""
    return account_client(moto_endpoint)


@pytest.fixture
def ec2(moto_endpoint: str) -> Any:
    """Return an EC2 client that asks once."""
    return moto_client("ec2", moto_endpoint, config=ONCE)


@pytest.fixture
def security_group(ec2: Any) -> str:
    """Create a security group that belongs to this test alone."""
    name = f"group-{uuid.uuid4().hex[:12]}"
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]  # outside of one, moto gives a group no outbound rule
    return str(ec2.create_security_group(GroupName=name, Description="A test's own", VpcId=vpc)["GroupId"])


@pytest.fixture
def volume(ec2: Any) -> str:
    """Create an unencrypted volume that belongs to this test alone."""
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, VolumeType="gp3", Throughput=130)
    return str(made["VolumeId"])


@pytest.fixture
def finding(bucket: str) -> Finding:
    """Return a failing finding about the bucket."""
    return Finding(
        id=f"prowler-{bucket}",
        title="Bucket is public",
        severity=Severity.CRITICAL,
        category="Storage",
        resource=f"arn:aws:s3:::{bucket}",
        check_id="s3_bucket_level_public_access_block",
        provider="aws",
        account_id=ACCOUNT,
        region="us-east-1",
    )


@pytest.fixture
def bucket(s3: Any) -> str:
    """Create a bucket that belongs to this test alone."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


def need(what: Path | str, how_to_get_it: str, *, no_skips: bool = NO_SKIPS) -> None:
    """Skip the test, loudly, where a file (a path) or a program (a name) is not on this machine.

    With COUNTERSIGN_NO_SKIPS set the test fails instead.
    """
    is_here = what.exists() if isinstance(what, Path) else shutil.which(what) is not None
    if is_here:
        return
    missing = f"{what} is missing: {how_to_get_it}"
    if no_skips:
        pytest.fail(f"{missing} (COUNTERSIGN_NO_SKIPS is set)", pytrace=False)
    pytest.skip(missing)


def sample(name: str) -> Path:
    """Return a real scanner file, which is not part of the project."""
    return _shared("samples", name)


def schema(name: str) -> Path:
    """Return a published schema, which is not part of the project."""
    return _shared("schemas", name)


def _shared(folder: str, name: str) -> Path:
    path = SHARED / "data" / folder / name
    need(path, "the folder `shared` belongs beside this checkout")
    return path
