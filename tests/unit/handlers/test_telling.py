"""A playbook that tells a channel, by its card: asked for, approved, told once, put back without a second word."""

from bot.app import Bot
from bot.config import Config
from bot.settings import Settings
from handlers.messenger import SlackMessenger
from remediation.actions.notification import Notify
from remediation.actions.registry import ActionRegistry
from remediation.planning import Planner
from tests.databases import stores_in_memory
from tests.fakes.switches import Switch
from tests.unit.handlers.house import CHANNEL, House, door_playbook

SAID = "board/door is closed now"


def furnish(house: House) -> House:
    """Give the house's playbook a message to send."""
    book = door_playbook()
    book.add_action(
        "tell",
        "notification",
        {"type": "slack", "channel": CHANNEL, "message": "{{ finding.resource }} is closed now"},
    )
    planner = Planner(
        ActionRegistry([Switch(house.board), Notify(SlackMessenger(house.client), {})]), house.policy
    )
    house.services.playbooks[book.playbook_id] = book  # type: ignore[index]
    object.__setattr__(house.services.remediation, "planner", planner)
    object.__setattr__(house.services.runner, "planner", planner)
    return house


def told(house: House) -> int:
    return [message.words for message in house.cards()].count(SAID)


def test_the_channel_is_told_once_and_the_fix_can_be_put_back(house: House) -> None:
    card = furnish(house).ask()
    assert f"not sent → {SAID}" in card.words
    assert "what was sent stays sent" in card.words
    assert told(house) == 0
    house.click("omar", card, "approve")
    assert house.board.switches == {"door": "closed"}
    assert told(house) == 1
    done = house.slack.message(CHANNEL, card.ts)
    house.click("omar", done, "rollback")
    assert house.board.switches == {"door": "open"}
    assert told(house) == 1
    assert house.slack.violations == ()


def test_the_served_bot_speaks_with_its_own_client() -> None:
    config = Config.model_validate({"policy": {"approvers": ["S0SEC"]}})
    bot = Bot(Settings.from_environment(), config, stores_in_memory())
    try:
        registry = bot.services.remediation.planner.registry
        [notify] = [action for action in registry.actions() if isinstance(action, Notify)]
        assert notify._messenger == SlackMessenger(bot.services.client)
        assert bot.services.runner.planner is bot.services.remediation.planner
    finally:
        bot.page.threads.shutdown()
        bot._stores.close()
