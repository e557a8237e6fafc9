"""The process that stands in for AWS: moto's server, on a free port of this machine, with an account of its own.

Servers of one process share an account, whatever their ports: each account that is to be one gets a process. It says its
address in one line and lives for as long as its standard input is open, so it never outlives whoever started it.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

from audit.errors import CountersignError
from bot.loopback import fence_in


@contextmanager
def aws_account() -> Iterator[str]:
    """Start an empty account; yield its address, and end it.

    Raises:
        CountersignError: it did not start; why is on standard error.
    """
    child = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:  # closes its standard input at the end, and waits
        assert child.stdout is not None  # noqa: S101 - a pipe, as asked for
        address = child.stdout.readline().strip()
        if not address:
            raise CountersignError("the stand-in for AWS did not start")
        yield address


def _serve() -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches every process: the bot ends first, and still asks here
    fence_in()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)  # noqa: T201 - whoever started this reads it
    sys.stdin.read()
    os._exit(0)  # nothing of it is kept


if __name__ == "__main__":
    _serve()
