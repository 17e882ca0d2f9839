"""A coin as a whole, and its trades of a window of time."""

from decimal import Decimal
from typing import NamedTuple

from chart_app.model.scale import Scale


class Coin(NamedTuple):
    """A coin, and how many decimal places its prices and amounts have at most."""

    name: str
    price_scale: int
    amount_scale: int

    @property
    def scale(self) -> Scale:
        """Return both numbers of decimal places."""
        return Scale(self.price_scale, self.amount_scale)


class Window(NamedTuple):
    """A coin's trades summed up, from ``open_time`` to ``close_time`` (ms).

    ``last_time`` is that of its last trade, ``last_amount`` the amount; ``previous_close`` is the
    price of the last trade before. They are None if there is none, or none is stored.
    """

    coin: Coin
    open_time: int
    close_time: int
    last_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    first_id: int
    last_id: int
    previous_close: Decimal | None
    last_amount: Decimal | None
