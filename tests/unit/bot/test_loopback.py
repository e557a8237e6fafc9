"""The demo's fence: no library can leave this machine."""

import subprocess
import sys

import pytest

TRIES = {
    "connect": "socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "look-up": "socket.getaddrinfo('example.com', 80)",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "v6": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "urllib": "urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
    "boto3": "boto3.client('s3', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x',"
    " config=botocore.config.Config(retries={'total_max_attempts': 1})).list_buckets()",
}
START = (
    "import socket, urllib.request, boto3, botocore.config\nfrom bot.loopback import fence_in\nfence_in()\n"
)


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES)
def test_nothing_leaves(attempt: str) -> None:
    done = run(attempt)
    assert done.returncode != 0
    assert "may talk to this machine only" in done.stderr


def test_this_machine_is_reached() -> None:
    done = run(
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname())\n"
        "socket.getaddrinfo('localhost', 80)\n"
    )
    assert done.returncode == 0, done.stderr
