"""The served bot: start in order, say one line, run until told to stop, stop in order."""

import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn

from audit.errors import ConfigError
from bot.app import Bot
from bot.bounded_http import BoundedHttp
from bot.config import read_config
from bot.logs import configure_logs
from bot.loopback import fence_in
from bot.settings import Settings
from bot.web import make_web
from storage import Stores

log = structlog.get_logger()

STOP_WITHIN_S = 20
_STOPS = signal.SIGTERM, signal.SIGINT


def serve_forever() -> None:
    """Run until SIGTERM or SIGINT; then finish what is being done and return. A second one ends the process where it stands.

    Raises:
        ConfigError: something is missing or wrong at the start; names it.
    """
    settings = Settings.from_environment()
    settings.require_slack()
    config = read_config(settings.countersign_config)
    if settings.countersign_loopback_only:
        fence_in()
    configure_logs()
    bot = Bot(settings, config, Stores.open(settings.database_url))
    try:
        connection = bot.connect()
        listener = _listen(settings)
        bot.start()
        _spare_pauses()
        mode = "socket" if settings.slack_app_token else "http"
        log.info("serving", mode=mode, team=connection.team, port=listener.getsockname()[1])
        web = make_web(
            None if settings.slack_app_token else bot.app,
            probe=bot.missing,
            page=bot.page,
            registry=bot.metrics.registry,
        )
        served = uvicorn.Config(
            web,
            loop="uvloop",  # asyncio's lets go of Python's lock around each write: docs/adr/0013
            http=BoundedHttp,
            ws="none",
            proxy_headers=False,  # nothing asks who is at the other end, or by which address
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
        _Server(served).run(sockets=[listener])
    finally:
        log.info("stopping")
        bot.stop()
        log.info("stopped")


def _spare_pauses() -> None:
    """Take all that was made at the start out of the garbage collector's sight: it is there to stay.

    A full collection stops every thread while it looks at each object; with the libraries' it took a tenth of a second, once
    a second under load, and people who clicked at that moment waited for it.
    """
    gc.collect()
    gc.freeze()


def _listen(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port))
    except OSError as error:
        raise ConfigError(
            f"PORT {settings.port} on {settings.host} cannot be used: {error.strerror}"
        ) from None


class _Server(uvicorn.Server):
    """uvicorn, without raising a signal again once it has stopped: our own stop comes after.

    Args:
        pid: returns this process's number.
    """

    def __init__(self, config: uvicorn.Config, *, pid: Callable[[], int] = os.getpid) -> None:
        super().__init__(config)
        self._pid = pid

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in _STOPS:
            signal.signal(number, self._heed)
        yield

    def _heed(self, number: int, frame: FrameType | None) -> None:
        """Stop in order. Whoever asks once more does not want to wait: then the process ends at once, as if it were killed."""
        if self.should_exit:
            os._exit(128 + number)
        self.handle_exit(number, frame)
        if self._pid() != 1:  # of a container's first process the kernel keeps default actions away
            for each in _STOPS:
                signal.signal(each, signal.SIG_DFL)
