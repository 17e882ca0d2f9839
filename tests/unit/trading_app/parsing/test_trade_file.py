import gzip
import io
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_rules import TradeMessage
from trading_app.parsing.trade_file import (
    LINE_MAX_CHARS,
    FileRules,
    NotATradeFile,
    NoTrade,
    NotUTF8,
    ReadOnce,
    RefusedRow,
    Row,
    TimeRange,
    lines_of,
    open_file,
    parse_time,
    read,
    shifted,
)

HEADER = "symbol,price,amount,timestamp"
LATEST_MS = 1_700_000_000_000


def rows_of(lines: Iterable[str]) -> Iterator[Row | RefusedRow]:
    """Read lines at a fixed time."""
    return read(lines, FileRules(lambda: LATEST_MS))


def test_a_trade_of_the_future_is_refused() -> None:
    now, later = rows_of([HEADER, "BTC,1,2,1700000000000", "BTC,1,2,1700000000001"])
    assert isinstance(now, Row)
    assert later == RefusedRow(3, "timestamp: is too far in the future")


def test_what_is_the_future_is_asked_line_by_line() -> None:
    times = iter([1_700_000_000_000, 1_700_000_000_001])
    lines = [HEADER, "BTC,1,2,1700000000000", "BTC,1,2,1700000000001"]
    assert all(isinstance(it, Row) for it in read(lines, FileRules(lambda: next(times))))


def test_a_coin_that_is_not_taken_is_refused() -> None:
    lines = [HEADER, "BTC,1,2,1700000000000", "ETH,1,2,1700000000000"]
    taken, refused = read(lines, FileRules(takes_coin=lambda name: name == "BTC"))
    assert isinstance(taken, Row)
    told = "coinName: is not one of the coins that are taken here (COINS)"
    assert refused == RefusedRow(3, told)


@pytest.mark.parametrize(
    "header",
    [
        "coinName,price,numOfCoin,timestamp,tradeId",
        "symbol,price,amount,timestamp,id",
        "SYMBOL, Price ,quantity,TIMESTAMP,ID",
        "symbol,price,qty,time,id",
        "symbol,price,Size,Time,id",
    ],
)
def test_columns_have_several_names(header: str) -> None:
    trade = TradeMessage("BTC", Decimal(2), Decimal(1), "7")
    assert list(rows_of([header, "BTC,1,2,1700000000,7"])) == [Row(2, trade, 1_700_000_000_000)]


def test_of_several_columns_that_fit_the_first_name_of_the_list_counts() -> None:
    header = "id,tradeId,symbol,coinName,price,size,qty,quantity,amount,numOfCoin,time,timestamp"
    trade = TradeMessage("BTC", Decimal(1), Decimal(9), "first")
    rows = rows_of([header, "second,first,ETH,BTC,9,5,4,3,2,1,1600000000,1500000000"])
    assert list(rows) == [Row(2, trade, 1_500_000_000_000)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp949"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_file_in_another_encoding_is_refused_with_what_to_do(
    tmp_path: Path, name: str, encoding: str
) -> None:
    text = f"{HEADER}\n비트코인,1,2,1700000000\n".encode(encoding)
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    with open_file(str(path)) as lines, pytest.raises(NotUTF8, match=r"not in UTF-8.* iconv "):
        list(rows_of(lines))


def test_other_columns_are_passed_over_and_an_empty_id_is_none() -> None:
    rows = rows_of(
        ["id,side," + HEADER, ",buy,BTC,1,2,1700000000", "", "9,sell,BTC,1,2,1700000000"]
    )
    assert [row.trade.tradeId for row in rows if isinstance(row, Row)] == [None, "9"]


@pytest.mark.parametrize(
    ("text", "timestamp_ms"),
    [
        ("2023-09-05T16:00:01.281719Z", 1_693_929_601_281),
        ("2023-09-05 18:00:01+02:00", 1_693_929_601_000),
        ("2023-09-05T16:00:01", 1_693_929_601_000),
        ("1693929601", 1_693_929_601_000),
        ("1693929601.2817", 1_693_929_601_281),
        ("1693929601281", 1_693_929_601_281),
        ("1693929601281719", 1_693_929_601_281),
        ("1693929601281719000", 1_693_929_601_281),
        ("0", 0),
    ],
)
def test_times_come_in_several_forms(text: str, timestamp_ms: int) -> None:
    assert parse_time(text) == timestamp_ms


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "NaN", "Infinity", "1e30", "1969-12-31T00:00:00Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_time(text)


def test_refused_lines_say_where_and_why() -> None:
    rows = list(rows_of([HEADER, "BTC,1,2,1700000000", "BTC,x,0,soon", "BTC"]))
    assert isinstance(rows[0], Row)
    assert rows[1:] == [
        RefusedRow(
            3,
            "timestamp: must be ISO 8601 or a number since 1970; price: must be a number; "
            "numOfCoin: must be at least 1e-18 and below 1e18, in at most 38 digits",
        ),
        RefusedRow(4, "has too few columns"),
    ]


@pytest.mark.parametrize("header", [[], ["a,b"], ["symbol,price,timestamp"]])
def test_a_file_without_the_columns_is_refused(header: list[str]) -> None:
    with pytest.raises(NotATradeFile):
        list(rows_of(header))


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    text = f"\ufeff{HEADER}\r\nBTC,1,2,0\r\n".encode()
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    for path in (plain, packed):
        with open_file(str(path)) as lines:
            assert len(list(rows_of(lines))) == 1


def span_of(tmp_path: Path, *lines: str) -> TimeRange:
    """Return the span of a file with these lines under the header."""
    path = tmp_path / "trades.csv"
    path.write_text("\n".join([HEADER, *lines]))
    with open_file(str(path)) as file:
        span = TimeRange.of(file)
        assert len(list(read(file, FileRules(lambda: LATEST_MS)))) == len(lines), (
            "it can be read again"
        )
    return span


def test_a_span_is_of_the_first_and_the_latest_trade(tmp_path: Path) -> None:
    rows = ["A,x,1,5", "A,1,1,1700000050", "A,1,1,1700000090", "A,1,1,1700000060"]
    assert span_of(tmp_path, *rows) == (1_700_000_050_000, 1_700_000_090_000)


def test_a_span_needs_a_trade_and_a_file_that_can_be_read_again(tmp_path: Path) -> None:
    with pytest.raises(NoTrade, match="no line of the file is a trade"):
        span_of(tmp_path, "A,x,1,5")
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as pipe, pytest.raises(ReadOnce, match="save it to a file first"):
        TimeRange.of(pipe)


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("speed", "first_ms", "latest_ms"),
    [
        (inf, LATEST_MS - HOUR_MS, LATEST_MS),
        (60, LATEST_MS + 60_000 - HOUR_MS, LATEST_MS + 60_000),
        (1, LATEST_MS, LATEST_MS + HOUR_MS),
        (0.5, LATEST_MS, LATEST_MS + HOUR_MS),
    ],
)
def test_times_are_moved_so_that_the_replay_ends_now(
    speed: float, first_ms: int, latest_ms: int
) -> None:
    span = TimeRange(1_500_000_000_000, 1_500_000_000_000 + HOUR_MS)
    shift_ms = span.shift_ms(speed, LATEST_MS)
    assert (span.first_ms + shift_ms, span.latest_ms + shift_ms) == (first_ms, latest_ms)


times = st.integers(0, 4_000_000_000_000)


@given(st.lists(times, min_size=1), st.floats(0.001, 1e9) | st.just(inf), times)
def test_no_trade_that_is_moved_is_of_the_future_when_it_is_sent(
    file_ms: list[int], speed: float, start_ms: int
) -> None:
    span = TimeRange(file_ms[0], max(file_ms))
    shift_ms = span.shift_ms(speed, start_ms)
    for ms in file_ms:
        sent_ms = start_ms + max(0, ms - span.first_ms) / speed
        assert ms + shift_ms <= sent_ms + 1, "but for half a ms of rounding"


def test_a_trade_that_is_moved_has_no_id_and_is_not_before_1970() -> None:
    trade = TradeMessage("BTC", Decimal(2), Decimal(1), "7")
    rows: list[Row | RefusedRow] = [Row(2, trade, 10), RefusedRow(3, "no"), Row(4, trade, 9)]
    assert list(shifted(rows, -10)) == [
        Row(2, TradeMessage("BTC", Decimal(2), Decimal(1)), 0),
        RefusedRow(3, "no"),
        RefusedRow(4, "timestamp: would be before 1970 after the shift"),
    ]


PLACES = {"coinName": 0, "price": 1, "numOfCoin": 2, "timestamp": 3, "tradeId": 4}
cells = st.lists(
    st.one_of(
        st.sampled_from(["BTC", " BTC", "", "0", "0.0", "1", "007.50", "1.", ".5", "1e3", "1_0"]),
        st.sampled_from(["1700000000000", "1700000000001", "0700000000000", "1700000000", "１"]),
        st.sampled_from(["2023-09-05T16:00:01.281719Z", "1969-01-01", "9" * 19, "0." + "0" * 19]),
        st.text(max_size=70),
    ),
    min_size=3,
    max_size=5,
)


def test_a_line_that_is_too_long_is_not_read_as_a_whole() -> None:
    longest = "x" * (LINE_MAX_CHARS - 1) + "\n"
    file = io.StringIO(longest + "y" * 10 * LINE_MAX_CHARS)
    lines = lines_of(file)
    assert next(lines) == longest
    with pytest.raises(NotATradeFile, match="longer than 131072 characters"):
        next(lines)
    assert file.tell() <= 2 * LINE_MAX_CHARS + 1


def test_a_head_that_is_none_is_shown_in_part_and_without_control_characters() -> None:
    with pytest.raises(NotATradeFile) as raised:
        list(rows_of(["\x1b[2J" + "x" * 10_000]))
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400
