"""A second signal ends the process at once as the first process of a container too, from which the kernel keeps default actions away."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.process, pytest.mark.slow]
ENDS_WITHIN_S = 30
_AS_FIRST = ["unshare", "--user", "--map-root-user", "--fork", "--pid", "--kill-child"]
# Serves until a signal comes, and then takes long to stop. /proc is that of the outside, where its number is another one.
_SERVES = """
import os, socket, sys, time
import uvicorn
from bot.serving import _Server

async def web(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.complete"})
    print(os.getpid(), os.readlink("/proc/self"), flush=True)
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

told = {"pid": lambda: 1} if sys.argv[1:] else {}
server = _Server(uvicorn.Config(web, log_config=None, loop="uvloop"), **told)
server.run(sockets=[socket.create_server(("127.0.0.1", 0))])
print("stopping", flush=True)
time.sleep(600)
"""


def may_make_first() -> bool:
    """Tell whether this system lets us start a process that is the first of a namespace: some containers do not."""
    if shutil.which(_AS_FIRST[0]) is None:
        return False
    return subprocess.run([*_AS_FIRST, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "is_told", [True, False], ids=["told that it is the first", "the first, where that can be had"]
)
def test_a_second_signal_ends_the_first_process_of_a_container(is_told: bool) -> None:
    is_told = is_told or not may_make_first()
    command = [sys.executable, "-c", _SERVES]
    started = [*command, "told"] if is_told else [*_AS_FIRST, *command]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            inside, outside = map(int, process.stdout.readline().split())
            assert is_told or inside == 1
            os.kill(outside, signal.SIGTERM)
            assert process.stdout.readline() == "stopping\n"
            os.kill(outside, signal.SIGTERM)
            assert process.wait(ENDS_WITHIN_S) == 128 + signal.SIGTERM
        finally:
            process.kill()
