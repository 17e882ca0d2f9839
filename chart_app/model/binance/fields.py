"""The fields of a format, each described once. Decimals are text, with the coin's places."""

from collections.abc import Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What values a field has."""

    TEXT = "text"
    INTEGER = "integer"
    #: ms since the epoch, or µs.
    TIME = "time"
    DECIMAL = "decimal"
    FLAG = "flag"
    TEXTS = "texts"
    TEXT_SETS = "text sets"
    #: The filters of a symbol.
    FILTERS = "filters"


class Field(NamedTuple):
    """A field: its name in REST, and its key in events; None where it is not there.

    ``attribute`` is that of the object which the format shows. Without one the value is always
    ``constant``.
    """

    name: str | None
    key: str | None
    kind: Kind
    attribute: str | None
    constant: Any = None


class Format:
    """Shows objects of a kind as objects of JSON, in REST and in events."""

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self._row = _Shower([(it.name, it) for it in fields if it.name is not None])
        self._event = _Shower([(it.key, it) for it in fields if it.key is not None])
        self._times = [it.name for it in fields if it.name and it.kind is Kind.TIME]

    def only(self, *names: str) -> "Format":
        """Return a format with some of the fields, by their names in REST."""
        return Format(*(it for it in self.fields if it.name in names))

    def row(self, source: Any, ticks_per_ms: int = 1) -> dict[str, Any]:
        """Return what REST shows, with times in ms, or in µs with 1000 ticks a ms."""
        row = self._row.show(source)
        if ticks_per_ms != 1:
            for name in self._times:
                row[name] *= ticks_per_ms
        return row

    def event(self, source: Any) -> dict[str, Any]:
        """Return what an event shows, without the fields that all events have."""
        return self._event.show(source)


class _Shower:
    def __init__(self, fields: Sequence[tuple[str, Field]]) -> None:
        self._template = {name: it.constant for name, it in fields}
        read = [(name, it.attribute) for name, it in fields if it.attribute]
        self._names = [name for name, _ in read]
        # It returns a tuple if there are two attributes or more.
        self._values = attrgetter(*(attribute for _, attribute in read)) if read else None

    def show(self, source: Any) -> dict[str, Any]:
        shown = self._template.copy()
        if self._values:
            shown.update(zip(self._names, self._values(source), strict=True))
        return shown
