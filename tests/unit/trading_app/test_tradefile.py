import gzip
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import Trade
from trading_app.tradefile import (
    LINE_MAX_CHARS,
    NotATradeFile,
    RefusedRow,
    Row,
    _read_plain,
    _read_row,
    lines_of,
    open_file,
    parse_time,
    read,
)

HEADER = "symbol,price,amount,timestamp"
LATEST_MS = 1_700_000_000_000


def rows_of(lines: Iterable[str]) -> Iterator[Row | RefusedRow]:
    """Read lines at a fixed time."""
    return read(lines, LATEST_MS)


def test_a_trade_of_the_future_is_refused() -> None:
    now, later = rows_of([HEADER, "BTC,1,2,1700000000000", "BTC,1,2,1700000000001"])
    assert isinstance(now, Row)
    assert later == RefusedRow(3, "timestamp: is too far in the future")


@pytest.mark.parametrize(
    "header",
    [
        "coinName,price,numOfCoin,timestamp,tradeId",
        "symbol,price,amount,timestamp,id",
        "SYMBOL, Price ,quantity,TIMESTAMP,ID",
    ],
)
def test_columns_have_several_names(header: str) -> None:
    trade = Trade("BTC", Decimal(2), Decimal(1), "7")
    assert list(rows_of([header, "BTC,1,2,1700000000,7"])) == [Row(2, trade, 1_700_000_000_000)]


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


@given(cells)
def test_a_line_is_read_alike_fast_or_with_care(line: list[str]) -> None:
    plain = _read_plain(7, line, PLACES, LATEST_MS)
    assert plain is None or plain == _read_row(7, line, PLACES, LATEST_MS)


@pytest.mark.parametrize("trade_id", ["", "17", "a-b"])
def test_nearly_all_lines_are_read_fast(trade_id: str) -> None:
    line = ["BTC-USD", "25741.02", "0.02188038", "2023-09-05T16:00:01.281719Z", trade_id]
    assert _read_plain(7, line, PLACES, LATEST_MS)


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
