"""How long planning takes on Google Cloud and Azure, the stand-in's own time included, and how long validating each playbook takes.

python bench/plan_clouds_bench.py

The stand-ins are the ones of the tests, in a process of their own. They answer at once, so a plan's whole time is an upper bound
of ours.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit.findings import Finding, Severity
from remediation.actions.clouds import Clouds
from remediation.actions.gcp.clients import GoogleClients
from remediation.actions.registry import ActionRegistry
from remediation.library import PlaybookLibrary
from remediation.planning import Planner
from remediation.policy import Policy
from tests.contract.backends_azure import (
    ACCOUNT_ID,
    NETWORK_ID,
    NSG_ID,
    SUBSCRIPTION,
    add_account,
    add_flow_log,
    add_group,
    add_networks,
    clients_at,
)
from tests.contract.backends_google import APIS, PROJECT

GOAL_MS, VALIDATION_GOAL_MS = 50, 5
RUNS = 40
BOOKS = PlaybookLibrary.get_all_playbooks()
BUCKET, LOGS = "acme-web", f"countersign-logs-{PROJECT}"
FIREWALL = f"projects/{PROJECT}/global/firewalls/open"
SUBNETWORK = f"projects/{PROJECT}/regions/europe-west1/subnetworks/web"
ROBOT = f"deploy@{PROJECT}.iam.gserviceaccount.com"
KEY = f"projects/{PROJECT}/serviceAccounts/{ROBOT}/keys/{'a' * 40}"
EACH = [
    ("GCP-PUBLIC-BUCKET", "gcp", BUCKET, "cloudstorage_bucket_public_access"),
    ("GCP-FW-RESTRICTION", "gcp", FIREWALL, "compute_firewall_ssh_access_from_the_internet_allowed"),
    ("ENABLE-LOGGING", "gcp", BUCKET, "cloudstorage_bucket_logging_enabled"),
    ("ENABLE-LOGGING", "gcp", FIREWALL, "FIREWALL_RULE_LOGGING_DISABLED"),
    ("ENABLE-LOGGING", "gcp", SUBNETWORK, "compute_subnet_flow_logs_enabled"),
    ("ENABLE-MFA", "gcp", "//cloudresourcemanager.googleapis.com/organizations/1", "MFA_NOT_ENFORCED"),
    ("ROTATE-CREDENTIALS", "gcp", KEY, "iam_sa_user_managed_key_rotate_90_days"),
    ("AZURE-BLOB-PUBLIC", "azure", ACCOUNT_ID, "storage_blob_public_access_level_is_disabled"),
    ("AZURE-NSG-RESTRICTION", "azure", NSG_ID, "network_ssh_internet_access_restricted"),
    ("ENABLE-LOGGING", "azure", NETWORK_ID, "network_flow_log_more_than_90_days"),
    ("ENABLE-MFA", "azure", "ana@acme.example", "entra_privileged_user_has_mfa"),
    ("ROTATE-CREDENTIALS", "azure", ACCOUNT_ID, "storage_key_rotation_90_days"),
]


def serve() -> None:
    """Run both stand-ins with something to fix in them, say where they are, and stop when the input ends."""
    from gcp_storage_emulator.server import create_server

    from tests.fakes.arm import ArmStandIn
    from tests.fakes.google.identity import BOT, BOT_KEY
    from tests.fakes.google.server import GoogleCloud, serving
    from tests.fakes.google.storage import StorageService

    emulator = create_server("127.0.0.1", 0, in_memory=True)
    emulator.start()
    # The emulator says its port nowhere else, and has no other door to whose bucket is whose.
    port, store = emulator._api._httpd.server_address[1], emulator._storage  # noqa: SLF001
    storage = StorageService(f"http://127.0.0.1:{port}", store)
    with ArmStandIn() as arm, serving(GoogleCloud(storage)) as google:
        furnish_azure(arm.world)
        furnish_google(google)
        said = {"azure": arm.url, "google": google.address, "key": google.identity.key_file(BOT, BOT_KEY)}
        print(json.dumps(said), flush=True)
        sys.stdin.read()
    emulator.stop()


def furnish_azure(world: Any) -> None:  # noqa: ANN401 - the stand-in's
    add_account(world)
    add_group(world, {"ssh": {}, "web": {"destinationPortRange": "443"}})
    add_networks(world, "hub", "spoke")
    add_flow_log(world, "theirs", NETWORK_ID.replace("hub", "spoke"), enabled=True)


def furnish_google(cloud: Any) -> None:  # noqa: ANN401 - the stand-in's
    for name in (BUCKET, LOGS):
        cloud.storage.add(name, PROJECT)
    cloud.storage.write_policy(BUCKET, [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}])
    writer = {
        "role": "roles/storage.objectCreator",
        "members": ["group:cloud-storage-analytics@google.com"],
    }
    cloud.storage.write_policy(LOGS, [writer])
    network = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/global/networks/default"
    settings: dict[str, Any] = {"network": network, "direction": "INGRESS", "sourceRanges": ["0.0.0.0/0"]}
    cloud.compute.add(FIREWALL, **settings, allowed=[{"IPProtocol": "tcp", "ports": ["22"]}], disabled=False)
    cloud.compute.add(SUBNETWORK, ipCidrRange="10.1.0.0/24", purpose="PRIVATE")
    cloud.identity.add_key(KEY.partition("/keys/")[0], "a" * 40)
    cloud.secrets.add(f"projects/{PROJECT}/secrets/countersign-key-deploy")


@contextmanager
def stand_ins() -> Iterator[Planner]:
    """Start the stand-ins and yield a planner whose clients are the real ones, sent there."""
    program = [sys.executable, __file__, "--serve"]
    with (
        subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,  # noqa: S603 - our own
        tempfile.NamedTemporaryFile("w", suffix=".json") as file,
    ):
        said = json.loads(next(iter(process.stdout or [])))
        json.dump(said["key"], file)
        file.flush()
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = file.name
        google = GoogleClients(endpoints=dict.fromkeys(APIS, said["google"]))
        yield Planner(ActionRegistry.standard(Clouds(gcp=google, azure=clients_at(said["azure"]))), Policy())
        process.communicate("")


def measure_plan(planner: Planner, row: tuple[str, str, str, str]) -> None:
    playbook_id, provider, resource, check = row
    about = Finding(
        id=check,
        title="It is open",
        severity=Severity.HIGH,
        resource=resource,
        check_id=check,
        provider=provider,
        account_id=PROJECT if provider == "gcp" else SUBSCRIPTION,
        region="europe-west1" if provider == "gcp" else "westeurope",
    )
    book = BOOKS[playbook_id]
    if not planner.draw_up(book, about).is_needed:
        raise SystemExit(f"{playbook_id} found nothing to fix in {resource}")
    wall, cpu = best(lambda: planner.draw_up(book, about))
    word = "reached" if wall < GOAL_MS else "MISSED"
    print(f"  {playbook_id:<21} {check[:44]:<45} {wall:>7.1f} {cpu:>7.1f}   goal {GOAL_MS} ms: {word}")


def measure_validation(planner: Planner) -> None:
    print(f"\nvalidation, best of {RUNS}                                            wall ms  cpu ms")
    for playbook_id, book in BOOKS.items():
        wall, cpu = best(lambda book=book: planner.check(book))  # type: ignore[misc]
        word = "reached" if wall < VALIDATION_GOAL_MS else "MISSED"
        print(f"  {playbook_id:<67} {wall:>7.1f} {cpu:>7.1f}   goal {VALIDATION_GOAL_MS} ms: {word}")


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds of the wall's clock and of our processor, each of the run that was the fastest."""
    return min(timed(work) for _ in range(RUNS))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def main() -> None:
    print(f"one plan, best of {RUNS}, the stand-in's time included                  wall ms  cpu ms")
    with stand_ins() as planner:
        for row in EACH:
            measure_plan(planner, row)
        measure_validation(planner)


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
