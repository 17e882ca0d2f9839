"""What a client submits: a trade, its topic and its time. Pure: no I/O, no clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

import records
from records import TRADE_MAX_BYTES, FieldError, InvalidTrade, Message, TooLong, Trade

FORM_MAX_FIELDS = 100


class Submission(NamedTuple):
    """A valid trade with the topic it goes to and its time in ms since the epoch."""

    topic: str
    trade: Trade
    timestamp_ms: int


class Record(NamedTuple):
    """A trade as it is sent."""

    key: bytes
    value: bytes
    timestamp_ms: int


def record_of(trade: Trade, timestamp_ms: int) -> Record:
    """Return a trade as it is sent."""
    return Record(trade.coinName.encode(), records.encode(trade), timestamp_ms)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a submission may name."""

    topics: Collection[str]
    #: How far ahead of now a trade may be.
    max_future_ms: int
    #: Where a trade goes that names no topic.
    default_topic: str | None = None


class NoTopic(ValueError):
    """The submission names no topic."""


class NotAForm(ValueError):
    """The body is not ``application/x-www-form-urlencoded``."""


def read_form(body: bytes) -> dict[str, str]:
    """Read the fields of a form. Raises :exc:`NotAForm`, also for a field that stands twice."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FORM_MAX_FIELDS,
        )
    except ValueError as error:
        raise NotAForm(str(error)) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise NotAForm("a field stands twice")
    return fields


class _Message(Message, gc=False, kw_only=True):
    topic: str | msgspec.UnsetType = msgspec.UNSET
    timestamp: int | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Message).decode


def read_json(body: bytes, rules: Rules, now_ms: int) -> Submission:
    """Read a submission from JSON.

    Raises as :func:`parse` does, and :exc:`records.NotJSON`, :exc:`records.TooLong`.
    """
    if len(body) > TRADE_MAX_BYTES:
        raise TooLong
    return _read_plain(body, rules, now_ms) or parse(records.read_object(body), rules, now_ms)


def _read_plain(body: bytes, rules: Rules, now_ms: int) -> Submission | None:
    """Read a submission that is as nearly all are, three times as fast; else return None."""
    try:
        message = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    quotes = 0
    topic: str | msgspec.UnsetType | None = message.topic
    if topic is msgspec.UNSET:
        topic = rules.default_topic
    else:
        quotes += 4
    timestamp_ms = message.timestamp
    if timestamp_ms is msgspec.UNSET:
        timestamp_ms = now_ms
    else:
        quotes += 2
    if topic and topic in rules.topics and 0 <= timestamp_ms <= now_ms + rules.max_future_ms:
        trade = records.plain_trade(message, body, quotes)
        if trade is not None:
            return Submission(topic, trade, timestamp_ms)
    return None


def parse(fields: Mapping[str, Any], rules: Rules, now_ms: int) -> Submission:
    """Make a submission of the fields of a form or a JSON object.

    Raises :exc:`NoTopic`, or :exc:`records.InvalidTrade` with every bad field.
    """
    topic = fields.get("topic")
    if topic is None or topic == "":
        topic = rules.default_topic
    if topic is None:
        raise NoTopic
    errors: list[FieldError] = []
    if topic not in rules.topics:
        allowed = ", ".join(rules.topics)
        errors.append({"field": "topic", "detail": f"must be one of: {allowed}"})
    errors += records.find_errors(fields)
    timestamp_ms, error = _timestamp(fields, rules, now_ms)
    if error:
        errors.append({"field": "timestamp", "detail": error})
    if errors:
        raise InvalidTrade(errors)
    return Submission(str(topic), records.build(fields), timestamp_ms)


def _timestamp(fields: Mapping[str, Any], rules: Rules, now_ms: int) -> tuple[int, str | None]:
    if "timestamp" not in fields:
        return now_ms, None
    timestamp_ms = records.as_integer(fields["timestamp"])
    if timestamp_ms is None or timestamp_ms < 0:
        return 0, "must be an integer: milliseconds since 1970-01-01 UTC"
    if timestamp_ms > now_ms + rules.max_future_ms:
        return 0, f"must be at most {rules.max_future_ms // 1000} s in the future"
    return timestamp_ms, None
