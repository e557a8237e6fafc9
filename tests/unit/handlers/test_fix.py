"""The fix, from the command to the rollback, through real signed requests."""

from tests.unit.handlers.house import House


def test_the_whole_road(house: House) -> None:
    card = house.ask()
    print(card.words)
    assert card.action_ids == ("approve", "reject")

    house.click("omar", card, "approve")
    print(house.card().words)
    print([r.words for r in house.replies(card)])
    assert house.board.switches == {"door": "closed"}
    assert house.card().action_ids == ("rollback",)

    house.click("priya", house.card(), "rollback")
    assert house.board.switches == {"door": "open"}
    print(house.card().words)
    print([r.words for r in house.replies(card)])
    print(house.whispers("ana"))
