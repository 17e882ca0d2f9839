import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from trade_rules import InvalidTrade, JSONNumber, NotJSON, TradeMessage, read_object
from trading_app.parsing.form import NotAForm, read_form
from trading_app.parsing.submission import NoTopic, Rules, Submission, parse, read_json

RULES = Rules(("tradeData", "more"), max_future_ms=3_600_000)
NOW_MS = 1_700_000_000_000
FIELDS: dict[str, Any] = {
    "topic": "tradeData",
    "coinName": "BTC",
    "price": JSONNumber("91234.5"),
    "numOfCoin": "0.25",
}


def bad_fields(**changes: Any) -> list[str]:
    """Return the fields that are refused with these changes."""
    with pytest.raises(InvalidTrade) as caught:
        parse({**FIELDS, **changes}, RULES, NOW_MS)
    return [error["field"] for error in caught.value.errors]


def test_a_trade_without_a_time_is_of_now() -> None:
    trade = TradeMessage("BTC", Decimal("0.25"), Decimal("91234.5"))
    assert parse(FIELDS, RULES, NOW_MS) == Submission("tradeData", trade, NOW_MS)


@pytest.mark.parametrize("timestamp", [0, NOW_MS, NOW_MS + 3_600_000])
@pytest.mark.parametrize("kind", [JSONNumber, str])
def test_a_time_up_to_the_limit_is_taken(kind: type[str], timestamp: int) -> None:
    submission = parse({**FIELDS, "timestamp": kind(timestamp)}, RULES, NOW_MS)
    assert submission.timestamp_ms == timestamp


@pytest.mark.parametrize(
    "timestamp", ["", "1.5", "1e3", "-1", "soon", None, True, [], "9" * 70, str(NOW_MS + 3_600_001)]
)
def test_another_time_is_refused(timestamp: Any) -> None:
    assert bad_fields(timestamp=timestamp) == ["timestamp"]


AGED = replace(RULES, max_age_ms=60_000)


@pytest.mark.parametrize(
    ("timestamp", "allow_old", "fields"),
    [
        (NOW_MS - 60_000, False, []),
        (NOW_MS - 60_001, False, ["timestamp"]),
        (0, False, ["timestamp"]),
        (NOW_MS - 60_001, True, []),
        (0, True, []),
        (-1, True, ["timestamp"]),
        (NOW_MS + 3_600_001, True, ["timestamp"]),
    ],
)
def test_a_trade_older_than_the_rules_say_is_refused_unless_old_ones_are_allowed(
    timestamp: int, allow_old: bool, fields: list[str]
) -> None:
    body = json.dumps({**FIELDS, "price": 1, "numOfCoin": 1, "timestamp": timestamp}).encode()
    form = {**FIELDS, "timestamp": str(timestamp)}
    assert refused(lambda: read_json(body, AGED, NOW_MS, allow_old=allow_old)) == fields
    assert refused(lambda: parse(form, AGED, NOW_MS, allow_old=allow_old)) == fields


def refused(read: Callable[[], Submission]) -> list[str]:
    """Return the fields that are refused."""
    try:
        read()
    except InvalidTrade as error:
        return [it["field"] for it in error.errors]
    return []


def test_a_trade_without_a_time_is_never_too_old() -> None:
    assert parse(FIELDS, replace(RULES, max_age_ms=1), NOW_MS).timestamp_ms == NOW_MS


def test_only_coins_of_the_rules_are_taken() -> None:
    rules = replace(RULES, takes_coin=lambda name: name == "BTC")
    for name, fields in (("BTC", []), ("btc", ["coinName"]), ("", ["coinName"])):
        given = {**FIELDS, "coinName": name}
        body = json.dumps({**given, "price": 1, "numOfCoin": 1}).encode()
        assert refused(partial(read_json, body, rules, NOW_MS)) == fields
        assert refused(partial(parse, given, rules, NOW_MS)) == fields
    with pytest.raises(InvalidTrade, match="not one of the coins that are taken here"):
        parse({**FIELDS, "coinName": "ETH"}, rules, NOW_MS)


def test_nobody_is_asked_whether_a_name_that_is_none_is_taken() -> None:
    rules = replace(RULES, takes_coin=pytest.fail)
    for name in ("x" * 65, "", " a", "\u200b"):
        given = {**FIELDS, "coinName": name}
        body = json.dumps({**given, "price": 1, "numOfCoin": 1}).encode()
        assert refused(partial(read_json, body, rules, NOW_MS)) == ["coinName"]
        assert refused(partial(parse, given, rules, NOW_MS)) == ["coinName"]


def test_only_the_topics_of_the_rules_are_taken() -> None:
    assert parse({**FIELDS, "topic": "more"}, RULES, NOW_MS).topic == "more"
    assert bad_fields(topic="another") == ["topic"]
    assert bad_fields(topic=JSONNumber("1")) == ["topic"]
    assert bad_fields(topic=["tradeData"]) == ["topic"]
    assert bad_fields(topic=False) == ["topic"]


@pytest.mark.parametrize("topic", [None, ""])
def test_no_topic_comes_before_all_other_errors(topic: Any) -> None:
    with pytest.raises(NoTopic):
        parse({"topic": topic, "price": "x"}, RULES, NOW_MS)
    with pytest.raises(NoTopic):
        parse({}, RULES, NOW_MS)


def test_price_and_amount_are_not_swapped() -> None:
    trade = parse(FIELDS, RULES, NOW_MS).trade
    assert (trade.price, trade.numOfCoin) == (Decimal("91234.5"), Decimal("0.25"))


def test_a_form_is_read() -> None:
    body = b"coinName=%EB%B9%84%ED%8A%B8+%26&price=1&empty="
    assert read_form(body) == {"coinName": "비트 &", "price": "1", "empty": ""}


@pytest.mark.parametrize("body", [b"text", b"a=1&a=2", b"a=%ff", "a=é".encode(), b"a=1&b"])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(NotAForm):
        read_form(body)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tradeId": 7},
        {"tradeId": "a b"},
        {"timestamp": NOW_MS},
        {"timestamp": str(NOW_MS)},
        {"price": "91234.50"},
        {"note": "passed over"},
        {"coinName": 'a"b'},
        {"tradeId": "7", "timestamp": 0},
    ],
)
def test_json_is_read_alike_fast_or_with_care(change: dict[str, Any]) -> None:
    body = json.dumps({**FIELDS, "price": 91234.5, "numOfCoin": 0.25, **change}).encode()
    assert read_json(body, RULES, NOW_MS) == parse(read_object(body), RULES, NOW_MS)


@pytest.mark.parametrize(
    "change",
    [{"price": "1_000"}, {"numOfCoin": 0}, {"topic": "another"}, {"timestamp": NOW_MS * 2},
     {"timestamp": -1}, {"timestamp": 1.5}, {"tradeId": ""}, {"coinName": " "}, {"price": None}],
)  # fmt: skip
def test_bad_json_is_refused_fast_or_with_care(change: dict[str, Any]) -> None:
    body = json.dumps({**FIELDS, "price": 91234.5, "numOfCoin": 0.25, **change}).encode()
    with pytest.raises(InvalidTrade) as caught:
        read_json(body, RULES, NOW_MS)
    assert [error["field"] for error in caught.value.errors] == list(change)


def test_a_repeated_key_in_json_is_refused() -> None:
    with pytest.raises(NotJSON):
        read_json(b'{"topic":"tradeData","topic":"tradeData"}', RULES, NOW_MS)
    body = json.dumps({**FIELDS, "price": 1, "numOfCoin": 2}).encode()
    with pytest.raises(NotJSON):
        read_json(body[:-1] + b',"price":1}', RULES, NOW_MS)
