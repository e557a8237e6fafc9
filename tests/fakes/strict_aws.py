"""An AWS account that enforces its policies: moto's server in a process of its own, since this is a switch for the whole process."""

import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3
import orjson

from remediation.actions.aws.clients import Access

_SERVER = """
import sys
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
sys.stdin.read()  # until whoever started us has gone
server.stop()
"""


@dataclass(frozen=True)
class Keys:
    """A user's name and access key."""

    user: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class StrictAccount:
    """The account: `owner` may do anything, everybody else what the owner lets them."""

    url: str
    owner: Keys

    def client(self, service: str, keys: Keys | None = None) -> Any:
        who = (keys or self.owner).arguments
        return _client(service, self.url, who)

    def make_user(self) -> Keys:
        return _make_user(self.client("iam"))

    def let(self, who: Keys, actions: Iterable[str]) -> None:
        """Let a user do these things and nothing else. Moto knows no narrower resource than any, outside S3."""
        _let(self.client("iam"), who.user, sorted(actions))

    def as_user(self, who: Keys) -> "UsersClients":
        return UsersClients(self, who)


@dataclass(frozen=True)
class UsersClients:
    """Clients on one user's access key, as actions take them."""

    account: StrictAccount
    who: Keys

    def client(self, service: str, *, region: str, access: Access) -> Any:
        return self.account.client(service, self.who)

    def account_id(self) -> str:
        return "123456789012"


@contextmanager
def strict_account() -> Iterator[StrictAccount]:
    """Start the account, and switch its policies on."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        url = server.stdout.readline().strip()
        iam = _client("iam", url, {"aws_access_key_id": "anybody", "aws_secret_access_key": "anybody"})
        owner = _make_user(iam)
        _let(iam, owner.user, ["*"])
        _enforce(url)
        yield StrictAccount(url, owner)
        server.stdin.close()


def _client(service: str, url: str, keys: dict[str, str]) -> Any:
    kind: Any = boto3.client  # stubs know each service's name, and not that one may be handed in
    return kind(service, endpoint_url=url, region_name="us-east-1", **keys)


def _enforce(url: str) -> None:
    # Moto's "so many calls are free"; as a form it would be read as something else.
    request = Request(f"{url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})  # noqa: S310
    urlopen(request).close()  # noqa: S310 - the server just started


def _make_user(iam: Any) -> Keys:
    name = f"user-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(
        name,
        {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]},
    )


def _let(iam: Any, user: str, actions: list[str]) -> None:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = orjson.dumps({"Version": "2012-10-17", "Statement": [statement]}).decode()
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
