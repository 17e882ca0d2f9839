import pytest

from dev.audit.outcome import Outcome, State, is_failed

CLEAN, FOUND, NOT_DONE = State.CLEAN, State.FOUND, State.NOT_DONE


def test_an_outcome_is_a_line_and_one_for_each_finding() -> None:
    assert str(Outcome("it", State.CLEAN)) == "ok        it"
    assert str(Outcome("it", State.FOUND, ("a", "b"))) == "FOUND     it\n    a\n    b"


@pytest.mark.parametrize(
    ("states", "fails", "fails_online"),
    [
        ([CLEAN, CLEAN], False, False),
        ([CLEAN, FOUND, NOT_DONE], True, True),
        ([CLEAN, NOT_DONE], False, True),
    ],
)
def test_what_was_not_done_fails_where_the_registries_are_reached(
    states: list[State], fails: bool, fails_online: bool
) -> None:
    assert is_failed(states, is_online=False) == fails
    assert is_failed(states, is_online=True) == fails_online
