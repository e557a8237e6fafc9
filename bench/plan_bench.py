"""How long planning takes beyond the cloud's own latency, and how much faster a batch of plans is than one plan after the other.

python bench/plan_bench.py [--findings 200] [--latency-ms 50]
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import boto3

from audit.findings import Finding, Severity
from bench.slow_cloud import ACCOUNT, GROUP
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.clouds import Clouds
from remediation.actions.registry import ActionRegistry
from remediation.library import PlaybookLibrary
from remediation.plan import Plan
from remediation.planning import AT_A_TIME, Planner
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy

GOAL_MS, GOAL_RATIO = 50, 8.0
RUNS = 15
REGION = "us-east-1"
BOOKS = PlaybookLibrary.get_all_playbooks()
EACH = {
    "AWS-PUBLIC-S3": ("arn:aws:s3:::a-bucket", "s3_bucket_level_public_access_block"),
    "AWS-PUBLIC-S3, account": (
        f"arn:aws:s3:{REGION}:{ACCOUNT}:account",
        "s3_account_level_public_access_blocks",
    ),
    "AWS-EBS-ENCRYPTION": (f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume", "ec2_ebs_default_encryption"),
    "AWS-SG-RESTRICTION": (
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{GROUP}",
        "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
    ),
}


@contextmanager
def slow_cloud(latency_ms: float) -> Iterator[str]:
    """Run the cloud and yield its address; boto3 finds it in the environment, as it would a real one."""
    program = [sys.executable, str(Path(__file__).with_name("slow_cloud.py")), str(latency_ms)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        address = f"http://127.0.0.1:{int(next(iter(process.stdout or [])))}"
        os.environ |= {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        try:
            yield address
        finally:
            process.terminate()


def make_planner(**overrides: object) -> Planner:
    clients = Boto3Clients(overrides)
    return Planner(ActionRegistry.standard(Clouds(aws=clients)), Policy(approver_groups=frozenset({"S0SEC"})))


def account_client() -> Any:  # noqa: ANN401 - botocore makes client classes at run time
    """Return a client for an account's settings that does not put the account into the host's name."""
    client = boto3.client("s3control", region_name=REGION)
    client.meta.events.register("before-send.s3-control", _keep_to_the_host)
    return client


def _keep_to_the_host(request: Any, **_: object) -> None:  # noqa: ANN401 - botocore's prepared request
    request.url = request.url.replace(f"//{ACCOUNT}.", "//")


def finding(resource: str, check: str) -> Finding:
    return Finding(
        id=resource,
        title="It is open",
        severity=Severity.HIGH,
        resource=resource,
        check_id=check,
        provider="aws",
        account_id=ACCOUNT,
        region=REGION,
    )


def spent_s(address: str) -> tuple[int, float]:
    """Return how many calls the cloud has had, and how long it took for them."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    connection.request("GET", "/-/spent")
    said = json.load(connection.getresponse())
    connection.close()
    return said["calls"], said["seconds"]


def measure_each(address: str) -> None:
    """Print what planning takes beyond what the cloud took, playbook by playbook."""
    print(f"one plan, best of {RUNS}             calls   cloud ms    ours ms     cpu ms")
    for name, (resource, check) in EACH.items():
        planner = make_planner(s3control=account_client()) if "account" in name else make_planner()
        measure_one(name, address, planner, finding(resource, check))


def measure_one(name: str, address: str, planner: Planner, about: Finding) -> None:
    book = BOOKS[name.partition(",")[0]]
    planner.draw_up(book, about)  # makes the clients and their connections
    runs = [measure_run(address, planner, book, about) for _ in range(RUNS)]
    calls, theirs, ours, cpu = min(runs, key=lambda run: run[2])
    word = "reached" if ours < GOAL_MS else "MISSED"
    print(f"  {name:<30} {calls:>5} {theirs:>10.0f} {ours:>10.1f} {cpu:>10.1f}   goal {GOAL_MS} ms: {word}")


def measure_run(
    address: str, planner: Planner, book: RemediationPlaybook, about: Finding
) -> tuple[int, float, float, float]:
    """Return the calls of one plan, and milliseconds: the cloud's, ours beyond them, and of our processor."""
    (calls_before, cloud_before), cpu_before = spent_s(address), time.process_time()
    total = seconds(lambda: require_needed(planner.draw_up(book, about)))
    cpu, (calls, cloud) = time.process_time() - cpu_before, spent_s(address)
    theirs = cloud - cloud_before
    return calls - calls_before, theirs * 1000, (total - theirs) * 1000, cpu * 1000


def measure_batch(count: int) -> None:
    """Print how long a batch takes one at a time and many at a time, and the ratio."""
    book, planner = BOOKS["AWS-PUBLIC-S3"], make_planner()
    findings = [finding(f"arn:aws:s3:::bucket-{number}", book.checks[0]) for number in range(count)]
    planner.draw_up(book, findings[0])
    many = min(seconds(lambda: all_planned(planner, book, findings)) for _ in range(3))
    one = seconds(lambda: [planner.draw_up(book, about) for about in findings])
    ratio = one / many
    word = "reached" if ratio >= GOAL_RATIO else "MISSED"
    print(f"\n{count} plans of AWS-PUBLIC-S3")
    print(f"  one at a time        {one:>8.2f} s")
    print(f"  {AT_A_TIME} at a time, best of 3 {many:>5.2f} s")
    print(f"  {ratio:.1f}x, goal {GOAL_RATIO}x: {word}")


def all_planned(planner: Planner, book: RemediationPlaybook, findings: list[Finding]) -> None:
    for drawn in planner.draw_up_many(book, findings):
        if not isinstance(drawn, Plan):
            raise drawn
        require_needed(drawn)


def require_needed(plan: Plan) -> None:
    """Raise where the cloud's answers were not understood: a plan that changes nothing is no measure."""
    if not plan.is_needed:
        raise SystemExit(f"{plan.playbook_id} found nothing to fix")


def seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=200)
    parser.add_argument("--latency-ms", type=float, default=50)
    chosen = parser.parse_args()
    print(f"a cloud that answers after {chosen.latency_ms:g} ms")
    with slow_cloud(chosen.latency_ms) as address:
        measure_each(address)
        measure_batch(chosen.findings)


if __name__ == "__main__":
    main()
