"""One of two bots that fetch what is due from moto's Security Hub and tell it in the stand-in for Slack.

Its environment is the bot's. Each line it reads is a number of minutes: it does all that is due by then, and answers `done`.
"""

import sys
from dataclasses import replace
from datetime import datetime, timedelta

from bot.app import Bot
from bot.config import Config
from bot.scheduler import make_firing
from bot.settings import Settings
from storage import Stores
from tests.fakes.samples import NOW


def main() -> None:
    settings, now = Settings.from_environment(), NOW
    config = Config.model_validate({"policy": {"approvers": ["S0SEC"]}})
    stores = Stores.open(settings.database_url)

    def clock() -> datetime:
        return now

    services = replace(Bot(settings, config, stores).services, clock=clock)
    firing = make_firing(services)
    print("done", flush=True)  # noqa: T201 - the test reads it
    for line in sys.stdin:
        now = NOW + timedelta(minutes=int(line))
        services.scheduling.claim_due()
        for fire_id in services.schedules.waiting(now):
            firing.fire(fire_id)
        print("done", flush=True)  # noqa: T201 - the test reads it
    stores.close()


if __name__ == "__main__":
    main()
