import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from chart_app.storage import schema
from chart_app.storage.rows.values import SIZES, Statement, insert_new, parts, repeat_row, upsert


def test_a_row_is_repeated() -> None:
    sql = "WITH wanted(a) AS (VALUES (?, ?)) SELECT 1"
    assert repeat_row(sql, 3) == "WITH wanted(a) AS (VALUES (?, ?), (?, ?), (?, ?)) SELECT 1"
    assert repeat_row(sql, 1) == sql


@given(st.integers(0, 6000))
def test_the_parts_are_all_rows_in_order_in_few_sizes(count: int) -> None:
    rows = [(number,) for number in range(count)]
    cut = list(parts(rows))
    assert [row for part in cut for row in part] == rows
    assert all(len(part) in SIZES for part in cut[:-1])
    assert all(cut)


DIALECT = sqlite.dialect()
CANDLE_KEY = list(schema.candles.primary_key)


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        (insert_new(schema.trades, DIALECT), 6),
        (upsert(schema.candles, CANDLE_KEY, DIALECT), 16),
        (upsert(schema.coins, [schema.coins.c.coin], DIALECT), 4),
    ],
)
def test_a_statement_of_most_rows_has_as_many_parameters_as_sqlite_takes(
    statement: Statement, columns: int
) -> None:
    assert statement._text(SIZES[0]).count("?") == SIZES[0] * columns <= 32_766
