"""A schedule that sends into the channel, on the real bot."""

import pytest

from tests.scenario.conftest import CHANNEL, Stage

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_a_schedule_is_made_and_run(http_stage: Stage) -> None:
    http_stage.slack.command(user="ana", channel=CHANNEL, text="/schedule daily 09:00 Europe/Berlin csv")
    answer = http_stage.wait_private("ana", "Scheduled:", "Next:")
    name = answer.words.split("`")[1]
    http_stage.slack.command(user="omar", channel=CHANNEL, text=f"/schedule run {name}")
    digest = http_stage.wait(
        lambda: next((m for m in http_stage.slack.messages(CHANNEL) if "Security digest" in m.words), None)
    )
    assert "plan_fix" in digest.action_ids
    http_stage.wait(lambda: http_stage.slack.thread(CHANNEL, digest.ts)[1:])
