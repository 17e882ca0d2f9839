"""What a column of a table holds, and what it is read from."""

from typing import NamedTuple


class Column(NamedTuple):
    """A column. ``of`` names the attribute that it is read from, with dots in between.

    Its type is ``Decimal``, ``int`` (64 bits) or ``str``.
    """

    name: str
    type: type
    of: str
    is_nullable: bool = False
