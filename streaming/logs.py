"""Logging to standard error, one line per record, as text or JSON.

:func:`info_many` logs a whole batch with one write: a ``logger.info`` per message takes longer
than all other processing of a Kafka record.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from streaming.redaction import redact

#: While a broker is down, aiokafka logs some 150 equal lines a second.
REPEAT_INTERVAL_S = 10.0
NOISY_LOGGERS = ("aiokafka", "asyncio", "faust", "mode")
#: A server at its connection limit logs a line for each new connection.
REPEATING_LOGGERS = (*NOISY_LOGGERS, "streaming.http.connections")

#: Clients can cause any number of refused requests. This limits their log to 2 MB an hour, at
#: 500 bytes a line.
ACCESS_LOGGER = "access"
FLOOD_LINES = 60
FLOOD_INTERVAL_S = 60.0

#: The libraries' log levels, by ours, where they differ.
LIBRARY_LEVELS = {
    "DEBUG": {"aiokafka.conn": {"level": "INFO"}},  # at DEBUG it logs the SASL password
    # At INFO they log each step of a start, a stop and a rebalance.
    "INFO": {name: {"level": "WARNING"} for name in NOISY_LOGGERS},
}

#: Characters that a terminal or a line parser would interpret, as the inside of a regular
#: expression's brackets: control characters, line separators, changes of the text's direction,
#: and lone surrogates, which UTF-8 cannot encode.
HIDDEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_HIDDEN_CHARACTER = re.compile(f"[{HIDDEN}]")
_NEEDS_QUOTES = re.compile(rf'[\s"=\\{HIDDEN}]')
_NEEDS_ESCAPE = re.compile(rf'["\\{HIDDEN}]')

_encode_json = msgspec.json.Encoder(decimal_format="number").encode


class TextFormatter(logging.Formatter):
    """``2026-11-22T12:00:00.000Z INFO logger message``."""

    def prefix(self, record: logging.LogRecord) -> str:
        """Return the part of the line before the message."""
        return f"{_iso(record.created)} {record.levelname} {record.name} "

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record. A traceback adds lines, indented."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        text = redact(text)
        return self.prefix(record) + "\n  ".join(map(escape, text.split("\n")))

    def format_many(self, record: logging.LogRecord, messages: Iterable[str], _fields: Any) -> str:
        """Return one line per message; none may contain :data:`HIDDEN` characters."""
        prefix = self.prefix(record)
        return prefix + f"\n{prefix}".join(messages) + "\n"


class JSONFormatter(logging.Formatter):
    """One JSON object per line: ``time``, ``level``, ``logger``, ``message`` and more fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        entry = _head(record) | {"message": redact(record.getMessage())}
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        return _json_line(entry)

    def format_many(
        self,
        record: logging.LogRecord,
        messages: Iterable[str],
        fields: Iterable[Mapping[str, Any]],
    ) -> str:
        """Return one line per message, each with its additional fields."""
        head = _head(record)
        return "".join(
            _json_line({**head, "message": message, **more}) + "\n"
            for message, more in zip(messages, fields, strict=True)
        )


def quote_value(value: str) -> str:
    """Return the value of a ``name=value`` pair unchanged, or as a JSON string if ambiguous.

    Ambiguous are blanks, quotes, equals signs, backslashes and :data:`HIDDEN` characters.
    """
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return f'"{_NEEDS_ESCAPE.sub(_escape_in_quotes, value)}"'


def _escape_in_quotes(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in '"\\' else _escape_in_json(match)


def escape(text: str) -> str:
    """Return a text with :data:`HIDDEN` characters replaced by Python's escapes."""
    return text if text.isprintable() else _HIDDEN_CHARACTER.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _json_line(entry: Mapping[str, Any]) -> str:
    try:
        encoded = _encode_json(entry)
    except UnicodeEncodeError:
        escaped = {
            key: escape(value) if isinstance(value, str) else value for key, value in entry.items()
        }
        encoded = _encode_json(escaped)
    line = encoded.decode()
    if encoded.isascii() and b"\x7f" not in encoded:  # JSON escapes all others in ASCII
        return line
    return _HIDDEN_CHARACTER.sub(_escape_in_json, line)


def _escape_in_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


class FloodFilter(logging.Filter):
    """Passes at most :data:`FLOOD_LINES` on refused requests per :data:`FLOOD_INTERVAL_S`.

    The next line that passes says how many were dropped.
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
            dropped = self._lines - FLOOD_LINES
            if dropped > 0:
                record.msg = f"{record.msg} (after {dropped} lines that are not logged)"
            self._since = now
            self._lines = 0
        self._lines += 1
        return self._lines <= FLOOD_LINES


class RepeatFilter(logging.Filter):
    """Passes repeated warnings and errors only once per :data:`REPEAT_INTERVAL_S`."""

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


class RetryFilter(logging.Filter):
    """Makes warnings of errors that aiokafka gets over by itself: it asks again."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if (
            record.levelno == logging.ERROR
            and record.name.startswith("aiokafka")
            and any(getattr(it, "retriable", False) for it in record.args or ())
        ):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            return logging.root.isEnabledFor(logging.WARNING)
        return True


def config(level: str, form: str) -> dict[str, Any]:
    """Return the configuration for :func:`logging.config.dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"text": {"()": TextFormatter}, "json": {"()": JSONFormatter}},
        "filters": {
            "retry": {"()": RetryFilter},
            "repeat": {"()": RepeatFilter},
            "flood": {"()": FloodFilter},
        },
        "handlers": {
            "standard_error": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["retry", "repeat", "flood"],
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
    """Log each message at INFO, as ``logger.info`` would, but with one write per handler.

    Messages are written unchanged: text from outside must have passed :func:`escape`.
    ``fields`` returns the additional JSON fields of each message; it is called only for JSON.
    A handler with another formatter gets the records one by one.

    Raises OSError if a line could not be written: the caller must not treat it as logged.
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
