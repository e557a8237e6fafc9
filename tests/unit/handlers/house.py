"""The handlers behind a real Bolt app, against the stand-in for Slack; a cloud of switches, stores in memory."""

import contextlib
import logging
import queue
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from audit.actor import Actor
from audit.errors import StateError
from audit.findings import Finding, Severity
from audit.ingest import Reading
from bot.sandbox import Message, SlackStandIn, View
from bot.scheduler import make_firing
from exporters.email_service import EmailService
from exporters.mail_writer import PLAIN_MAIL
from exporters.mailing import MailService
from exporters.service import ExportService
from handlers.answer import answer
from handlers.batch_drawing import draw_batch
from handlers.batch_returns import go_on_with_return
from handlers.batch_windows import register_batches
from handlers.directory import SlackDirectory
from handlers.door import Door, read, refusal
from handlers.drawing import draw
from handlers.errors import register_error_handler
from handlers.forms import register_forms
from handlers.home import due_homes, note_change, publish_home, register_home
from handlers.home_picture import tend_pictures
from handlers.listeners import register
from handlers.notices import tell_notice
from handlers.notifier import DispatchingNotifier
from handlers.outcomes import tell_outcome
from handlers.requests import command_request
from handlers.rollback_window import fill_window
from handlers.services import Services
from remediation.actions.registry import ActionRegistry
from remediation.attention import Attention
from remediation.execution import PlaybookExecution
from remediation.journal import Journal
from remediation.planning import Planner
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy
from remediation.runner import Runner
from remediation.service import Remediation
from storage import Stores
from tests.fakes.stores import MemoryStores
from tests.fakes.switches import Switch, Switchboard

APPROVERS = Policy(approver_groups=frozenset({"S0SEC"}))
CHANNEL = "#security"
DOOR = Finding(
    id="F-1",
    title="Door is open",
    severity=Severity.HIGH,
    category="Network",
    resource="board/door",
    check_id="door_closed",
    provider="board",
    account_id="123456789012",
    region="eu-central-1",
)


def door_playbook() -> RemediationPlaybook:
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes the door.", "Network", "HIGH")
    book.add_action("close_door", "switch", {"name": "door", "to": "closed"})
    book.checks.append("door_closed")
    return book


class Hands:
    """A dispatcher whose work is done when the test says so, in the test's own thread."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[str, str]] = queue.Queue()
        self.done: list[tuple[str, str]] = []

    def submit(self, kind: str, work_id: str) -> None:
        self._queue.put((kind, work_id))

    def next(self, timeout_s: float) -> tuple[str, str] | None:
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None


@dataclass
class House:
    """Everything, put together the way `bot` does it. Most works on a database too."""

    slack: SlackStandIn
    policy: Policy = APPROVERS
    channel: str = ""
    attention: Attention = field(default_factory=Attention)
    stores: MemoryStores | Stores = field(default_factory=MemoryStores)
    board: Switchboard = field(default_factory=Switchboard)
    hands: Hands = field(default_factory=Hands)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    slack_timeout_s: int = 5

    def __post_init__(self) -> None:
        token = self.slack.workspace.bot_token
        self.client = WebClient(
            token,
            base_url=self.slack.api_url,
            timeout=self.slack_timeout_s,
            retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)],
        )
        planner = Planner(ActionRegistry([Switch(self.board)]), self.policy)
        notifier = DispatchingNotifier(self.hands)
        executions = self.stores.executions
        book = door_playbook()
        exports = ExportService(reports=self.stores.reports, trail=self.stores.trail, clock=self.clock)
        self.services = Services(
            reports=self.stores.reports,
            trail=self.stores.trail,
            tracker=self.stores.tracker,
            regressions=self.stores.regressions,
            executions=executions,
            finder=self.stores.finder,
            postings=self.stores.postings,
            inbox=self.stores.inbox,
            schedules=self.stores.schedules,
            homes=self.stores.homes,
            home_pictures=self.stores.home_pictures,
            outcomes=self.stores.outcomes,
            batches=self.stores.batches,
            returns=self.stores.returns,
            remediation=Remediation(
                store=executions,
                planner=planner,
                directory=SlackDirectory(self.client, timeout_s=2),
                notifier=notifier,
                clock=self.clock,
                exceptions=self.stores.exceptions,
            ),
            runner=Runner(
                journal=Journal(store=executions, notifier=notifier, clock=self.clock, owner="boot-house"),
                planner=planner,
                exceptions=self.stores.exceptions,
            ),
            playbooks={book.playbook_id: book},
            exports=exports,
            mailing=MailService(exports=exports, mailer=lambda: EmailService().mailer, style=PLAIN_MAIL),
            exceptions=self.stores.exceptions,
            notices=self.stores.notices,
            attention=self.attention,
            dispatcher=self.hands,
            client=self.client,
            clock=self.clock,
            environment="testing",
            channel=self.channel,
        )
        self.app = self._make_app()

    def clock(self) -> datetime:
        return self.now

    def _make_app(self) -> App:
        logger = logging.getLogger("house")
        logger.setLevel(logging.CRITICAL)
        app = Door(signing_secret=self.slack.workspace.signing_secret, logger=logger)
        register(app, self.services)
        register_forms(app, self.services)
        register_home(app, self.services)
        register_batches(app, self.services)
        register_error_handler(app, self.services)
        return app

    def post(self, body: str, headers: Mapping[str, list[str]]) -> int:
        """Hand over what came over HTTP, as the web server does; return the status of the answer."""
        asked = read(body=body, query="", headers=headers)
        return refusal().status if asked is None else self.app.dispatch(asked).status

    def ingest(self, *findings: Finding, name: str = "scan.json") -> str:
        reading = Reading(
            source="prowler-ocsf",
            name=name,
            content_sha256=f"{len(self.stores.reports.list_reports(99)):064d}"[
                ::-1
            ],  # the id begins with its beginning
            generated_at=self.now,
            items=iter(findings or [DOOR]),
        )
        actor = Actor(origin="cli")
        return self.services.reports.ingest(reading, actor=actor, now=self.now).header.report_id

    def work(self) -> None:
        """Wait for the first work, then do it and what follows from it, until nothing is left."""
        work = self.hands.next(timeout_s=5)
        assert work, "nobody asked for any work"
        self.do(*work)
        self.work_off()

    def work_off(self) -> None:
        """Do what waits, if anything."""
        while work := self.hands.next(timeout_s=0.02):
            self.do(*work)

    def work_but(self, kind: str) -> None:
        """Do what waits, and leave out one kind of work."""
        while work := self.hands.next(timeout_s=0.2):
            if work[0] != kind:
                self.do(*work)

    def sweep_homes(self) -> None:
        """Draw the homes that a sweep finds, and do what it finds to do about their picture."""
        if self.stores.home_pictures.is_due(self.now):
            self.do("picture", "trend")
        for name in due_homes(self.services):
            self.do("home", name)

    def put_command(self, command: str, body: dict[str, str]) -> str:
        """Put a command into the inbox the way a listener does; return the request's id."""
        whole = {"team_id": "T0DEMO", "user_id": "U0ANA", "command": command, **body}
        request = command_request(whole, now=self.now)
        self.services.inbox.put(request)
        self.hands.submit("request", request.request_id)
        return request.request_id

    def open_requests(self) -> list[str]:
        """Return what a sweep would hand out to be answered."""
        return self.services.inbox.open_requests(self.services.runner.journal.owner, self.now)

    def do(self, kind: str, work_id: str) -> None:
        self.hands.done.append((kind, work_id))
        if kind == "fire":
            make_firing(self.services).fire(work_id)
        elif kind == "homes":
            note_change(self.services)
        elif kind == "picture":
            tend_pictures(self.services)
        elif lane := _LANES.get(kind):
            lane(self.services, work_id)
        else:
            with contextlib.suppress(StateError):
                self.services.runner.run(work_id)

    def command(self, user: str, text: str, *, channel: str = CHANNEL) -> None:
        assert self.slack.command(user=user, channel=channel, text=text).ok
        self.work()

    def click(self, user: str, target: Message, action_id: str) -> None:
        assert self.slack.click(user, target, action_id).ok
        self.work()

    def ask(self, user: str = "ana") -> Message:
        """Ask for the door to be closed; return the card."""
        if not self.stores.reports.list_reports(1):
            self.ingest()
        self.command(user, f"/playbook run CLOSE-DOOR {DOOR.handle}")
        return self.cards()[-1]

    def cards(self, channel: str = CHANNEL) -> list[Message]:
        """Return the bot's messages that everybody sees, oldest first."""
        return [message for message in self.slack.messages(channel) if not message.only_for]

    def card(self) -> Message:
        return self.cards()[-1]

    def window(self, user: str) -> View:
        """Wait for the window that a click opens beside its acknowledgement."""
        return self.slack.wait_for(lambda: next(iter(self.slack.views(user)[::-1]), None))

    def whisper(self, user: str, channel: str = CHANNEL) -> Message:
        """Return the newest message that only this person sees."""
        person = self.slack.workspace.person(user).id
        return [m for m in self.slack.messages(channel, as_user=user) if m.only_for == person][-1]

    def told(self, user: str) -> Message:
        """Wait for a message that only this person sees, and return the newest."""
        return self.slack.wait_for(lambda: self.whispers(user))[-1]

    def whispers(self, user: str, channel: str = CHANNEL) -> list[Message]:
        person = self.slack.workspace.person(user).id
        return [m for m in self.slack.messages(channel, as_user=user) if m.only_for == person]

    def execution(self) -> PlaybookExecution:
        return self.services.executions.history(limit=1)[0]

    def replies(self, card: Message) -> list[Message]:
        return list(self.slack.thread(card.channel, card.ts)[1:])


_LANES: Mapping[str, Callable[[Services, str], object]] = {
    "click": answer,
    "request": answer,
    "draw": draw,
    "notice": tell_notice,
    "home": publish_home,
    "batch": draw_batch,
    "return": go_on_with_return,
    "window": fill_window,
    "tell": tell_outcome,
}


@contextlib.contextmanager
def serving(house: House) -> Iterator[str]:
    """Serve a house's app on a free port until the block ends, and then end its threads: they would hold all that it has."""
    app = house.app

    async def events(request: Request) -> Response:
        body = await request.body()
        return to_starlette_response(await run_in_threadpool(app.dispatch, to_bolt_request(request, body)))

    starlette = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(starlette, log_config=None, lifespan="off", loop="asyncio", http="h11")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        house.services.intake.stop()
        app.listener_runner.listener_executor.shutdown(wait=False)
