from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect, Table, make_url

from chart_app.storage import schema
from chart_app.storage.statements import SIZES, Statement, insert_new, parts, repeat_row, upsert

POSTGRESQL = "INSERT INTO t (a, b) VALUES ($1, $2::NUMERIC) ON CONFLICT DO NOTHING"


def test_a_row_is_repeated_and_its_parameters_are_numbered_on() -> None:
    repeated = "INSERT INTO t (a, b) VALUES ($1, $2::NUMERIC), ($3, $4::NUMERIC), ($5, $6::NUMERIC)"
    assert repeat_row(POSTGRESQL, 3) == f"{repeated} ON CONFLICT DO NOTHING"
    assert repeat_row(POSTGRESQL, 1) == POSTGRESQL


def test_a_row_of_question_marks_is_repeated_as_it_is() -> None:
    sql = "WITH wanted(a) AS (VALUES (?, ?)) SELECT 1"
    assert repeat_row(sql, 2) == "WITH wanted(a) AS (VALUES (?, ?), (?, ?)) SELECT 1"


@given(st.integers(0, 6000))
def test_the_parts_are_all_rows_in_order_in_few_sizes(count: int) -> None:
    rows = [(number,) for number in range(count)]
    cut = list(parts(rows))
    assert [row for part in cut for row in part] == rows
    assert all(len(part) in SIZES for part in cut[:-1])
    assert all(cut)


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+asyncpg://"])
@pytest.mark.parametrize("make", [insert_new, upsert])
@pytest.mark.parametrize("table", [schema.trades, schema.candles, schema.coins])
def test_a_statement_of_most_rows_has_as_many_parameters_as_databases_take(
    url: str, make: Callable[[Table, Dialect], Statement], table: Table
) -> None:
    text = make(table, make_url(url).get_dialect()())._text(SIZES[0])
    marks = max(text.count("?"), text.count("$"))
    assert marks == SIZES[0] * len(table.columns) <= 32_766
