"""A house per test, and a check that it broke none of Slack's rules."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from bot.sandbox import SlackStandIn
from tests.unit.handlers.batch_house import furnish
from tests.unit.handlers.house import House, serving

MakeHouse = Callable[..., House]


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start() as standin:
        yield standin
    assert standin.violations == ()


@pytest.fixture
def make_house(slack: SlackStandIn) -> Iterator[MakeHouse]:
    with contextlib.ExitStack() as stack:

        def make(**parts: object) -> House:
            house = House(slack, **parts)  # type: ignore[arg-type]
            slack.bot_url = stack.enter_context(serving(house.app))
            return house

        yield make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house()


@pytest.fixture
def hall(house: House) -> House:
    """Return a house with many open doors."""
    return furnish(house)
