"""Scripts: only what lies in the one folder, exactly as it was planned, with nothing of ours but the finding."""

import hashlib
import json
import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import InputError
from remediation.actions.script import RunScript
from remediation.actions.script_folder import LARGEST, ScriptFolder
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.playbook import RemediationPlaybook
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, Bench, door_finding, door_playbook

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scripts"
    made.mkdir(mode=0o755)
    return made


@pytest.fixture
def out() -> Iterator[Path]:
    """A folder that scripts of any user may write into: pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o777)
        yield Path(made)


def write(folder: Path, text: str, *, name: str = "fix.sh", mode: int = 0o755) -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def bench_on(folder: Path, *, user: str = "") -> Bench:
    return Bench(MemoryExecutions(), others=(RunScript(ScriptFolder(folder=folder, user=user)),))


def book_with(timeout_s: int = 20, *, name: str = "fix.sh") -> RemediationPlaybook:
    book = RemediationPlaybook("RUN", "Run it", "Runs it.", "Network", "HIGH")
    book.add_action("run_it", "script", {"script": name, "timeout_seconds": timeout_s})
    return book


def asked(bench: Bench, book: RemediationPlaybook | None = None) -> PlaybookExecution:
    return bench.remediation.request(book or book_with(), door_finding(), ANA)


def run(bench: Bench, book: RemediationPlaybook | None = None) -> PlaybookExecution:
    execution = asked(bench, book)
    assert execution.error is None
    bench.remediation.approve(execution.execution_id, OMAR)
    return bench.runner.run(execution.execution_id)


def refused(bench: Bench, book: RemediationPlaybook | None = None) -> str:
    execution = asked(bench, book)
    assert execution.status is PlaybookStatus.FAILED
    assert execution.plan is None
    return str(execution.error)


def notes_of(execution: PlaybookExecution) -> tuple[str, ...]:
    assert execution.plan is not None
    return execution.plan.actions[0].notes


def test_it_gets_the_finding_on_its_input_and_nothing_of_our_environment(
    folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    write(folder, f"#!/bin/sh\ncat > {out}/stdin\nenv > {out}/env\npwd > {out}/cwd\n")
    done = run(bench_on(folder))
    assert done.status is PlaybookStatus.COMPLETED, done.error
    assert json.loads((out / "stdin").read_text()) == door_finding().to_record()
    names = {line.partition("=")[0] for line in (out / "env").read_text().splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "canary-secret" not in (out / "env").read_text()
    assert not Path((out / "cwd").read_text().strip()).exists()
    assert "status 0" in done.actions[0].message


def test_it_cannot_be_put_back_and_neither_can_what_stands_beside_it(folder: Path) -> None:
    write(folder, "#!/bin/sh\n")
    book = door_playbook()
    book.add_action("run_it", "script", {"script": "fix.sh"})
    done = run(bench_on(folder), book)
    assert done.plan is not None
    assert not done.plan.reversible
    assert not done.can_roll_back


def test_the_digest_covers_the_files_content(folder: Path) -> None:
    path = write(folder, "#!/bin/sh\nexit 0\n")
    bench = bench_on(folder)
    planner = bench.remediation.planner
    first, again = (planner.draw_up(book_with(), door_finding()) for _ in range(2))
    assert first.digest == again.digest
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert sha256 in str(first.actions[0].after)
    write(folder, "#!/bin/sh\nexit 0 \n")
    changed = planner.draw_up(book_with(), door_finding())
    assert changed.digest != first.digest


def test_a_file_that_changed_since_the_signature_asks_anew(folder: Path, out: Path) -> None:
    write(folder, f"#!/bin/sh\ntouch {out}/good\n")
    bench = bench_on(folder)
    execution = asked(bench)
    bench.remediation.approve(execution.execution_id, OMAR)
    write(folder, f"#!/bin/sh\ntouch {out}/evil\n")
    assert bench.runner.run(execution.execution_id).status is PlaybookStatus.PENDING
    assert list(out.iterdir()) == []


def test_a_file_that_changes_at_the_last_moment_does_not_run(folder: Path, out: Path) -> None:
    write(folder, f"#!/bin/sh\ntouch {out}/good\n")
    bench = bench_on(folder)
    [step] = bench.runner.planner.steps(book_with(), door_finding())
    plan = bench.runner.planner.draw_up(book_with(), door_finding()).actions[0]
    assert step.action.observe(plan) == plan.before
    write(folder, f"#!/bin/sh\ntouch {out}/evil\n")
    assert step.action.observe(plan) != plan.before
    with pytest.raises(Exception, match="was changed meanwhile"):
        step.action.apply(plan)
    assert list(out.iterdir()) == []


def test_without_a_folder_scripts_are_off() -> None:
    bench = Bench(MemoryExecutions(), others=(RunScript(None),))
    assert "Scripts are off: `scripts.folder` is not set" in refused(bench)


@pytest.mark.parametrize(
    "name", ["../fix.sh", "/bin/sh", "a/b.sh", "", ".hidden", "-rf", "fix.sh\n", "a b", "..", "x" * 101]
)
def test_a_script_is_a_plain_name(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match="action run_it: script"):
        bench_on(folder).runner.planner.check(book_with(name=name))


def test_a_link_is_refused_wherever_it_leads(folder: Path, tmp_path: Path) -> None:
    write(folder, "#!/bin/sh\n", name="real.sh")
    for target in ("real.sh", "/bin/sh", str(tmp_path / "nowhere")):
        link = folder / "fix.sh"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert "it is a symbolic link" in refused(bench_on(folder))


def test_what_is_no_file_is_refused(folder: Path) -> None:
    (folder / "fix.sh").mkdir()
    assert "no ordinary file" in refused(bench_on(folder))
    (folder / "fix.sh").rmdir()
    os.mkfifo(folder / "fix.sh", 0o755)
    assert "no ordinary file" in refused(bench_on(folder))


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (0o644, "not executable"),
        (0o775, "others than its owner may write"),
        (0o757, "others than its owner may write"),
        (0o4755, "changes the user"),
        (0o2755, "changes the user"),
    ],
)
def test_a_file_that_others_could_have_written_is_refused(folder: Path, mode: int, why: str) -> None:
    write(folder, "#!/bin/sh\n", mode=mode)
    assert why in refused(bench_on(folder))


def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    write(folder, "#!/bin/sh\n")
    folder.chmod(0o777)
    assert "others than its owner may write to it" in refused(bench_on(folder))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refused(bench_on(tmp_path / "none"))


def test_a_script_that_is_not_there_is_refused_with_the_nearest(folder: Path) -> None:
    write(folder, "#!/bin/sh\n", name="fix.sh")
    assert "no such file; did you mean “fix.sh”?" in refused(bench_on(folder), book_with(name="fx.sh"))


def test_a_huge_file_is_refused(folder: Path) -> None:
    write(folder, "#!/bin/sh\n" + "#" * LARGEST)
    assert "larger than 1024 kB" in refused(bench_on(folder))


def test_a_status_other_than_0_fails_with_the_last_line(folder: Path) -> None:
    write(folder, "#!/bin/sh\necho begun\necho 'no such door' >&2\nexit 3\n")
    failed = run(bench_on(folder))
    assert failed.status is PlaybookStatus.FAILED
    assert "ended with status 3: no such door. Next: look at what the script may have done" in str(
        failed.error
    )


def test_what_cannot_be_started_fails(folder: Path) -> None:
    write(folder, "#!/no/such/interpreter\n")
    assert "could not be started" in str(run(bench_on(folder)).error)


def ends(pid: int) -> bool:
    """Tell whether a process is gone or only waits to be reaped by somebody else."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_ended(pid: int) -> None:
    import time

    while not ends(pid):
        time.sleep(0.01)


def test_over_time_the_whole_group_is_killed(folder: Path, out: Path) -> None:
    write(folder, f"#!/bin/sh\nsleep 600 &\necho $! > {out}/child\necho $$ > {out}/parent\nwait\n")
    failed = run(bench_on(folder), book_with(1))
    assert failed.status is PlaybookStatus.FAILED
    assert "was stopped: its time was over" in str(failed.error)
    assert "may or may not have taken effect" in str(failed.error)
    for name in ("parent", "child"):
        wait_until_ended(int((out / name).read_text()))


def test_what_it_leaves_running_is_killed_when_it_ends(folder: Path, out: Path) -> None:
    write(folder, f"#!/bin/sh\nsleep 600 &\necho $! > {out}/child\nexit 0\n")
    assert run(bench_on(folder), book_with(500)).status is PlaybookStatus.COMPLETED
    wait_until_ended(int((out / "child").read_text()))


def test_one_that_talks_without_end_is_stopped(folder: Path) -> None:
    write(folder, "#!/bin/sh\nwhile :; do echo yes; done\n")
    assert "was stopped: it wrote more than 64 kB" in str(run(bench_on(folder), book_with(500)).error)


def test_one_that_reads_nothing_and_says_much_is_not_stuck(folder: Path) -> None:
    write(folder, "#!/bin/sh\nhead -c 60000 /dev/zero\n")
    long = replace(door_finding(), description="x" * 500_000)
    bench = bench_on(folder)
    execution = bench.remediation.request(book_with(), long, ANA)
    bench.remediation.approve(execution.execution_id, OMAR)
    assert bench.runner.run(execution.execution_id).status is PlaybookStatus.COMPLETED


def test_nothing_is_left_of_the_copy(folder: Path, out: Path) -> None:
    write(folder, f'#!/bin/sh\necho "$0" > {out}/name\nls -ln "$0" > {out}/mode\n')
    run(bench_on(folder))
    name = Path((out / "name").read_text().strip())
    assert name.name == "fix.sh"
    assert not name.parent.exists()
    assert (out / "mode").read_text().startswith("-r-xr-x---")


def test_after_a_crash_nobody_can_tell_and_it_is_not_run_again(folder: Path, out: Path) -> None:
    write(folder, f"#!/bin/sh\necho ran >> {out}/log\n")
    bench = bench_on(folder)
    done = run(bench)
    assert isinstance(bench.store, MemoryExecutions)
    started = replace(done.actions[0], status=ActionStatus.STARTED)
    bench.store._executions[done.execution_id] = replace(
        done, status=PlaybookStatus.RUNNING, actions=(started,)
    )
    assert bench.runner.recover(done.execution_id).status is PlaybookStatus.INTERRUPTED
    assert (out / "log").read_text() == "ran\n"


OTHER = "nobody"


def test_it_runs_as_another_user_where_the_bot_may_switch_and_the_card_warns_where_it_may_not(
    folder: Path, out: Path
) -> None:
    """Both are tested, each on a machine where it is so: continuous integration runs as root or not."""
    write(folder, f"#!/bin/sh\nid -u > {out}/uid\nid -G > {out}/groups\n")
    bench = bench_on(folder, user=OTHER)
    execution = asked(bench)
    bench.remediation.approve(execution.execution_id, OMAR)
    assert bench.runner.run(execution.execution_id).status is PlaybookStatus.COMPLETED
    assert execution.plan is not None
    [said] = execution.plan.actions[0].after.values()
    uid, groups = int((out / "uid").read_text()), (out / "groups").read_text().split()
    account = pwd.getpwnam(OTHER)
    if IS_ROOT:
        assert str(said).startswith(f"run as {OTHER}, SHA-256")
        assert notes_of(execution) == ()
        assert (uid, groups) == (account.pw_uid, [str(account.pw_gid)])
        assert stat.S_IMODE((out / "uid").stat().st_mode) == 0o600
    else:
        assert str(said).startswith("run as the bot's own user, SHA-256")
        assert "the bot cannot switch to nobody" in notes_of(execution)[0]
        assert uid == os.geteuid()


def test_the_other_user_is_in_none_of_the_bots_groups(folder: Path, out: Path) -> None:
    write(folder, f"#!/bin/sh\nid -G > {out}/groups\n")
    mine = os.getgroups()
    if IS_ROOT:
        os.setgroups([*mine, 54321])
    try:
        assert run(bench_on(folder, user=OTHER)).status is PlaybookStatus.COMPLETED
    finally:
        if IS_ROOT:
            os.setgroups(mine)
    assert "54321" not in (out / "groups").read_text().split()


def test_without_a_user_the_card_warns(folder: Path) -> None:
    write(folder, "#!/bin/sh\n")
    assert "with all the bot may do: `scripts.user` is not set" in notes_of(asked(bench_on(folder)))[0]


def test_root_is_no_other_user(folder: Path) -> None:
    write(folder, "#!/bin/sh\n")
    assert "the bot cannot switch to root" in notes_of(asked(bench_on(folder, user="root")))[0]


def test_a_user_that_is_none_is_refused(folder: Path) -> None:
    write(folder, "#!/bin/sh\n")
    assert "this machine has no user “nobody-here”" in refused(bench_on(folder, user="nobody-here"))
