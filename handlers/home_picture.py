"""The picture of the trend in everybody's home: drawn and uploaded once for each state of what it shows.

A home never waits for it. It is published with bars of text, and again once the picture is there: drawn, uploaded without a
conversation, and looked over by Slack, which takes a moment and until then refuses blocks that name the file.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from slack_sdk.errors import SlackApiError

from audit.errors import CountersignError, NotFoundError
from audit.lifecycle import RowHead, TrendPoint
from exporters.pdf_process import is_typst_here
from exporters.ports import ExportedFile
from exporters.trend_chart import MOST_POINTS, describe_trend, digest_trend, draw_trend
from handlers.blocks.home import Picture
from handlers.clients import make_brief
from handlers.delivery import upload
from handlers.pacing import wait_of
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of
from remediation.home_pictures import HomePicture
from remediation.ports import LONGEST_REST

log = structlog.get_logger()
REFUSED_FOR: Final = LONGEST_REST
_LEAST_POINTS: Final = 2
_ASKED_AGAIN_AFTER: Final = (timedelta(seconds=2), timedelta(minutes=10))
_GONE: Final = frozenset({"file_not_found", "file_deleted"})
_LIMITED: Final = "ratelimited"
_OK: Final = 200


def read_points(services: Services, rows: Sequence[RowHead]) -> list[TrendPoint]:
    """Return the first row's reports, oldest first; none where there is none, or it has just been removed."""
    try:
        return services.tracker.trend(MOST_POINTS, report_id=rows[0].report_id) if rows else []
    except NotFoundError:
        return []


def find_picture(services: Services, points: Sequence[TrendPoint]) -> Picture | None:
    """Return the picture of these reports. Where there is none that Slack can show, have it made, beside everything else."""
    digest = _digest(points)
    if not digest:
        return None
    if file_id := services.home_pictures.find(digest):
        return Picture(file_id=file_id, alt_text=describe_trend(points), digest=digest)
    services.dispatcher.submit("picture", "trend")
    return None


def hide_picture(services: Services, picture: Picture) -> None:
    """Show a picture in no home that Slack has refused in one; it is looked at again after `REFUSED_FOR`."""
    now = services.clock()
    refused = HomePicture(digest=picture.digest, file_id=picture.file_id, since=now, due_at=now + REFUSED_FOR)
    services.home_pictures.keep(refused)


def tend_pictures(services: Services) -> None:
    """Bring the picture that homes show a step further, and delete from Slack what it has replaced."""
    now = services.clock()
    points = read_points(services, services.tracker.rows())
    if not (digest := _digest(points)):
        services.home_pictures.retire(now)
    elif picture := services.home_pictures.begin(digest, now):
        _bring_further(services, picture, points)
    for old in services.home_pictures.replaced(now):
        _remove(services, old, now)


def _digest(points: Sequence[TrendPoint]) -> str:
    """Return what the picture of these reports goes by; empty where there is none to be drawn."""
    if len(points) < _LEAST_POINTS or not is_typst_here():
        return ""
    return digest_trend(points, name=points[-1].name)


def _bring_further(services: Services, picture: HomePicture, points: Sequence[TrendPoint]) -> None:
    """Upload it, or ask about it. What fails is tried again when it is due; until then homes have bars."""
    try:
        if not picture.file_id:
            picture = replace(picture, file_id=_upload(services, points), since=services.clock())
            services.home_pictures.keep(picture)  # ahead of the question: nothing uploads it twice
        _ask(services, picture)
    except SLACK_FAILURES as error:
        log.warning("no picture for the homes", error=code_of(error))
        services.home_pictures.keep(_put_off(picture, error, services.clock()))
    except CountersignError as error:
        log.warning("no picture for the homes", error=str(error))


def _upload(services: Services, points: Sequence[TrendPoint]) -> str:
    """Draw the picture and hand it to Slack, for no conversation; return the file's id."""
    content = draw_trend(points, name=points[-1].name)
    file = ExportedFile(
        name=f"trend-{points[-1].report_id}.png",
        media_type="image/png",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=io.BytesIO(content),
    )
    return upload(make_brief(services.client), file, alt_text=describe_trend(points))


def _ask(services: Services, picture: HomePicture) -> None:
    """Ask Slack whether it has looked the file over; if so, have the homes drawn anew."""
    found = make_brief(services.client).files_info(file=picture.file_id).get("file") or {}
    now = services.clock()
    if str(found.get("mimetype") or "").startswith("image/"):
        services.home_pictures.keep(replace(picture, is_ready=True, since=now, due_at=None))
        services.dispatcher.submit("homes", "all")
    else:
        soonest, latest = _ASKED_AGAIN_AFTER
        wait = min(max((now - picture.since) / 2, soonest), latest)
        services.home_pictures.keep(replace(picture, due_at=now + wait))


def _put_off(picture: HomePicture, error: Exception, now: datetime) -> HomePicture:
    """Return when it is tried again: as Slack says; much later where it refused; as was planned where it gave no answer."""
    code = code_of(error)
    if code in _GONE:
        return replace(picture, file_id="")
    if isinstance(error, SlackApiError) and code == _LIMITED:
        return replace(picture, due_at=now + timedelta(seconds=wait_of(error)))
    return replace(picture, due_at=now + REFUSED_FOR) if _has_answered(error) else picture


def _remove(services: Services, old: HomePicture, now: datetime) -> None:
    """Delete a replaced picture from Slack. What Slack answers is final, unless it has no time for us."""
    try:
        if old.file_id:
            make_brief(services.client).files_delete(file=old.file_id)
    except SLACK_FAILURES as error:
        if not _has_answered(error):
            services.home_pictures.keep(replace(old, due_at=now + REFUSED_FOR))
            return
        if code_of(error) not in _GONE:
            log.warning("an old picture stays in Slack", file_id=old.file_id, error=code_of(error))
    services.home_pictures.forget(old.digest)


def _has_answered(error: Exception) -> bool:
    """Tell whether Slack has considered what it was asked, and said no."""
    return isinstance(error, SlackApiError) and error.response.status_code == _OK
