"""One of two processes that decide about the same executions: prints how often it won.

Usage: `python racer.py URL NAME EXECUTIONS CLICKS`; starts when it reads a line.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from audit.errors import StateError
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.samples import a_decision, an_event


def main(url: str, name: str, executions: int, clicks: int) -> None:
    stores = Stores.open(url)
    seen = [stores.executions.get(f"exec-{number}") for number in range(executions)]
    print("ready", flush=True)  # noqa: T201 - the test reads it
    sys.stdin.readline()

    def click(execution: PlaybookExecution) -> int:
        decisions = (a_decision(execution),)
        after = execution.moved(PlaybookStatus.APPROVED, decisions=decisions)
        try:
            stores.executions.save(execution, replace(after, owner=name), an_event("execution.approved"))
        except StateError:
            return 0
        return 1

    with ThreadPoolExecutor(25) as pool:
        won = sum(pool.map(click, (execution for execution in seen for _ in range(clicks))))
    print(won, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
