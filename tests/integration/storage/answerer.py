"""One of two processes that want to answer the same requests, as an owner of its own.

Usage: `python answerer.py URL OWNER`. Each line it reads is `beat MOMENT` or `begin MOMENT ID…`: it says that it is alive, or takes what
it gets with many threads at once, and prints how often each request that it got had been begun.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from storage import Stores

_THREADS = 8


def main(url: str, owner: str) -> None:
    stores = Stores.open(url)
    print("ready", flush=True)  # noqa: T201 - the test reads it
    for line in sys.stdin:
        word, moment, *names = line.split()
        now = datetime.fromisoformat(moment)
        got: dict[str, int] = {}
        if word == "beat":
            stores.executions.beat(owner, now)
        else:
            with ThreadPoolExecutor(_THREADS) as pool:
                begun = pool.map(lambda name: stores.inbox.begin(name, owner=owner, now=now), names)  # noqa: B023 - used up in here
                got = {request.request_id: request.attempts for request in begun if request}
        print(json.dumps(got), flush=True)  # noqa: T201
    stores.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
