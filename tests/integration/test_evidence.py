"""`countersign trail evidence` of fixes with a story: broken glass and its review, signed rollbacks, exceptions."""

import base64
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from remediation.ending import ExceptionEnds
from remediation.evidence import write_evidence
from remediation.excepting import ExceptionWish
from remediation.execution import Verdict
from remediation.rollbacks import Rollbacks
from remediation.rules import BreakGlass
from remediation.states import PlaybookStatus
from storage import Stores, open_engine
from storage.journal import save_on
from tests.databases import stores_at
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, Bench, door_finding, door_playbook
from tests.shell import countersign
from tests.unit.remediation.hall import Hall, doors

STRICT = replace(
    POLICY, rollback_approvals=2, required_approvals=2, break_glass=BreakGlass(people=frozenset({"U0ANA"}))
)
WHY = "Customers are down <now>"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a database in which both fixes have come to their end."""
    folder = tmp_path_factory.mktemp("evidence")
    url = f"sqlite:///{folder / 'test.db'}"
    stores = stores_at(url)
    bench = Bench(stores.executions, STRICT)
    bench.remediation = replace(bench.remediation, exceptions=stores.exceptions)
    _break_glass_and_put_back(bench)
    _leave_as_it_is(bench, stores)
    hall = Hall(stores=stores)
    hall.ask(doors(2), batch_id="b-0a1b")
    hall.decisions.approve("b-0a1b", OMAR, set_seen=hall.seen("b-0a1b"))
    stores.close()
    return folder


def _break_glass_and_put_back(bench: Bench) -> None:
    remediation, rollbacks = bench.remediation, Rollbacks(bench.remediation, bench.runner)
    remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-glass")
    remediation.break_glass("x-glass", ANA, reason=WHY)
    bench.runner.run("x-glass")
    remediation.review("x-glass", PRIYA)
    rollbacks.ask("x-glass", OMAR)
    rollbacks.refuse("x-glass", PRIYA)
    rollbacks.ask("x-glass", OMAR)
    assert rollbacks.ask("x-glass", PRIYA).status is PlaybookStatus.ROLLED_BACK


def _leave_as_it_is(bench: Bench, stores: Stores) -> None:
    other = replace(door_finding(), id="F-2", resource="board/gate")
    bench.remediation.request(door_playbook(), other, ANA, execution_id="x-left")
    wish = ExceptionWish((bench.now + timedelta(days=5)).date(), OTTO)
    bench.remediation.reject("x-left", OMAR, reason="It moves in spring", wish=wish)
    (held,) = stores.exceptions.open()
    ExceptionEnds(bench.remediation, stores.exceptions).end_early(held.exception_id, PRIYA)


def unpack(lived: Path, name: str, folder: Path) -> Path:
    done = countersign(lived, "trail", "evidence", name, "-o", str(folder / "proof.zip"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / "proof.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_batch_and_each_of_its_items_hold(lived: Path, tmp_path: Path, *, is_whole: bool) -> None:
    told = json.loads(countersign(lived, "playbook", "status", "b-0a", "--json").stdout)
    folder = unpack(lived, "b-0a" if is_whole else told["executions"][1]["execution_id"], tmp_path)
    done = check(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"batch.approved" in (folder / "evidence.html").read_bytes()
    assert (folder / "batch.json").exists() is is_whole


def check(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-S", str(folder / "check.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def events(folder: Path) -> list[dict[str, dict[str, object]]]:
    lines = (folder / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_broken_glass_and_signed_rollbacks_are_in_the_page_and_the_json(lived: Path, tmp_path: Path) -> None:
    folder = unpack(lived, "x-glass", tmp_path)
    page = (folder / "evidence.html").read_text(encoding="utf-8")
    assert "ana@northwind.example broke the glass and approved this alone" in page
    assert "Customers are down &lt;now&gt;" in page
    assert "Reviewed by priya@northwind.example" in page
    for words in ("Asked for the rollback", "Refused the rollback", "Signed the rollback"):
        assert words in page
    assert "door: was open, we set closed, then closed" in page

    decisions = json.loads((folder / "decisions.json").read_text(encoding="utf-8"))
    assert [(each["verdict"], each["actor"]["slack_id"], each["reason"]) for each in decisions] == [
        ("break_glass", "U0ANA", WHY),
        ("reviewed", "U0PRIYA", ""),
        ("ask_rollback", "U0OMAR", ""),
        ("refuse_rollback", "U0PRIYA", ""),
        ("ask_rollback", "U0OMAR", ""),
        ("sign_rollback", "U0PRIYA", ""),
        ("roll_back", "U0PRIYA", ""),
    ]
    asked, signed = decisions[4], decisions[5]
    assert asked["plan_digest"] == signed["plan_digest"] != decisions[2]["plan_digest"]
    told = {event["kind"]: event["detail"] for event in events(folder)}
    assert told["execution.break_glass"]["reason"] == WHY  # type: ignore[index]
    settings = [
        {"resource": "board/door", "setting": "door", "was": "open", "we_set": "closed", "now": "closed"}
    ]
    assert told["rollback.requested"]["settings"] == settings  # type: ignore[index]
    assert told["rollback.started"]["settings"] == settings  # type: ignore[index]
    done = check(folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_exception_and_its_end_are_in_the_page_and_the_json(lived: Path, tmp_path: Path) -> None:
    folder = unpack(lived, "x-left", tmp_path)
    told = [(event["kind"], event["detail"].get("reason")) for event in events(folder)]
    why = "It moves in spring"
    assert told == [
        ("execution.requested", None),
        ("execution.rejected", why),
        ("exception.granted", why),
        ("exception.ended", why),
    ]
    (granted,) = [event for event in events(folder) if event["kind"] == "exception.granted"]
    assert granted["detail"]["owner"]["email"] == "otto@northwind.example"  # type: ignore[index]
    page = (folder / "evidence.html").read_text(encoding="utf-8")
    assert (
        f"Exception {granted['subject']} until {granted['detail']['until']}, otto@northwind.example" in page
    )
    assert "exception.ended" in page
    assert why in page
    assert check(folder).returncode == 0


def test_unreviewed_glass_is_said(lived: Path, tmp_path: Path) -> None:
    stores = Stores.open(f"sqlite:///{lived / 'test.db'}")
    whole = stores.executions.get("x-glass")
    out = BytesIO()
    write_evidence(
        replace(whole, decisions=whole.decisions[:1]), stores.trail.stream(), out, now=whole.created_at
    )
    stores.close()
    assert b"Nobody has reviewed it." in zipfile.ZipFile(out).read("evidence.html")


def edit_decision(number: int, **changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "decisions.json"
        decisions = json.loads(path.read_text(encoding="utf-8"))
        decisions[number] |= changes
        path.write_text(json.dumps(decisions), encoding="utf-8")

    return edit


def drop_decision(number: int) -> Callable[[Path], None]:
    def drop(folder: Path) -> None:
        path = folder / "decisions.json"
        decisions = json.loads(path.read_text(encoding="utf-8"))
        del decisions[number]
        path.write_text(json.dumps(decisions), encoding="utf-8")

    return drop


def edit_trail(old: bytes, new: bytes) -> Callable[[Path], None]:
    """Edit the bytes of an entry as they were hashed, and leave all digests as they are."""

    def edit(folder: Path) -> None:
        path = folder / "trail.jsonl"
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for entry in entries:
            body = base64.b64decode(entry["body_base64"])
            entry["body_base64"] = base64.b64encode(body.replace(old, new)).decode()
        path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    ("name", "tamper"),
    [
        ("x-glass", edit_decision(0, reason="planned work")),
        ("x-glass", edit_decision(0, plan_digest="0" * 64)),
        ("x-glass", drop_decision(1)),
        ("x-glass", drop_decision(-1)),
        ("x-glass", edit_decision(5, actor={"email": "otto@northwind.example"})),
        ("x-glass", edit_decision(5, plan_digest="0" * 64)),
        ("x-glass", edit_decision(3, verdict="sign_rollback")),
        ("x-glass", edit_trail(b"Customers are down", b"Customers are up")),
        ("x-left", edit_trail(b"otto@northwind.example", b"omar@northwind.example")),
        ("x-left", edit_trail(b"exception.ended", b"exception.granted")),
    ],
    ids=[
        "why the glass was broken",
        "what was approved alone",
        "the review is gone",
        "the last decision is gone",
        "who signed the rollback",
        "what rollback was signed",
        "a refusal made a signature",
        "the reason in the trail",
        "who answers for the exception",
        "the exception's end",
    ],
)
def test_what_somebody_changed_afterwards_is_found(
    lived: Path, tmp_path: Path, name: str, tamper: Callable[[Path], None]
) -> None:
    folder = unpack(lived, name, tmp_path)
    tamper(folder)
    done = check(folder)
    assert done.returncode == 1
    assert "WRONG" in done.stdout


def test_an_approval_that_was_forged_in_the_database_runs_and_its_evidence_does_not_hold(
    tmp_path: Path,
) -> None:
    """What docs/security.md says of whoever can write to the database."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    stores = stores_at(url)
    bench = Bench(stores.executions, POLICY)
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-forged")
    forged = asked.decided(Verdict.APPROVE, OMAR, bench.now).moved(PlaybookStatus.APPROVED)
    engine = open_engine(url)
    with engine.begin() as connection:
        save_on(connection, [(asked, forged)])
    engine.dispose()
    assert bench.runner.run("x-forged").status is PlaybookStatus.COMPLETED
    stores.close()
    done = check(unpack(tmp_path, "x-forged", tmp_path))
    assert done.returncode == 1
    assert "entries are missing" in done.stdout
    assert "it ran without an approval of the plan that is here" in done.stdout
    assert "decisions.json holds 1 decisions, the trail 0" in done.stdout
