"""Who does what, and when, in a history of fixes: what the machine of `test_states_machine` draws from."""

from dataclasses import dataclass

from hypothesis import strategies as st

from audit.actor import Actor
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA
from tests.faults.promises import LENA

# Those who may come more often: most of what people do has to go well, or no life gets far.
PEOPLE = st.sampled_from([OMAR, PRIYA, LENA, OMAR, PRIYA, LENA, ANA, OTTO])
CUTS = st.sampled_from([-1, -1, *range(14)])
NAMES = ("door", "window")
VALUES = ("open", "closed", "ajar")
PROCESSES = st.sampled_from(["one", "two", "three"])


@dataclass(frozen=True)
class Between:
    """What somebody else does in the middle of a run or a rollback, at its n-th call to the cloud; `at` -1: nothing."""

    at: int
    what: str
    who: Actor


WHATS = ("join", "review", "approve", "reject", "glass", "back", "refuse back", "recover", "recover")
WORDS = st.sampled_from(WHATS)
# Whoever tries to break the glass before people sign, if anybody.
GLASS_TOO = st.sampled_from([None, None, ANA, OTTO, OMAR])
BETWEEN = st.builds(
    Between,
    at=st.sampled_from([-1, *range(10)]),
    what=WORDS,
    who=PEOPLE,
)
WORK = {"back", "recover"}  # of these, what a process does and not a person alone
CALM = Between(-1, "join", ANA)


@dataclass(frozen=True)
class Turn:
    """A process at work: which, at which call to the cloud it dies (-1: at none), and what comes between."""

    process: str = "one"
    cut_at: int = -1
    between: Between = CALM


TURNS = st.builds(Turn, PROCESSES, CUTS, BETWEEN)
