"""The stand-in for AWS: whoever starts one has an account that nobody else changes, and it ends with them."""

import subprocess
import sys

import pytest
from botocore.exceptions import EndpointConnectionError

from bot.sandbox.account import aws_account
from bot.sandbox.cloud import PUBLIC_BUCKET, demo_cloud
from tests.fakes.moto_clients import ONCE, moto_client


def test_two_accounts_are_apart() -> None:
    with demo_cloud() as ours, demo_cloud() as theirs:
        before = theirs.rows()
        ours.change_from_outside()
        assert theirs.rows() == before != ours.rows()
        theirs.client.delete_bucket(Bucket=PUBLIC_BUCKET)
        assert len(ours.client.list_buckets()["Buckets"]) == len(theirs.client.list_buckets()["Buckets"]) + 1


def test_an_account_ends_with_whoever_started_it() -> None:
    with aws_account() as endpoint:
        assert moto_client("s3", endpoint).list_buckets()["Buckets"] == []
    with pytest.raises(EndpointConnectionError):
        moto_client("s3", endpoint, config=ONCE).list_buckets()


def test_it_ends_when_its_starter_is_killed() -> None:
    script = (
        "import os, signal\nfrom bot.sandbox.account import aws_account\nwith aws_account() as endpoint:\n"
    )
    script += "    print(endpoint, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    # The child holds its starter's standard error: it is read to its end when both have ended.
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    with pytest.raises(EndpointConnectionError):
        moto_client("s3", killed.stdout.strip(), config=ONCE).list_buckets()
