"""What the store knows of a coin as a whole."""

from decimal import Decimal
from typing import NamedTuple


class Coin(NamedTuple):
    """A coin, and how many decimal places its prices and amounts have at most."""

    name: str
    price_scale: int
    amount_scale: int


class Day(NamedTuple):
    """The trades of a coin in 24 hours, and from when to when (ms) these are."""

    coin: Coin
    open_time: int
    close_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
