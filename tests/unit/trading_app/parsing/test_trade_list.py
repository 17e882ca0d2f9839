import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_rules import TRADE_MAX_BYTES, InvalidTrade
from trading_app.parsing.submission import Rules, TradeRecord, parse, read_json, record_of
from trading_app.parsing.trade_list import (
    MAX_TRADES,
    BadBody,
    Bulk,
    TooMany,
    split_array,
    split_lines,
)

NOW_MS = 1_700_000_000_000
RULES = Rules(("tradeData",), 3_600_000, "tradeData")
TRADE = '{"coinName":"BTC","price":91234.5,"numOfCoin":0.25}'
RECORD = TradeRecord(b"BTC", b'{"coinName":"BTC","numOfCoin":0.25,"price":91234.5}', NOW_MS)


def read(items: Any) -> Bulk:
    """Read items in two goes."""
    bulk = Bulk()
    half = len(items) // 2
    bulk.read(items[:half], RULES, NOW_MS)
    bulk.read(items[half:], RULES, NOW_MS)
    return bulk


def one_by_one(items: list[str]) -> Bulk:
    """Read items as single submissions are read."""
    bulk = Bulk()
    for index, item in enumerate(items):
        try:
            read = read_json(item.encode(), RULES, NOW_MS)
        except InvalidTrade as error:
            bulk.rejected.append({"index": index, "errors": error.errors})
        else:
            bulk.records.append(record_of(read.trade, read.timestamp_ms))
            bulk.indexes.append(index)
    bulk.count = len(items)
    return bulk


numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(["1", "0", "-1", "1e400", "1e999999999", "0.000000000000000001", "9" * 40]),
)
texts = st.one_of(
    st.text(max_size=70),
    st.sampled_from(["BTC", " BTC", "1_000", "NaN", "１", "a\tb", 'a"b', "1.50"]),
).map(json.dumps)
values = st.one_of(numbers, texts, st.sampled_from(["null", "true", "[]", "{}", '{"a":"b"}']))
names = st.sampled_from(
    ["coinName", "price", "numOfCoin", "timestamp", "tradeId", "topic", "note", "price"]
)
pairs = st.lists(st.tuples(names, values), max_size=8)
objects = pairs.map(lambda it: "{" + ", ".join(f'"{name}": {value}' for name, value in it) + "}")
good = st.builds(
    '{{"coinName":{},"price":{},"numOfCoin":"1.5"}}'.format,
    texts,
    numbers,
)
items = st.lists(st.one_of(st.just(TRADE), good, objects, values), max_size=12)


@given(items)
def test_a_list_is_read_as_its_items_are_one_by_one(items: list[str]) -> None:
    expected = one_by_one(items)
    array = "[" + " ,\n".join(items) + "]"
    assert read(split_array(array.encode())) == expected
    assert read(split_lines("\n".join(items).encode())) == expected


@given(items)
def test_every_item_is_either_sent_or_rejected(items: list[str]) -> None:
    bulk = read(split_array(f"[{','.join(items)}]".encode()))
    rejected = [rejected["index"] for rejected in bulk.rejected]
    assert sorted(bulk.indexes + rejected) == list(range(len(items)))
    assert len(bulk.records) == len(bulk.indexes)
    assert all(it["errors"] for it in bulk.rejected)


def test_a_trade_is_read() -> None:
    assert read(split_array(f"[{TRADE}]".encode())).records == [RECORD]
    assert read(split_lines(TRADE.encode())).records == [RECORD]


@pytest.mark.parametrize("topic", ["tradeData", "", None])
def test_a_trade_may_name_the_topic_it_goes_to(topic: str | None) -> None:
    trade = {**json.loads(TRADE), "topic": topic}
    assert read(split_lines(json.dumps(trade).encode())).records == [RECORD]


def test_a_trade_must_not_name_another_topic() -> None:
    trade = {**json.loads(TRADE), "topic": "more"}
    (rejected,) = read(split_lines(json.dumps(trade).encode())).rejected
    assert [error["field"] for error in rejected["errors"]] == ["topic"]


def test_empty_lines_are_passed_over() -> None:
    lines = split_lines(f"\n{TRADE}\r\n \r\n\n{TRADE}\n".encode())
    assert read(lines).indexes == [0, 1]


def test_half_a_surrogate_pair_spoils_its_line_only() -> None:
    half = TRADE.replace("BTC", "\\ud800")
    assert read(split_lines(f"{half}\n{TRADE}".encode())).indexes == [1]


@pytest.mark.parametrize("split", [split_array, split_lines])
def test_an_item_that_is_too_long_is_rejected_by_its_index(split: Any) -> None:
    long = TRADE[:-1] + " " * TRADE_MAX_BYTES + "}"
    body = f"[{long},{TRADE}]" if split is split_array else f"{long}\n{TRADE}"
    bulk = read(split(body.encode()))
    assert bulk.indexes == [1]
    detail = f"is longer than {TRADE_MAX_BYTES} bytes"
    assert bulk.rejected == [{"index": 0, "errors": [{"field": "", "detail": detail}]}]


def test_as_many_trades_as_may_be() -> None:
    most = [TRADE] * MAX_TRADES
    assert len(split_array(f"[{','.join(most)}]".encode())) == MAX_TRADES
    assert len(split_lines("\n".join(most).encode())) == MAX_TRADES
    assert len(split_lines("\n".join([*most, ""]).encode())) == MAX_TRADES


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n{}"])
def test_more_trades_than_may_be(end: str) -> None:
    more = [TRADE] * (MAX_TRADES + 1)
    with pytest.raises(TooMany, match="more than 10000 trades"):
        split_lines(("\n".join(more) + end).encode())
    with pytest.raises(TooMany):
        split_array(f"[{','.join(more)}]".encode())


def test_an_array_of_nothing_but_commas_is_not_split() -> None:
    with pytest.raises(TooMany):
        split_array(b"[" + b"0," * 1_000_000 + b"0]")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "truncated"),
        (b"{}", "Expected `array`, got `object`"),
        (b"[1,]", r"\(byte 3\)"),
        (b"[1]]", r"\(byte 4\)"),
        (b'["\\ud800"]', "truncated"),
        (b"[" * 100_000, "too deep"),
    ],
)
def test_what_is_no_array_is_refused_with_the_place(body: bytes, why: str) -> None:
    with pytest.raises(BadBody, match=why):
        split_array(body)


def test_a_submission_without_a_topic_goes_where_the_rules_say() -> None:
    fields = {"coinName": "BTC", "price": "1", "numOfCoin": "1"}
    assert parse(fields, RULES, NOW_MS).topic == "tradeData"


def test_trades_of_other_coins_are_rejected_at_their_index() -> None:
    bulk = Bulk()
    items = [
        b'{"coinName":"%s","price":1,"numOfCoin":1}' % coin for coin in (b"A", b"B", b"A", b"C")
    ]
    bulk.read([*items, b"{}"], RULES, 0, lambda coin: None if coin == "A" else "not yours")
    assert [record.key for record in bulk.records] == [b"A", b"A"]
    assert bulk.indexes == [0, 2]
    assert [it["index"] for it in bulk.rejected] == [1, 3, 4]
    assert bulk.rejected[0]["errors"] == [{"field": "coinName", "detail": "not yours"}]
