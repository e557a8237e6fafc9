"""Schedules in the served bot: the clock claims what is due, the worker's lane sends it."""

from exporters.clockwork import Clockwork
from exporters.firing import Firing
from exporters.schedules import ScheduleKind
from handlers.digests import DigestSender
from handlers.fetching import PullSender
from handlers.services import Services


def make_firing(services: Services) -> Firing:
    """Return what sends a fire."""
    return Firing(
        store=services.schedules,
        clock=services.clock,
        senders={
            ScheduleKind.DIGEST: DigestSender(services),
            ScheduleKind.PULL: PullSender(services),
        },
    )


def make_clockwork(services: Services) -> Clockwork:
    """Return the clock: it claims, and leaves the sending to the worker."""

    def tick() -> None:
        for fire_id in services.scheduling.claim_due():
            services.dispatcher.submit("fire", fire_id)

    return Clockwork(services.schedules, tick)
