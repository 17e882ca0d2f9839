"""What a check has found, or why it could not be done."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What came of a check; the values are what is printed."""

    CLEAN = "ok"
    FOUND = "FOUND"
    NOT_DONE = "NOT DONE"


@dataclass(frozen=True)
class Outcome:
    """``lines`` are the findings, one each, or the reason why the check was not done."""

    check: str
    state: State
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it for the terminal: a line, and one more for each finding or reason."""
        lines = [f"{self.state.value:<8}  {self.check}", *(f"    {it}" for it in self.lines)]
        return "\n".join(lines)


def clean_unless(check: str, findings: list[str]) -> Outcome:
    """Return the outcome of a check that was done."""
    return Outcome(check, State.FOUND if findings else State.CLEAN, tuple(findings))


def not_done(check: str, reason: str) -> Outcome:
    """Return the outcome of a check whose database or registry does not answer."""
    return Outcome(check, State.NOT_DONE, (reason,))


def is_failed(states: Collection[State], *, is_online: bool) -> bool:
    """Return whether an audit with these outcomes fails; online nothing may be left undone."""
    return State.FOUND in states or (is_online and State.NOT_DONE in states)
