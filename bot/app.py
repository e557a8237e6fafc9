"""Puts the house together: who gets which port, and what runs on which thread."""

import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import structlog
from slack_bolt import App
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    ServerErrorRetryHandler,
)

from audit.errors import CountersignError, StateError
from bot.anchoring import make_anchoring
from bot.config import Config
from bot.connecting import Connection, ask_who_we_are, find_silence, open_socket
from bot.gauges import StateOfAffairs
from bot.mail import make_mail_service
from bot.metrics import MeteredApp, Metrics
from bot.planning import make_planner
from bot.playbooks import load_playbooks
from bot.pulling import SecurityHub
from bot.report_page import AT_ONCE as REPORTS_AT_ONCE
from bot.report_page import ReportPage
from bot.scheduler import make_clockwork, make_firing
from bot.settings import Settings
from bot.socket_mode import Socket
from bot.style import make_style
from bot.worker import Lane, Work, Worker
from exporters.formats import export_formats
from exporters.service import ExportService
from handlers.answer import answer
from handlers.batch_drawing import draw_batch
from handlers.batch_windows import register_batches
from handlers.directory import SlackDirectory
from handlers.drawing import draw
from handlers.errors import register_error_handler
from handlers.forms import register_forms
from handlers.home import due_homes, note_change, publish_home, register_home
from handlers.home_picture import tend_pictures
from handlers.listeners import register
from handlers.messenger import SlackMessenger
from handlers.notices import tell_notice
from handlers.notifier import DispatchingNotifier
from handlers.outcomes import tell_outcome
from handlers.regressions import tell_regression
from handlers.rollback_window import fill_window
from handlers.services import Services
from handlers.slack_client import Line, SlackClient
from remediation.ending import ExceptionEnds
from remediation.execution import PlaybookExecution
from remediation.heartbeat import new_owner
from remediation.journal import Journal
from remediation.rechecking import Rechecking
from remediation.rollbacks import Rollbacks
from remediation.runner import Runner
from remediation.service import Remediation, utc_now
from remediation.states import PlaybookStatus
from storage import Stores

log = structlog.get_logger()

SLACK_TIMEOUT_S = 15
RETRIES = 3


class Bot:
    """The running bot: services, hands, and the way Slack comes in."""

    def __init__(self, settings: Settings, config: Config, stores: Stores) -> None:
        self._settings = settings
        self._stores = stores
        self._socket: Socket | None = None
        self.metrics = Metrics()
        self._line = Line(observe=self.metrics.slack_called)
        stores.executions.on_move = self._note_move
        self.worker = Worker(
            {
                "request": Lane(self._answer, threads=16, about="request_id"),
                "draw": Lane(self._draw, threads=8, about="execution_id"),
                "run": Lane(self._run, threads=8, about="execution_id"),
                "recover": Lane(self._recover, threads=2, about="execution_id"),
                "expire": Lane(self._expire, threads=2, about="execution_id"),
                "notice": Lane(self._tell_notice, threads=2),
                "rollback": Lane(self._expire_rollback, threads=1),
                "exception": Lane(self._end_exception, threads=1),
                "anchor": Lane(self._anchor, threads=1),
                "fire": Lane(self._fire, threads=4),
                "abandoned": Lane(self._remove_abandoned, threads=1),
                "findings": Lane(self._catch_up, threads=1),
                "recheck": Lane(self._recheck, threads=2, about="execution_id"),
                "regression": Lane(self._tell_regression, threads=1),
                "homes": Lane(self._note_change, threads=1),
                "home": Lane(self._publish_home, threads=2),
                "picture": Lane(self._tend_pictures, threads=1),
                "batch": Lane(self._draw_batch, threads=4, about="batch_id"),
                "window": Lane(self._fill_window, threads=4),
                "tell": Lane(self._tell, threads=2, about="execution_id"),
            },
            self._find_waiting,
        )
        self.services = replace(
            _make_services(settings, config, stores, self.worker, line=self._line),
            answered=self.metrics.answered,
        )
        self._rechecking = Rechecking(
            store=stores.executions,
            planner=self.services.runner.planner,
            tracker=self.services.tracker,
            rechecks=stores.rechecks,
            trail=stores.trail,
            clock=self.services.clock,
        )
        self.anchoring = make_anchoring(
            config,
            folder=settings.config_folder,
            anchors=stores.anchors,
            client=self.services.client,
            clock=utc_now,
        )
        self.firing = make_firing(self.services)
        self.clockwork = make_clockwork(self.services)
        self.app = _make_app(settings, self.services, metrics=self.metrics)
        self.metrics.registry.register(StateOfAffairs(stores, self.worker))
        self.page = ReportPage(
            reports=stores.reports,
            html=self.services.exports.formats["html"],
            links=settings.report_links(),
            clock=utc_now,
            threads=ThreadPoolExecutor(REPORTS_AT_ONCE, thread_name_prefix="report"),
        )

    def _note_move(self, execution: PlaybookExecution) -> None:
        """Count and log that an execution came into another state; its id stands on the line whoever moved it."""
        self.metrics.moved(execution.status)
        log.info(
            "execution moved",
            execution_id=execution.execution_id,
            state=execution.status.value,
            playbook=execution.playbook_id,
            revision=execution.revision,
        )

    def connect(self) -> Connection:
        """Ask Slack whether the token is good.

        Raises:
            ConfigError: it is not, or Slack does not answer.
        """
        return ask_who_we_are(self.services.client)

    def start(self) -> None:
        """Start working, and listening where Slack comes by Socket Mode.

        Raises:
            ConfigError: Slack refuses the app-level token.
        """
        self.worker.start()
        self.clockwork.start()
        if token := self._settings.slack_app_token:
            self._socket = Socket(self.app, token.get_secret_value(), client=self.services.client)
            open_socket(self._socket.connect, url=self._settings.slack_api_url)

    def stop(self) -> None:
        """Take nothing new, finish what is being done, close. What waits is found by the next process."""
        if self._socket:
            self._socket.close()
        self.services.aside.stop()
        self.clockwork.stop()
        self.worker.stop()
        self.page.threads.shutdown(wait=True)
        self._stores.close()

    def missing(self) -> dict[str, str]:
        """Return what keeps the bot from working, by part; empty when it is ready."""
        problems: dict[str, str] = {}
        if not self.worker.is_alive:
            problems["worker"] = "not running"
        if not self.clockwork.is_alive:
            problems["schedules"] = "the clock has stopped"
        if self._socket and (problem := find_silence(self._socket.client, now=time.time())):
            problems["slack"] = problem
        if self._socket and not self._socket.is_kept:
            problems["socket"] = "nobody looks after the connection of Socket Mode"
        if self._line.revoked:
            problems["token"] = f"Slack no longer takes SLACK_BOT_TOKEN: {self._line.revoked}"
        try:
            self._stores.trail.head()
        except CountersignError as error:
            problems["database"] = str(error)
        return problems

    def _answer(self, request_id: str) -> None:
        answer(self.services, request_id)

    def _draw(self, execution_id: str) -> None:
        draw(self.services, execution_id)

    def _run(self, execution_id: str) -> None:
        with suppress(StateError):  # another worker took it
            self.services.runner.run(execution_id)

    def _recover(self, execution_id: str) -> None:
        with suppress(StateError):  # its owner was alive after all
            self.services.runner.recover(execution_id)

    def _expire(self, execution_id: str) -> None:
        with suppress(StateError):  # somebody decided at the last moment
            self.services.remediation.expire(self.services.executions.get(execution_id))

    def _tell_notice(self, notice_id: str) -> None:
        tell_notice(self.services, notice_id)

    def _expire_rollback(self, execution_id: str) -> None:
        with suppress(StateError):  # somebody decided at the last moment
            rollbacks = Rollbacks(self.services.remediation, self.services.runner)
            rollbacks.expire(self.services.executions.get(execution_id))

    def _end_exception(self, exception_id: str) -> None:
        with suppress(StateError):  # somebody ended it at this moment
            ExceptionEnds(self.services.remediation, self.services.exceptions).end_in_time(exception_id)

    def _fire(self, fire_id: str) -> None:
        self.firing.fire(fire_id)

    def _anchor(self, _head: str) -> None:
        if anchor := self.anchoring.due():
            self.anchoring.note(anchor)

    def _remove_abandoned(self, _all: str) -> None:
        self._stores.reports.remove_abandoned(self.services.clock())

    def _catch_up(self, _report: str) -> None:
        while self._stores.tracker.catch_up(self.services.clock()):
            pass
        self.worker.submit("homes", "all")  # what they count has changed

    def _recheck(self, execution_id: str) -> None:
        self._rechecking.recheck(execution_id)

    def _tell_regression(self, regression_id: str) -> None:
        tell_regression(self.services, int(regression_id))

    def _note_change(self, _all: str) -> None:
        note_change(self.services)

    def _publish_home(self, name: str) -> None:
        publish_home(self.services, name)

    def _tend_pictures(self, _all: str) -> None:
        tend_pictures(self.services)

    def _draw_batch(self, batch_id: str) -> None:
        draw_batch(self.services, batch_id)

    def _fill_window(self, window: str) -> None:
        fill_window(self.services, window)

    def _tell(self, execution_id: str) -> None:
        tell_outcome(self.services, execution_id)

    def _find_waiting(self) -> Iterator[Work]:
        """Yield what the stored state says is to be done, whoever left it."""
        owner, now = self.services.runner.journal.owner, self.services.clock()
        self._stores.executions.beat(owner, now)
        yield from (("request", request_id) for request_id in self._stores.inbox.open_requests(owner, now))
        for execution in self._stores.executions.waiting(now):
            is_approved = execution.status is PlaybookStatus.APPROVED
            yield ("run" if is_approved else "expire", execution.execution_id)
        for execution in self._stores.executions.unfinished(owner, now):
            yield "recover", execution.execution_id
        yield from (("draw", execution_id) for execution_id in self._stores.postings.outdated(now))
        yield from (
            ("rollback", execution.execution_id)
            for execution in self._stores.executions.ran_out(now, since=now)
            if execution.rollback and execution.rollback.expires_at <= now
        )
        yield from (("exception", each.exception_id) for each in self._stores.exceptions.over(now))
        yield from (("notice", notice_id) for notice_id in self.services.herald.due(now))
        yield from (("fire", fire_id) for fire_id in self._stores.schedules.waiting(now))
        yield "anchor", "head"
        yield from (("recheck", execution_id) for execution_id in self._stores.rechecks.due(now))
        yield from (("regression", str(key)) for key in self._stores.regressions.untold(now))
        if self._stores.tracker.is_behind():
            yield "findings", "next"
        if self._stores.reports.has_abandoned(now):
            yield "abandoned", "reports"
        yield from (("tell", execution_id) for execution_id in self._stores.outcomes.untold(now))
        yield from (("batch", batch_id) for batch_id in self._stores.batches.outdated(now))
        if self._stores.home_pictures.is_due(now):
            yield "picture", "trend"
        yield from (("home", name) for name in due_homes(self.services))


def _make_services(
    settings: Settings,
    config: Config,
    stores: Stores,
    worker: Worker,
    *,
    line: Line,
) -> Services:
    client = make_client(settings, line)
    formats = export_formats(make_style(settings, config))
    planner = make_planner(settings, config, messenger=SlackMessenger(client))
    notifier = DispatchingNotifier(worker)
    return Services(
        reports=stores.reports,
        trail=stores.trail,
        tracker=stores.tracker.with_sla(config.sla.to_sla()),
        regressions=stores.regressions,
        executions=stores.executions,
        finder=stores.finder,
        postings=stores.postings,
        inbox=stores.inbox,
        schedules=stores.schedules,
        homes=stores.homes,
        home_pictures=stores.home_pictures,
        outcomes=stores.outcomes,
        batches=stores.batches,
        remediation=Remediation(
            store=stores.executions,
            planner=planner,
            directory=SlackDirectory(client),
            notifier=notifier,
            exceptions=stores.exceptions,
        ),
        runner=Runner(
            journal=Journal(store=stores.executions, notifier=notifier, owner=new_owner("boot")),
            planner=planner,
        ),
        playbooks=load_playbooks(config, beside=settings.config_folder),
        exports=ExportService(reports=stores.reports, trail=stores.trail, clock=utc_now, formats=formats),
        mailing=make_mail_service(settings, config, stores),
        exceptions=stores.exceptions,
        notices=stores.notices,
        attention=config.policy.to_attention(),
        dispatcher=worker,
        client=client,
        clock=utc_now,
        environment=config.environment,
        channel=config.channel or "",
        pull=SecurityHub(config.accounts.to_clouds().aws, stores.pulls, stores.reports),
        csv_columns=config.ingest.csv_columns,
        is_stopping=lambda: worker.is_stopping,
    )


def make_client(settings: Settings, line: Line | None = None) -> SlackClient:
    """Return a client for Slack that waits where Slack limits it, and tries again where a connection or a server failed."""
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    return SlackClient(
        line=line or Line(),
        token=token,
        base_url=settings.slack_api_url,
        timeout=SLACK_TIMEOUT_S,
        ssl=ssl.create_default_context(),  # else the SDK makes one for each call, which takes 35 ms of a processor
        retry_handlers=[
            ConnectionErrorRetryHandler(max_retry_count=RETRIES),
            ServerErrorRetryHandler(max_retry_count=RETRIES),
        ],
    )


def _make_app(settings: Settings, services: Services, *, metrics: Metrics) -> App:
    """Return the Bolt app."""
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
    app = MeteredApp(metrics=metrics, signing_secret=secret)
    register(app, services)
    register_forms(app, services)
    register_home(app, services)
    register_batches(app, services)
    register_error_handler(app, services)
    return app
