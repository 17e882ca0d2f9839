"""A column of a table: its type, and the attribute that its value is read from."""

from typing import NamedTuple


class Column(NamedTuple):
    """A column. ``attribute`` may be nested: ``first.price``.

    ``type`` is ``Decimal``, ``int`` (64 bits) or ``str``.
    """

    name: str
    type: type
    attribute: str
    is_nullable: bool = False
