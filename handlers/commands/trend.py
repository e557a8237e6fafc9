"""`/report trend`: a picture where it was asked for; where none can be drawn, the same in words."""

import hashlib
import io
from collections.abc import Sequence

import structlog

from audit.errors import ConfigError, InputError
from audit.lifecycle import TrendPoint
from audit.ports import LATEST
from audit.trail import TrailEvent
from exporters.ports import ExportedFile
from exporters.trend_chart import describe_trend, draw_trend
from handlers.blocks.findings import build_trend
from handlers.blocks.parts import Message
from handlers.conversations import find_conversation
from handlers.delivery import SlackDelivery
from handlers.requests import said
from handlers.services import Services
from remediation.ports import Request

log = structlog.get_logger()
_LEAST_POINTS = 2


def show_trend(services: Services, request: Request, words: Sequence[str]) -> Message | None:
    """Post the trend up to a report as a picture.

    Raises:
        InputError: no such report, fewer than two of its row, or nowhere to post it.
        TrailError: the trail cannot be written; nothing was posted.
    """
    points = services.tracker.trend(report_id=words[0] if words else LATEST)
    if len(points) < _LEAST_POINTS:
        raise InputError(
            "A trend needs two reports of the same scanner on the same account. `/report list` shows what is here."
        )
    channel = find_conversation(services.client, request)
    try:
        picture = draw_trend(points, name=points[-1].name)
    except ConfigError:
        log.warning("trend not drawn: typst is not installed")
        return build_trend(points)
    digest = hashlib.sha256(picture).hexdigest()
    services.trail.record(_event(services, request, points, digest))
    comment = f"Trend over {len(points)} reports, asked for by <@{request.actor.slack_id}>"
    SlackDelivery(services.client, channel, comment=comment, alt_text=describe_trend(points)).deliver(
        ExportedFile(
            name=f"trend-{points[-1].report_id}.png",
            media_type="image/png",
            size=len(picture),
            sha256=digest,
            content=io.BytesIO(picture),
        )
    )
    return None


def _event(services: Services, request: Request, points: Sequence[TrendPoint], digest: str) -> TrailEvent:
    return TrailEvent(
        kind="trend.exported",
        actor=request.actor,
        at=services.clock(),
        subject=points[-1].report_id,
        detail={"reports": len(points), "sha256": digest, "destination": said(request, "channel_id")},
    )
