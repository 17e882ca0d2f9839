"""A coin as a whole, and its last 24 hours."""

from decimal import Decimal
from typing import NamedTuple


class Coin(NamedTuple):
    """A coin, and how many decimal places its prices and amounts have at most."""

    name: str
    price_scale: int
    amount_scale: int


class Day(NamedTuple):
    """A coin's trades summed up over 24 hours, from ``open_time`` to ``close_time`` (ms)."""

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
