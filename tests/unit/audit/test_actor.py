"""Who is the same person as whom: the four-eyes rule stands on this."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.actor import POLICY, WORKER, Actor

IDENTITIES = st.sampled_from(["", " ", "A", "a", "B"])
ACTORS = st.builds(Actor, workspace=IDENTITIES, slack_id=IDENTITIES, email=IDENTITIES)
ANN = Actor(workspace="T1", slack_id="U1", email="ann@example.com")


@pytest.mark.parametrize(
    "other",
    [
        ANN,
        Actor(email="ann@example.com", origin="cli"),
        Actor(email=" Ann@Example.COM\t"),
        Actor(workspace="T1", slack_id="U1"),
        Actor(workspace="T1", slack_id="u1 "),
        Actor(slack_id="U1"),
        Actor(workspace="T2", slack_id="U9", email="ann@example.com"),
    ],
)
def test_any_identity_that_agrees_makes_the_same_person(other: Actor) -> None:
    assert ANN.is_same_person(other)


@pytest.mark.parametrize(
    "other",
    [
        Actor(),
        WORKER,
        POLICY,
        Actor(workspace="T1"),
        Actor(workspace="T1", slack_id="U2", email="bob@example.com"),
        Actor(workspace="T2", slack_id="U1"),
    ],
)
def test_people_who_share_nothing_but_a_workspace_are_different(other: Actor) -> None:
    assert not ANN.is_same_person(other)


@pytest.mark.parametrize(
    "other", [Actor(), WORKER, POLICY, Actor(slack_id=" "), Actor(email="bob@example.com")]
)
def test_to_be_unknown_in_the_same_way_is_not_to_agree(other: Actor) -> None:
    assert not Actor(email="ann@example.com").is_same_person(other)
    assert not Actor().is_same_person(other)


@given(ACTORS, ACTORS)
def test_being_the_same_person_goes_both_ways(one: Actor, other: Actor) -> None:
    assert one.is_same_person(other) == other.is_same_person(one)


@given(ACTORS)
def test_everyone_resolved_is_the_same_as_themselves(actor: Actor) -> None:
    assert actor.is_same_person(actor) or not actor.is_resolved


@pytest.mark.parametrize(
    ("actor", "is_resolved"),
    [
        (ANN, True),
        (Actor(email="ann@example.com"), True),
        (Actor(workspace="T1", slack_id="U1"), True),
        (Actor(slack_id="U1"), False),
        (Actor(workspace="T1"), False),
        (Actor(email="  "), False),
        (WORKER, False),
        (POLICY, False),
    ],
)
def test_only_who_can_be_told_apart_is_resolved(actor: Actor, is_resolved: bool) -> None:
    assert actor.is_resolved is is_resolved


def test_the_label_is_the_most_telling_name() -> None:
    assert [ANN.label, Actor(slack_id="U1").label, WORKER.label] == ["ann@example.com", "U1", "worker"]
