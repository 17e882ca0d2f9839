"""Logging: one line an entry, as text or JSON, on standard error.

:func:`info_many` logs a whole batch with one write, because a ``logger.info`` a trade takes
longer than all the rest that is done with the trade.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

#: A broker that is away makes aiokafka log some 150 lines a second, all alike.
REPEAT_INTERVAL_S = 10.0
NOISY_LOGGERS = ("aiokafka", "asyncio", "faust", "mode")
#: A server that is full has one to log for each connection it closes.
REPEATING_LOGGERS = (*NOISY_LOGGERS, "streaming.http.connections")

#: Strangers have requests refused as often as they like: 2 MB an hour, of 500 bytes a line.
ACCESS_LOGGER = "access"
FLOOD_LINES = 60
FLOOD_INTERVAL_S = 60.0

#: Where the libraries log less than we do, by our level.
LIBRARY_LEVELS = {
    "DEBUG": {"aiokafka.conn": {"level": "INFO"}},  # at DEBUG it writes the SASL password
    # At INFO they tell each step of a start, a stop and a rebalance.
    "INFO": {name: {"level": "WARNING"} for name in NOISY_LOGGERS},
}

#: What a terminal or a reader of lines would act on: control characters, what ends a line or
#: turns the direction of text, and halves of surrogate pairs, which UTF-8 cannot hold. For the
#: inside of a regular expression's brackets.
HIDDEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_HIDDEN_CHARACTER = re.compile(f"[{HIDDEN}]")
_NEEDS_QUOTES = re.compile(rf'[\s"=\\{HIDDEN}]')
_NEEDS_ESCAPE = re.compile(rf'["\\{HIDDEN}]')

_encode_json = msgspec.json.Encoder(decimal_format="number").encode


class TextFormatter(logging.Formatter):
    """``2026-11-22T12:00:00.000Z INFO logger message``."""

    def prefix(self, record: logging.LogRecord) -> str:
        """Return what stands before the message."""
        return f"{_iso(record.created)} {record.levelname} {record.name} "

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry's line. A traceback takes more lines, indented."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return self.prefix(record) + "\n  ".join(map(escape, text.split("\n")))

    def format_many(self, record: logging.LogRecord, messages: Iterable[str], _fields: Any) -> str:
        """Return a line a message; none may hold what is :data:`HIDDEN`."""
        prefix = self.prefix(record)
        return prefix + f"\n{prefix}".join(messages) + "\n"


class JSONFormatter(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message`` and more fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry's line."""
        entry = _head(record) | {"message": record.getMessage()}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return _json_line(entry)

    def format_many(
        self,
        record: logging.LogRecord,
        messages: Iterable[str],
        fields: Iterable[Mapping[str, Any]],
    ) -> str:
        """Return a line a message, with the fields that go with it."""
        head = _head(record)
        return "".join(
            _json_line({**head, "message": message, **more}) + "\n"
            for message, more in zip(messages, fields, strict=True)
        )


def quote_value(value: str) -> str:
    """Return a value of ``name=value`` as it stands, or as a JSON string if it could mislead.

    Quoted is what has blanks, quotes, equals signs, backslashes or what is :data:`HIDDEN`.
    """
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return f'"{_NEEDS_ESCAPE.sub(_escape_in_quotes, value)}"'


def _escape_in_quotes(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in '"\\' else _escape_in_json(match)


def escape(text: str) -> str:
    """Return a text with what is :data:`HIDDEN` as escapes, as Python writes them."""
    return text if text.isprintable() else _HIDDEN_CHARACTER.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _json_line(entry: Mapping[str, Any]) -> str:
    try:
        encoded = _encode_json(entry)
    except UnicodeEncodeError:
        texts = {key: escape(it) if isinstance(it, str) else it for key, it in entry.items()}
        encoded = _encode_json(texts)
    line = encoded.decode()
    if encoded.isascii() and b"\x7f" not in encoded:  # JSON escapes the others
        return line
    return _HIDDEN_CHARACTER.sub(_escape_in_json, line)


def _escape_in_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


class AtMost(logging.Filter):
    """Lets :data:`FLOOD_LINES` about refused requests through in :data:`FLOOD_INTERVAL_S`.

    The next one says how many there were besides.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._since = -FLOOD_INTERVAL_S
        self._lines = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if record.name != ACCESS_LOGGER:
            return True
        now = self._clock()
        if now - self._since >= FLOOD_INTERVAL_S:
            missing = self._lines - FLOOD_LINES
            if missing > 0:
                record.msg = f"{record.msg} (after {missing} lines that are not logged)"
            self._since = now
            self._lines = 0
        self._lines += 1
        return self._lines <= FLOOD_LINES


class NoRepeats(logging.Filter):
    """Lets warnings and errors that repeat themselves through once in :data:`REPEAT_INTERVAL_S`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if record.levelno < logging.WARNING or not record.name.startswith(REPEATING_LOGGERS):
            return True
        key = (record.name, str(record.msg))
        now = self._clock()
        if now - self._last.get(key, -REPEAT_INTERVAL_S) < REPEAT_INTERVAL_S:
            return False
        self._last[key] = now
        return True


def config(level: str, form: str) -> dict[str, Any]:
    """Return the configuration for :func:`logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"text": {"()": TextFormatter}, "json": {"()": JSONFormatter}},
        "filters": {"no_repeats": {"()": NoRepeats}, "at_most": {"()": AtMost}},
        "handlers": {
            "standard_error": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["no_repeats", "at_most"],
            }
        },
        "loggers": LIBRARY_LEVELS.get(level, {}),
        "root": {"level": level, "handlers": ["standard_error"]},
    }


def info_many(
    logger: logging.Logger,
    messages: list[str],
    fields: Callable[[], Iterable[Mapping[str, Any]]],
) -> None:
    """Log each message at INFO, as a call each would, but with one write a handler.

    The messages are written as they are: :func:`escape` is what any text of a stranger needs.
    ``fields`` returns what JSON adds to each message; it is called only if that is needed.
    A handler that is not ours gets its records one by one.

    Raises OSError if a line could not be written: the caller must not go on as if it were.
    """
    if not messages or not logger.isEnabledFor(logging.INFO):
        return
    record = _record(logger, "")
    for handler in _handlers(logger):
        formatter = handler.formatter
        if isinstance(handler, logging.StreamHandler) and isinstance(
            formatter, TextFormatter | JSONFormatter
        ):
            more = fields() if isinstance(formatter, JSONFormatter) else ()
            _write(handler, formatter.format_many(record, messages, more))
        else:
            for message in messages:
                handler.handle(_record(logger, message))


def _record(logger: logging.Logger, message: str) -> logging.LogRecord:
    return logger.makeRecord(logger.name, logging.INFO, "", 0, message, (), None)


def _handlers(logger: logging.Logger) -> Iterable[logging.Handler]:
    current: logging.Logger | None = logger
    while current is not None:
        yield from (handler for handler in current.handlers if handler.level <= logging.INFO)
        current = current.parent if current.propagate else None


def _write(handler: "logging.StreamHandler[Any]", text: str) -> None:
    handler.acquire()
    try:
        handler.stream.write(text)
        handler.flush()
    finally:
        handler.release()


def _head(record: logging.LogRecord) -> dict[str, Any]:
    return {"time": _iso(record.created), "level": record.levelname, "logger": record.name}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
