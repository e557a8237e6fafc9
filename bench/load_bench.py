"""How soon people are answered when fifty of them type and click at once, beside an endpoint that only checks signatures.

python bench/load_bench.py [--requests 3000] [--flat 100000]
"""

import argparse
import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.load_client import HttpConnection, Result, Send, connect, drive
from bench.load_seed import seed
from bot.sandbox import payloads
from bot.sandbox.delivery import Delivery, HttpCourier
from bot.sandbox.demo import running_bot
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.workspace import DEFAULT_WORKSPACE
from storage import Stores

AT_ONCE = 50
GOAL_P99_MS = 100
LATEST_S = 3.0
SLACK_ANSWERS_AFTER_S = 1.0
FINDINGS, CARDS = 100_000, 1_000
WORDS = ("/report list", "/playbook list", "/playbook show AWS-PUBLIC-S3", "/report list")
FLAT_MB = (
    16  # what memory may rise by over the whole of --flat: the allocator's and the caches' own moving about
)
T = TypeVar("T")


def deliveries(slack: SlackStandIn, count: int) -> list[Delivery]:
    """Commands and clicks in turns, each with handles of its own, as Slack sends them."""
    return [_click(slack, number) if number % 2 else _command(slack, number) for number in range(count)]


def _command(slack: SlackStandIn, number: int) -> Delivery:
    person, channel = slack.workspace.person("ana"), slack.workspace.channel("#security")
    handles = slack.new_handles(person, channel.id)
    words = WORDS[number // 2 % len(WORDS)]
    return Delivery(
        "slash_commands", payloads.slash_command(slack.workspace, person, channel, words, handles)
    )


def _click(slack: SlackStandIn, number: int) -> Delivery:
    """Somebody who may not approve presses Approve: decided against the directory, answered in private, nothing runs."""
    person, channel = slack.workspace.person("otto"), slack.workspace.channel("#security")
    handles = slack.new_handles(person, channel.id)
    payload = payloads.interaction(slack.workspace, person, "block_actions") | {
        "trigger_id": handles.trigger_id,
        "response_url": handles.response_url,
        "channel": {"id": channel.id, "name": channel.name},
        "container": {"type": "message", "message_ts": "1700000000.000001", "channel_id": channel.id},
        "actions": [
            {
                "type": "button",
                "action_id": "approve",
                "block_id": "decide",
                "value": f"x-{number % CARDS:012x}:1",
                "action_ts": f"{time.time():.6f}",
            }
        ],
    }
    return Delivery("interactive", payload)


def to_http(slack: SlackStandIn, delivery: Delivery) -> bytes:
    """Return the whole signed request as bytes."""
    body, headers = HttpCourier("", slack.workspace.signing_secret, LATEST_S).sign(delivery)
    lines = ["POST /slack/events HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def over_http(name: str, port: int, requests: Sequence[bytes]) -> Result:
    connections: list[HttpConnection] = await connect(port, AT_ONCE)
    try:
        return await drive(name, [connection.send for connection in connections], requests)
    finally:
        for connection in connections:
            connection.close()


async def over_socket(name: str, slack: SlackStandIn, wanted: Sequence[Delivery]) -> Result:
    waiting = iter(wanted)

    async def send(_number: bytes) -> int:
        return (await slack.sockets.exchange(next(waiting))).status or 0

    sends: list[Send] = [send] * AT_ONCE
    return await drive(name, sends, [b""] * len(wanted))


def on_loop(slack: SlackStandIn, work: Coroutine[object, object, T]) -> T:
    """Run on the stand-in's own loop, so that client and stand-in share one thread and hand nothing over."""
    if slack.sockets.loop is None:
        raise RuntimeError("the stand-in is not running")
    return asyncio.run_coroutine_threadsafe(work, slack.sockets.loop).result()


@contextmanager
def bare_endpoint() -> Iterator[tuple[int, int]]:
    """Run the plainest thing that could answer Slack, as a process of its own; yields its port and its id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    child = subprocess.Popen([sys.executable, __file__, "--bare", str(port)])  # noqa: S603 - ourselves
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port, child.pid
    finally:
        child.terminate()
        child.wait()


def serve_bare(port: int) -> None:
    import uvicorn
    from slack_sdk.signature import SignatureVerifier
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    verifier = SignatureVerifier(DEFAULT_WORKSPACE.signing_secret)

    async def answer(request: Request) -> Response:
        body = await request.body()
        return Response(status_code=200 if verifier.is_valid_request(body, dict(request.headers)) else 401)

    web = Starlette(routes=[Route("/slack/events", answer, methods=["POST"])])
    uvicorn.run(web, host="127.0.0.1", port=port, loop="uvloop", log_level="critical", access_log=False)


def queued(port: int) -> int:
    """Return how many pieces of work wait in the bot, as it says itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return sum(
        int(float(value))
        for value in re.findall(r"^countersign_lane_depth\{[^}]*\} (\S+)$", text, re.MULTILINE)
    )


def wait_until_idle(port: int) -> None:
    while queued(port):
        time.sleep(0.2)


def cpu_s(pid: int) -> float:
    """Return how long a process has been on a processor."""
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


def metered(pid: int, run: Callable[[], Result]) -> Result:
    """Run, and note what it took of a processor on the other side."""
    before = cpu_s(pid)
    result = run()
    result.cpu_s = cpu_s(pid) - before
    return result


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def show(result: Result, beside: Result | None = None) -> bool:
    """Print a line; tell whether the goal is reached."""
    p50, p99, most = (result.percentile_ms(share) for share in (0.5, 0.99, 1))
    late = sum(latency > LATEST_S for latency in result.latencies_s)
    ratio = f"{p99 / beside.percentile_ms(0.99):>6.1f}x" if beside else "      -"
    reached = p99 < GOAL_P99_MS and not late and not result.failed
    word = "" if beside is None else ("reached" if reached else "MISSED")
    print(
        f"{result.name:<34}{result.per_second:>9,.0f}{p50:>9.1f}{p99:>9.1f}{most:>9.1f}{result.cpu_ms:>8.2f}{late:>6}{result.failed:>8}{ratio}{os.getloadavg()[0]:>6.1f}  {word}"
    )
    return reached


def measure(mode: str, count: int, flat: int, bare: Result) -> bool:
    with tempfile.TemporaryDirectory() as name, SlackStandIn.start() as slack:
        folder, cloud = Path(name), SimpleNamespace(endpoint="http://127.0.0.1:9")
        extra = {"SLACK_APP_TOKEN": DEFAULT_WORKSPACE.app_token} if mode == "socket" else {}
        with running_bot(slack, cloud, folder, extra=extra) as child:
            port = int(slack.bot_url.rpartition(":")[2])

            def run(title: str, number: int) -> Result:
                wanted = deliveries(slack, number)
                if mode == "socket":
                    return metered(child.pid, lambda: on_loop(slack, over_socket(title, slack, wanted)))
                requests = [to_http(slack, each) for each in wanted]
                return metered(child.pid, lambda: on_loop(slack, over_http(title, port, requests)))

            os.sync()  # what ran before this left for the disk to write is not the bot's to wait for
            run("warm", 200)
            wait_until_idle(port)
            slack.faults.add("*", times=10**9, delay_s=SLACK_ANSWERS_AFTER_S)
            good = show(run(f"{mode}, small database", count), bare)
            slack.faults.clear()
            wait_until_idle(port)
            stores = Stores.open(f"sqlite:///{folder / 'countersign.db'}")
            seed(stores, folder, findings=FINDINGS, cards=CARDS)
            while (
                stores.tracker.is_behind()
            ):  # the bot works the report in: what is measured is the state after that
                time.sleep(0.5)
            stores.close()
            os.sync()  # as before the first
            run("warm", 200)  # as before the first: another program has just written all this
            wait_until_idle(port)
            slack.faults.add("*", times=10**9, delay_s=SLACK_ANSWERS_AFTER_S)
            good &= show(run(f"{mode}, {CARDS:,} cards, {FINDINGS:,} findings", count), bare)
            slack.faults.clear()
            wait_until_idle(port)
            if flat:
                good &= keep_on(run, flat, port, child.pid, slack)
            return good


def keep_on(run, flat: int, port: int, pid: int, slack: SlackStandIn) -> bool:  # noqa: ANN001
    """Go on for so many requests, never more than are answered; print what memory did, a tenth at a time.

    The first tenth fills the caches of the database's connections and is not judged.
    """
    at_a_time = 500
    seen = []
    for number in range(flat // at_a_time + flat // 10 // at_a_time + 1):
        if number * at_a_time % (flat // 10) == 0:
            seen.append(resident_mb(pid))
        run("more", at_a_time)
        wait_until_idle(port)
        slack.reset()
    reached = seen[-1] - seen[1] < FLAT_MB
    print(
        f"  resident memory in MB, each {flat // 10:,} requests: {' '.join(f'{each:.0f}' for each in seen)}"
    )
    print(f"  from {seen[1]:.1f} MB to {seen[-1]:.1f} MB over {flat:,}: {'flat' if reached else 'RISES'}")
    return reached


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3_000)
    parser.add_argument("--flat", type=int, default=0, help="go on for so many requests and watch the memory")
    parser.add_argument("--mode", choices=("http", "socket"), help="only this way in")
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.bare:
        serve_bare(chosen.bare)
        return 0
    print(f"{AT_ONCE} at once, Slack's Web API answering after {SLACK_ANSWERS_AFTER_S:.0f} s; times in ms")
    print(
        f"{'':<34}{'per s':>9}{'p50':>9}{'p99':>9}{'most':>9}{'cpu':>8}{'>3 s':>6}{'failed':>8}{'ratio':>7}{'load':>6}"
    )
    with SlackStandIn.start() as slack, bare_endpoint() as (port, pid):
        requests = [to_http(slack, each) for each in deliveries(slack, chosen.requests)]
        on_loop(slack, over_http("warm", port, requests[:200]))
        title = "Starlette, signature only"
        bare = metered(pid, lambda: on_loop(slack, over_http(title, port, requests)))
    show(bare)
    modes = [chosen.mode] if chosen.mode else ["http", "socket"]
    reached = [measure(mode, chosen.requests, chosen.flat, bare) for mode in modes]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
