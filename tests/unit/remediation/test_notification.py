"""Messages: sent once, shown word by word before, never in the way of putting back the rest, and no URL in any text."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from audit.errors import Cause, InputError, PermanentActionError, TemporaryActionError
from handlers.blocks.card import CardRules, build_card
from handlers.blocks.states import rollback_fact
from remediation.actions.apprise_targets import SCHEMAS, schema_of, send
from remediation.actions.equipment import Equipment
from remediation.actions.notification import Notify
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.playbook import RemediationPlaybook
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, Bench, door_finding, door_playbook

# Apprise looks for a module that Python 3.11 has, and warns of.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
SLACK = {"type": "slack", "channel": "#security-alerts", "message": "{{ finding.resource }} was closed"}
CANARY = "canary-token-0123456789"


@dataclass
class Speaker:
    """A messenger in memory; `fault` is raised after the message may have left."""

    said: list[tuple[str, str]] = field(default_factory=list)
    fault: BaseException | None = None

    def post(self, channel: str, text: str) -> str:
        self.said.append((channel, text))
        if self.fault:
            raise self.fault
        return "C1/1.000100"


class PowerCutError(BaseException):
    """The process ends here."""


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def bench(speaker: Speaker) -> Bench:
    return Bench(MemoryExecutions(), others=(Notify(speaker, {}),))


def telling(params: dict[str, object] | None = None) -> RemediationPlaybook:
    book = door_playbook()
    book.add_action("notify_team", "notification", params or SLACK)
    return book


def approved(bench: Bench, book: RemediationPlaybook) -> str:
    asked = bench.remediation.request(book, door_finding(), ANA)
    assert asked.error is None
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def run(bench: Bench, book: RemediationPlaybook) -> PlaybookExecution:
    return bench.runner.run(approved(bench, book))


def test_it_is_sent_once_the_fix_is_made(bench: Bench, speaker: Speaker) -> None:
    done = run(bench, telling())
    assert done.status is PlaybookStatus.COMPLETED
    assert speaker.said == [("#security-alerts", "board/door was closed")]
    assert done.actions[1].message == "Sent"
    assert done.actions[1].request_ids == ("C1/1.000100",)


def test_the_plan_shows_every_word_and_planning_sends_nothing(bench: Bench, speaker: Speaker) -> None:
    asked = bench.remediation.request(telling(), door_finding(), ANA)
    assert asked.plan is not None
    assert asked.plan.actions[1].after == {"Message to #security-alerts": "board/door was closed"}
    assert "not sent → board/door was closed" in json.dumps(
        build_card(asked, CardRules()).to_dict(), ensure_ascii=False
    )
    assert speaker.said == []


def test_it_does_not_keep_the_fix_from_being_put_back(bench: Bench, speaker: Speaker) -> None:
    done = run(bench, telling())
    assert rollback_fact(done, approvals=1) == (
        "Can be rolled back",
        "Yes, exactly as it was; what was sent stays sent",
    )
    assert done.can_roll_back
    back = bench.runner.roll_back(done.execution_id, OMAR)
    assert back.status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}
    assert [result.status for result in back.actions] == [ActionStatus.ROLLED_BACK, ActionStatus.COMPLETED]
    assert len(speaker.said) == 1


def test_not_even_where_it_can_no_longer_be_sent(bench: Bench) -> None:
    done = run(bench, telling())
    later = Bench(bench.store, board=bench.board, others=(Notify(None, {}),))
    assert later.runner.roll_back(done.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_where_there_is_nothing_to_fix_there_is_nothing_to_tell(bench: Bench, speaker: Speaker) -> None:
    bench.board.switches = {"door": "closed"}
    asked = bench.remediation.request(telling(), door_finding(), ANA)
    assert asked.status is PlaybookStatus.COMPLETED
    assert [result.message for result in asked.actions] == ["Already as it should be", "Not sent"]
    assert speaker.said == []


def test_a_playbook_that_only_tells_is_needed_and_never_put_back(bench: Bench, speaker: Speaker) -> None:
    book = RemediationPlaybook("TELL", "Tell", "Tells.", "Network", "LOW")
    book.add_action("notify_team", "notification", SLACK)
    done = run(bench, book)
    assert done.status is PlaybookStatus.COMPLETED
    assert len(speaker.said) == 1
    assert not done.can_roll_back
    assert rollback_fact(done, approvals=1)[0] == "Rollback"


@pytest.mark.parametrize("is_before", [False, True])
def test_after_a_crash_it_is_not_sent_again(bench: Bench, speaker: Speaker, is_before: bool) -> None:
    execution_id = approved(bench, telling())
    speaker.fault = PowerCutError()
    with pytest.raises(PowerCutError):
        bench.runner.run(execution_id)
    speaker.fault = None
    if is_before:
        speaker.said.clear()
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "so it is not sent again" in str(settled.actions[1].error)
    assert bench.runner.recover(execution_id).status is PlaybookStatus.FAILED
    assert len(speaker.said) == (0 if is_before else 1)
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_a_message_that_was_not_taken_does_not_take_back_the_fix(bench: Bench, speaker: Speaker) -> None:
    speaker.fault = PermanentActionError("Slack did not take it", cause=Cause.NOT_SENT)
    book = telling()
    book.rollback_on_failure = True
    failed = run(bench, book)
    assert failed.status is PlaybookStatus.FAILED
    assert "pass the message on yourself" in str(failed.error)
    assert bench.board.switches == {"door": "closed"}
    assert failed.can_roll_back


def test_without_slack_the_plan_says_that_nothing_is_sent_and_the_fix_runs() -> None:
    bench = Bench(MemoryExecutions(), others=(Notify(None, {}),))
    asked = bench.remediation.request(telling(), door_finding(), ANA)
    assert asked.plan is not None
    note = "No Slack is connected here, so the message to #security-alerts is not sent."
    assert asked.plan.actions[1].notes == (note,)
    assert asked.actions[1].status is ActionStatus.SKIPPED
    bench.remediation.approve(asked.execution_id, OMAR)
    assert bench.runner.run(asked.execution_id).status is PlaybookStatus.COMPLETED
    assert bench.board.switches == {"door": "closed"}


@pytest.mark.parametrize(
    "params",
    [
        {"type": "slack", "channel": "#a"},
        {"type": "slack", "message": "m"},
        {"type": "slack", "target": "oncall", "message": "m"},
        {"type": "target", "channel": "#a", "message": "m"},
        {"type": "slack", "channel": "#a", "target": "b", "message": "m"},
        {"type": "slack", "channel": "security", "message": "m"},
        {"type": "slack", "channel": "#a <!channel>", "message": "m"},
        {"type": "slack", "channel": "U0OMAR", "message": "m"},
        {"type": "slack", "channel": "https://hooks.slack.com/x", "message": "m"},
        {"type": "target", "target": "json://127.0.0.1/", "message": "m"},
        {"type": "json://127.0.0.1/", "message": "m"},
        {"type": "target", "target": "oncall", "url": "json://127.0.0.1/", "message": "m"},
        {"type": "slack", "channel": "#a", "message": ""},
        {"type": "slack", "channel": "#a", "message": "x" * 2001},
    ],
)
def test_what_is_no_notification_is_refused(bench: Bench, params: dict[str, object]) -> None:
    with pytest.raises(InputError, match="action notify_team"):
        bench.runner.planner.check(telling(params))


def test_a_finding_cannot_choose_a_place_that_is_none(bench: Bench) -> None:
    book = telling({"type": "slack", "channel": "{{ finding.title }}", "message": "m"})
    bench.runner.planner.check(book)
    with pytest.raises(InputError, match="action notify_team: channel"):
        bench.runner.planner.draw_up(book, replace(door_finding(), title="@everyone"))


ONCALL = {"type": "target", "target": "oncall", "message": "{{ finding.resource }} was closed"}


class Receiver(ThreadingHTTPServer):
    """A web hook that keeps what it is sent, and answers with `status`."""

    def __init__(self) -> None:
        self.got: list[dict[str, object]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Hook)

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"json://user:{CANARY}@127.0.0.1:{self.server_port}/{CANARY}?-X-Key={CANARY}")


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.got.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def oncall_bench(receiver: Receiver) -> Bench:
    return Bench(MemoryExecutions(), others=(Notify(None, {"oncall": receiver.url}),))


def everything(bench: Bench) -> str:
    assert isinstance(bench.store, MemoryExecutions)
    trail = b"".join(entry.body for entry in bench.store.trail).decode()
    return f"{trail} {bench.store.history()} {bench.store._executions}"


def test_a_target_of_the_configuration_gets_it(receiver: Receiver) -> None:
    bench = oncall_bench(receiver)
    done = run(bench, telling(ONCALL))
    assert done.status is PlaybookStatus.COMPLETED
    [message] = receiver.got
    assert (message["title"], message["message"]) == ("Countersign", "board/door was closed")
    assert CANARY not in everything(bench)


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_target_that_does_not_take_it_fails_and_no_secret_shows(
    receiver: Receiver, is_closed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.status = 500
    bench = oncall_bench(receiver)
    execution_id = approved(bench, telling(ONCALL))
    if is_closed:
        receiver.socket.close()
    failed = bench.runner.run(execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert "The target “oncall” did not take the message" in str(failed.error)
    assert len(receiver.got) == (0 if is_closed else 1)
    assert CANARY not in everything(bench)
    assert CANARY not in "".join(f"{record.getMessage()}{record.exc_text}" for record in caplog.records)


def test_a_url_that_asks_for_more_tries_gets_none(receiver: Receiver) -> None:
    receiver.status = 500
    asking = SecretStr(f"{receiver.url.get_secret_value()}&retry=3&wait=0")
    bench = Bench(MemoryExecutions(), others=(Notify(None, {"oncall": asking}),))
    failed = bench.runner.run(approved(bench, telling(ONCALL)))
    assert failed.status is PlaybookStatus.FAILED
    assert len(receiver.got) == 1


def test_a_target_that_the_configuration_does_not_name_is_refused_with_the_nearest(
    receiver: Receiver,
) -> None:
    bench = oncall_bench(receiver)
    asked = bench.remediation.request(telling({**ONCALL, "target": "oncal"}), door_finding(), ANA)
    assert asked.status is PlaybookStatus.FAILED
    assert "names no target “oncal”; did you mean “oncall”?" in str(asked.error)
    assert bench.board.switches == {"door": "open"}


def test_the_equipment_shows_no_url(receiver: Receiver) -> None:
    assert CANARY not in repr(Equipment(targets={"oncall": receiver.url}))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "dbus://",
        "gnome://",
        "syslog://",
        "rsyslog://127.0.0.1",
        "macosx://",
        "windows://",
        "memory://",
        "exec://sh",
        "python://os",
        "include://x",
        "http://127.0.0.1/config",
        "apprise://127.0.0.1/key",
        "json",
        "",
        "://x",
        "/etc/passwd",
    ],
)
def test_what_stays_on_this_machine_is_no_target(url: str) -> None:
    assert schema_of(url) not in SCHEMAS
    with pytest.raises(PermanentActionError, match="The URL of the target “t” cannot be used"):
        send(SecretStr(url), "m", name="t")


@pytest.mark.parametrize("second", ["json://127.0.0.1:9/", "syslog://", "file:///tmp/x"])
def test_one_name_is_one_url(receiver: Receiver, second: str) -> None:
    for joint in (", ", " ", "\n", ";"):
        url = SecretStr(f"{receiver.url.get_secret_value()}{joint}{second}")
        with pytest.raises((PermanentActionError, TemporaryActionError)):
            send(url, "m", name="t")
    assert receiver.got == []


def test_every_schema_is_one_that_apprise_knows_and_none_of_its_local_ones() -> None:
    import apprise

    known = {
        schema
        for service in apprise.Apprise().details()["schemas"]
        for kind in ("protocols", "secure_protocols")
        for schema in service[kind] or ()
    }
    assert known >= SCHEMAS
    assert SCHEMAS.isdisjoint(
        {"file", "syslog", "rsyslog", "dbus", "gnome", "macosx", "windows", "apprise", "apprises"}
    )


def test_importing_all_actions_does_not_load_apprise() -> None:
    import subprocess
    import sys

    code = "import sys, remediation, remediation.actions.registry; print('apprise' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
