"""How many examples a property tries that is dearer than others."""

from hypothesis import settings


def share(of_a_hundred: int) -> int:
    """Return this many of a hundred of the examples that the profile in force asks for, one at least."""
    return max(1, settings.default.max_examples * of_a_hundred // 100)
