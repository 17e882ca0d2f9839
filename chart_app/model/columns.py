"""A column of a table: its type, and the attribute that its value is read from."""

from enum import Enum
from typing import NamedTuple


class Measure(Enum):
    """What a decimal measures, which says how many decimal places it has for a coin."""

    PRICE = "price"
    AMOUNT = "amount"
    #: Price times amount.
    TURNOVER = "turnover"


class Column(NamedTuple):
    """A column. ``attribute`` may be nested: ``first.price``.

    ``type`` is ``Decimal``, ``int`` (64 bits) or ``str``.
    """

    name: str
    type: type
    attribute: str
    measure: Measure | None = None
    is_nullable: bool = False
