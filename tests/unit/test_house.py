"""Rules of the house that an import contract cannot say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("audit", "exporters", "remediation", "handlers", "storage", "bot")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
# Where an unknown error may be caught: at the command line, at the boundary of a thread of ours, where a caller must not
# fail for it, and around code of strangers.
MAY_CATCH_ALL = {
    "bot/commands/console.py",
    "bot/lanes.py",
    "bot/worker.py",
    "exporters/email_scheduler.py",
    "handlers/answer.py",
    "handlers/aside.py",
    "handlers/intake.py",
    "handlers/notifier.py",
    "handlers/shared_reads.py",
    "remediation/actions/handled.py",
    "storage/together.py",
}
# Where a test may be skipped: the one helper.
MAY_SKIP = {"tests/conftest.py"}


# What would go out by the event loop, past the fence of the demo (`bot/loopback.py`).
GOES_OUT = {
    "create_connection",
    "create_datagram_endpoint",
    "getaddrinfo",
    "getnameinfo",
    "open_connection",
    "sock_connect",
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def catches_all(path: Path) -> bool:
    handlers = (
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
    )
    return any(
        handler.type is None
        or (isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"})
        for handler in handlers
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "handlers" / "blocks").glob("*.py")), ids=lambda path: path.name
)
def test_block_builders_use_slacks_models_and_nothing_else_of_slack(path: Path) -> None:
    of_slack = {name for name in imports(path) if name.startswith(("slack_sdk", "slack_bolt"))}
    assert all(name.startswith("slack_sdk.models") for name in of_slack)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_unknown_errors_are_caught_at_the_boundaries_only(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    assert not catches_all(path) or name in MAY_CATCH_ALL or name.startswith("bot/sandbox/")


def test_only_bot_and_the_mail_service_read_the_environment() -> None:
    reads = re.compile(r"os\.environ|os\.getenv|getenv\(")
    readers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if not str(path.relative_to(ROOT)).startswith("bot/")
        and reads.search(path.read_text(encoding="utf-8"))
    }
    assert readers <= {"exporters/mail_options.py"}


def test_skips_go_through_the_one_helper_that_continuous_integration_forbids() -> None:
    skips = re.compile(r"pytest\.skip\(|mark\.(?:skip|xfail)|importorskip\(")
    tests = (path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    found = {str(path.relative_to(ROOT)) for path in tests if skips.search(path.read_text(encoding="utf-8"))}
    assert found <= MAY_SKIP
    assert "export COUNTERSIGN_NO_SKIPS=1" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("missing", ["no-such-program", Path("/no/such/file")])
def test_what_is_missing_skips_a_test_and_fails_it_in_continuous_integration(missing: Path | str) -> None:
    # Both are caught each time: a skip that got away would skip this very test.
    outcomes = (pytest.skip.Exception, pytest.fail.Exception)
    for no_skips, outcome in zip((False, True), outcomes, strict=True):
        with pytest.raises(outcomes, match=f"{missing} is missing: apt-get install it") as caught:
            need(missing, "apt-get install it", no_skips=no_skips)
        assert caught.type is outcome


def test_what_is_here_is_not_asked_for() -> None:
    need("sh", "it comes with the system", no_skips=True)
    need(ROOT, "it is this checkout", no_skips=True)


def test_every_package_of_the_tree_ships() -> None:
    import tomllib

    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    )
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES if path.name != "__main__.py"}
    assert found <= listed


def test_the_text_names_no_path_of_a_machine() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w+")
    texts = [
        *SOURCES,
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]
    assert [str(path) for path in texts if machine.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if (ROOT / "bot" / "sandbox") not in path.parents],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_goes_out_by_the_event_loop(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & GOES_OUT
