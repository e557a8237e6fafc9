"""A house per test, and a check that it broke none of Slack's rules."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from bot.sandbox import SlackStandIn
from tests.endings import Later
from tests.unit.handlers.batch_house import furnish
from tests.unit.handlers.house import House, serving

MakeHouse = Callable[..., House]


@pytest.fixture
def slack(later: Later) -> Iterator[SlackStandIn]:
    standin = SlackStandIn.start()

    def end() -> None:
        standin.stop()
        assert standin.violations == ()

    yield standin
    later(end)
    assert standin.violations == ()


@pytest.fixture
def make_house(slack: SlackStandIn, later: Later) -> Iterator[MakeHouse]:
    stack = contextlib.ExitStack()

    def make(**parts: object) -> House:
        house = House(slack, **parts)  # type: ignore[arg-type]
        slack.bot_url = stack.enter_context(serving(house))
        return house

    yield make
    later(stack.close)


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house()


@pytest.fixture
def hall(house: House) -> House:
    """Return a house with many open doors."""
    return furnish(house)
