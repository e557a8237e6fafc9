"""The error tree: what callers may rely on when they catch."""

import pytest

from audit import errors
from audit.errors import Cause, CountersignError, PermanentActionError, TemporaryActionError


def test_every_error_is_meant_for_people() -> None:
    defined = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert len(defined) >= 11
    assert all(issubclass(kind, CountersignError) for kind in defined)


@pytest.mark.parametrize("kind", [TemporaryActionError, PermanentActionError])
def test_an_action_error_explains_itself(kind: type[errors.ActionError]) -> None:
    error = kind("put-public-access-block was denied", cause=Cause.DENIED, request_id="R-1")
    assert error.explain().startswith(
        "put-public-access-block was denied (request R-1). Next: give the bot's role"
    )
    assert str(error) == "put-public-access-block was denied"


def test_without_a_request_id_none_is_named() -> None:
    assert (
        "request" not in PermanentActionError("gone", cause=Cause.NOT_FOUND).explain().partition(". Next")[0]
    )


def test_every_cause_has_a_word_of_its_own_and_advice() -> None:
    assert len({cause.word for cause in Cause}) == len(Cause)
    assert all(cause.next_step for cause in Cause)
