"""Puts the house together: who gets which port. What runs on which thread stands in `bot.lanes`."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import structlog

from audit.errors import CountersignError
from bot.anchoring import make_anchoring
from bot.client import make_client
from bot.config import Config
from bot.connecting import Connection, ask_who_we_are, find_silence, open_socket
from bot.gauges import StateOfAffairs
from bot.lanes import find_waiting, make_lanes
from bot.mail import make_mail_service
from bot.metrics import MeteredApp, Metrics
from bot.planning import make_planner
from bot.playbooks import load_playbooks
from bot.pulling import SecurityHub
from bot.reading_apart import open_apart
from bot.report_page import AT_ONCE as REPORTS_AT_ONCE
from bot.report_page import ReportPage
from bot.scheduler import make_clockwork
from bot.settings import Settings
from bot.socket_mode import Socket
from bot.style import make_style
from bot.worker import Work, Worker
from exporters.formats import export_formats
from exporters.service import ExportService
from handlers.batch_windows import register_batches
from handlers.directory import SlackDirectory
from handlers.errors import register_error_handler
from handlers.forms import register_forms
from handlers.home import register_home
from handlers.listeners import register
from handlers.messenger import SlackMessenger
from handlers.notifier import DispatchingNotifier
from handlers.services import Services
from handlers.slack_client import Line
from remediation.execution import PlaybookExecution
from remediation.heartbeat import Heartbeat, new_owner
from remediation.journal import Journal
from remediation.runner import Runner
from remediation.service import Remediation, utc_now
from storage import Stores

log = structlog.get_logger()


class Bot:
    """The running bot: services, hands, and the way Slack comes in."""

    def __init__(self, settings: Settings, config: Config, stores: Stores) -> None:
        self._settings = settings
        self._stores = stores
        self._socket: Socket | None = None
        self.metrics = Metrics()
        self._line = Line(observe=self.metrics.slack_called)
        stores.executions.on_move = self._note_move
        self.worker = Worker()
        self.services = self._make_services(config)
        self._line.give_way = self.services.intake.give_way
        anchoring = make_anchoring(
            config,
            folder=settings.config_folder,
            anchors=stores.anchors,
            services=self.services,
        )
        owner = self.services.runner.journal.owner
        self.heart = Heartbeat(store=stores.executions, owner=owner, clock=self.services.clock)
        self._life = ExitStack()
        self._lanes = make_lanes(self.services, stores, anchoring)
        self.worker.take_on(self._lanes, self._find_waiting)
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

    def _make_services(self, config: Config) -> Services:
        settings, stores, worker = self._settings, self._stores, self.worker
        client = make_client(settings, self._line)
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
            returns=stores.returns,
            remediation=Remediation(
                store=stores.executions,
                planner=planner,
                directory=SlackDirectory(client, give_way=self._give_way),
                notifier=notifier,
                exceptions=stores.exceptions,
            ),
            runner=Runner(
                journal=Journal(store=stores.executions, notifier=notifier, owner=new_owner("boot")),
                planner=planner,
                exceptions=stores.exceptions,
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
            open_file=open_apart,
            answered=self.metrics.answered,
            is_stopping=lambda: worker.is_stopping,
        )

    def _give_way(self) -> None:
        """Let those go first who wait for an acknowledgement; told to those who are made before the services that know."""
        self._line.give_way()

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
        """Say that this process is alive, start working, and listening where Slack comes by Socket Mode.

        Raises:
            ConfigError: Slack refuses the app-level token.
            CountersignError: the database cannot be written.
        """
        self._stores.database.make_room()
        self._life.enter_context(self.heart.beating())  # before there is work that others could take for left
        self.worker.start()
        self.clockwork.start()
        if token := self._settings.slack_app_token:
            self._socket = Socket(self.app, token.get_secret_value(), client=self.services.client)
            open_socket(self._socket.connect, url=self._settings.slack_api_url)

    def stop(self) -> None:
        """Take nothing new, finish what is being done, close. What waits is found by the next process.

        What is being done may take long (a script, a copy of a disk): it is this process's own until its last thread has ended.
        """
        if self._socket:
            self._socket.close()
        self.services.aside.stop()  # before the intake: a form that does not open is stored as a command
        self.services.intake.stop()
        self.clockwork.stop()
        self.worker.stop()
        self.page.threads.shutdown(wait=True)
        self._life.close()
        self._stores.close()

    def missing(self) -> dict[str, str]:
        """Return what keeps the bot from working, by part; empty when it is ready."""
        problems: dict[str, str] = {}
        if not self.services.intake.is_alive:
            problems["intake"] = "requests are no longer stored"
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

    def _find_waiting(self) -> Iterator[Work]:
        """Say that this process is alive, hear who else is, and yield what is to be done."""
        now, journal = self.services.clock(), self.services.runner.journal
        self._stores.executions.beat(journal.owner, now)
        journal.watch.look(self._stores.executions.heard())
        yield from find_waiting(self._lanes, now)


def _make_app(settings: Settings, services: Services, *, metrics: Metrics) -> MeteredApp:
    """Return the Bolt app."""
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
    app = MeteredApp(metrics=metrics, signing_secret=secret)
    register(app, services)
    register_forms(app, services)
    register_home(app, services)
    register_batches(app, services)
    register_error_handler(app, services)
    return app
