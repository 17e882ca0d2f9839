"""Shares of something limited, so that no client takes all of it. Pure."""

from typing import NamedTuple

#: The part that a client may hold of what others leave, as 1 to so many.
SHARE_OF = 4


class Shares:
    """An amount of which each client may hold a quarter of what the others leave.

    The first client that takes all it can has a quarter of it, the next a quarter of the rest, and
    so on: however many there are, something is left for one more.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._held: dict[str, int] = {}

    def of(self, client: str) -> "Share":
        """Return the share of a client."""
        return Share(self, client)

    def take(self, client: str, amount: int) -> bool:
        """Count what a client takes, more than 0; return False if it may not hold so much."""
        held = self._held.get(client, 0)
        if SHARE_OF * (held + amount) > self._left + held:
            return False
        self._left -= amount
        self._held[client] = held + amount
        return True

    def give_back(self, client: str, amount: int) -> None:
        """Count what a client no longer holds."""
        self._left += amount
        held = self._held.pop(client, 0) - amount
        if held > 0:
            self._held[client] = held


class Share(NamedTuple):
    """What one client takes and gives back."""

    shares: Shares
    client: str

    def take(self, amount: int) -> bool:
        """Count what is taken, more than 0; return False if the client may not hold so much."""
        return self.shares.take(self.client, amount)

    def give_back(self, amount: int) -> None:
        """Count what is no longer held."""
        self.shares.give_back(self.client, amount)
