"""What a client submits: a trade, its topic and its time. Pure: no I/O, no clock."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

import trade_rules
from trade_rules import TRADE_MAX_BYTES, FieldError, InvalidTrade, TooLong, TradeMessage


class Submission(NamedTuple):
    """A valid trade with the topic it goes to and its time in ms since the epoch."""

    topic: str
    trade: TradeMessage
    timestamp_ms: int


class TradeRecord(NamedTuple):
    """A trade as the key, value and timestamp of a Kafka record."""

    key: bytes
    value: bytes
    timestamp_ms: int


def record_of(trade: TradeMessage, timestamp_ms: int) -> TradeRecord:
    """Return the Kafka record of a trade."""
    return TradeRecord(trade.coinName.encode(), trade_rules.encode(trade), timestamp_ms)


@dataclass(frozen=True, slots=True)
class Rules:
    """The topics, times and coins that a submission may have."""

    topics: Collection[str]
    #: How far in the future a trade's time may be.
    max_future_ms: int
    #: The topic of a submission that has none.
    default_topic: str | None = None
    #: How far in the past a trade's time may be; None: any time.
    max_age_ms: int | None = None
    #: Returns whether trades of a coin are taken, given a valid name; None: of any.
    takes_coin: Callable[[str], bool] | None = None


class NoTopic(ValueError):
    """The submission has no topic."""


class _Message(TradeMessage, gc=False, kw_only=True):
    topic: str | msgspec.UnsetType = msgspec.UNSET
    timestamp: int | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Message).decode


def read_json(body: bytes, rules: Rules, now_ms: int, *, allow_old: bool = False) -> Submission:
    """Parse a submission from JSON. With ``allow_old`` its time may be older than the rules say.

    Raises what :func:`parse` raises, :exc:`trade_rules.NotJSON` and :exc:`trade_rules.TooLong`.
    """
    if len(body) > TRADE_MAX_BYTES:
        raise TooLong
    return _read_plain(body, rules, now_ms, allow_old=allow_old) or parse(
        trade_rules.read_object(body), rules, now_ms, allow_old=allow_old
    )


def _read_plain(body: bytes, rules: Rules, now_ms: int, *, allow_old: bool) -> Submission | None:
    """Parse a submission in its common form, three times as fast; return None for any other."""
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
    if (
        topic
        and topic in rules.topics
        and 0 <= timestamp_ms <= now_ms + rules.max_future_ms
        and (rules.max_age_ms is None or allow_old or timestamp_ms >= now_ms - rules.max_age_ms)
        and trade_rules.is_plain(message, body, quotes)
        and (rules.takes_coin is None or rules.takes_coin(message.coinName))
    ):
        return Submission(topic, trade_rules.trade_alone(message), timestamp_ms)
    return None


def parse(
    fields: Mapping[str, Any], rules: Rules, now_ms: int, *, allow_old: bool = False
) -> Submission:
    """Return the submission that the fields of a form or a JSON object describe.

    Raises :exc:`NoTopic`, or :exc:`trade_rules.InvalidTrade` with an error for every bad field.
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
    errors += trade_rules.find_errors(fields)
    has_coin = all(error["field"] != "coinName" for error in errors)
    if rules.takes_coin and has_coin and not rules.takes_coin(fields["coinName"]):
        errors.append(trade_rules.COIN_NOT_TAKEN)
    timestamp_ms, error = _timestamp(fields, rules, now_ms, allow_old=allow_old)
    if error:
        errors.append({"field": "timestamp", "detail": error})
    if errors:
        raise InvalidTrade(errors)
    return Submission(str(topic), trade_rules.build(fields), timestamp_ms)


def _timestamp(
    fields: Mapping[str, Any], rules: Rules, now_ms: int, *, allow_old: bool
) -> tuple[int, str | None]:
    if "timestamp" not in fields:
        return now_ms, None
    timestamp_ms = trade_rules.as_integer(fields["timestamp"])
    if timestamp_ms is None or timestamp_ms < 0:
        return 0, "must be an integer: milliseconds since 1970-01-01 UTC"
    if timestamp_ms > now_ms + rules.max_future_ms:
        return 0, f"must be at most {rules.max_future_ms // 1000} s in the future"
    max_age_ms = None if allow_old else rules.max_age_ms
    if max_age_ms is not None and timestamp_ms < now_ms - max_age_ms:
        return 0, f"must be at most {max_age_ms // 1000} s in the past"
    return timestamp_ms, None
