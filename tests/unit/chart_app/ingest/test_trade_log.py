import json
import logging
import re
from decimal import Decimal

import pytest
from aiokafka.record.default_records import DefaultRecord
from hypothesis import given
from hypothesis import strategies as st

import trade_rules
from chart_app.ingest.trade_log import fields, lines
from chart_app.model.decoder import decode
from chart_app.model.times import format_time
from streaming.kafka.batch import Batch
from streaming.logs import HIDDEN, JSONFormatter, TextFormatter, quote_value
from trade_rules import TradeMessage

RECORD = DefaultRecord(1234, 1_795_348_800_000, 0, b"BTC", b"", [])
BATCH = Batch("tradeData", 2, [RECORD])
TRADE = TradeMessage("BTC", Decimal("0.25"), Decimal("91234.5"))


def line(trade: TradeMessage) -> str:
    """Return the line of one trade."""
    record = DefaultRecord(RECORD.offset, RECORD.timestamp, 0, b"", trade_rules.encode(trade), [])
    (text,) = lines(BATCH, decode(0, [record]).trades)
    return text


def test_a_line_says_where_and_what() -> None:
    assert line(TRADE) == (
        "trade topic=tradeData partition=2 offset=1234 coinName=BTC price=91234.5 "
        "numOfCoin=0.25 time=2026-11-22T12:00:00.000Z"
    )
    assert line(TradeMessage("BTC", Decimal(1), Decimal(2), 7)).endswith("Z tradeId=7")


def test_digits_are_logged_as_they_came() -> None:
    trade = TradeMessage("BTC", Decimal("3.844E-5"), Decimal("0.1234567890123456789"))
    assert "price=0.1234567890123456789 numOfCoin=0.00003844 " in line(trade)


ANYTHING = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64) | st.sampled_from(
    ["\x1b[2J", "a\rb", "\x9b1m", "a\u2028", "\u202ea", "\x00", "\x85", "비트\x7f", "a\u2069b"]
)


@pytest.mark.parametrize("formatter", [TextFormatter(), JSONFormatter()])
@given(st.lists(st.tuples(ANYTHING, ANYTHING), max_size=3))
def test_no_trade_brings_into_the_log_what_a_terminal_would_act_on(
    formatter: TextFormatter | JSONFormatter, submitted: list[tuple[str, str]]
) -> None:
    values = [
        json.dumps({"coinName": name, "price": 1, "numOfCoin": 1, "tradeId": trade_id}).encode()
        for name, trade_id in submitted
    ]
    taken = decode(0, [DefaultRecord(n, 0, 0, None, it, []) for n, it in enumerate(values)])
    facts = [fields(BATCH, it, trade_rules.decode(it.value)) for it in taken.valid]
    entry = logging.LogRecord("chart_app.trades", logging.INFO, "", 0, "", (), None)
    written = formatter.format_many(entry, lines(BATCH, taken.trades), facts) if facts else ""
    assert not re.search(f"[{HIDDEN}]", written.replace("\n", ""))
    assert written.count("\n") == len(facts)


@given(st.text(min_size=1))
def test_no_text_can_forge_a_line_or_a_field(text: str) -> None:
    quoted = quote_value(text)
    assert len(quoted.splitlines()) == 1
    if quoted.startswith('"'):
        assert json.loads(quoted) == text
    else:
        assert quoted == text
        assert not any(character.isspace() or character in '"=' for character in quoted)


@pytest.mark.parametrize("plain", ["BTC", "BTC-USD", "비트코인", "👩‍🚀", "a/b:c", "é"])
def test_ordinary_names_stand_without_quotes(plain: str) -> None:
    assert quote_value(plain) == plain


def test_quotes_and_backslashes_are_escaped() -> None:
    assert quote_value('a "b" \\ c') == r'"a \"b\" \\ c"'
    assert quote_value("a\nb\u2028c\u202e") == r'"a\u000ab\u2028c\u202e"'


def test_fields_hold_the_same_facts() -> None:
    assert fields(BATCH, RECORD, TRADE) == {
        "topic": "tradeData",
        "partition": 2,
        "offset": 1234,
        "coinName": "BTC",
        "price": Decimal("91234.5"),
        "numOfCoin": Decimal("0.25"),
        "tradeTime": "2026-11-22T12:00:00.000Z",
    }
    assert fields(BATCH, RECORD, TradeMessage("BTC", Decimal(1), Decimal(2), "x"))["tradeId"] == "x"


@pytest.mark.parametrize(
    ("timestamp_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_iso_8601(timestamp_ms: int, text: str) -> None:
    assert format_time(timestamp_ms) == text
