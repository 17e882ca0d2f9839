from chart_app.storage import schema

#: Stores of this version stand on disks: what changes here raises it.
COLUMNS_OF_VERSION_3 = {
    "store": "version program has_all_trades revision",
    "partitions": "id topic partition topic_id next_offset is_current",
    "trades": "id time coin_id price amount trade_id",
    "voids": (
        "id time coin trades first_time last_time who why undo_id undo_time undo_who undo_why"
    ),
    "voided_trades": "void_id id time coin_id price amount trade_id",
    "candles": (
        "coin interval open_time open high low close volume quote_volume trades "
        "first_time first_sequence first_id last_time last_sequence last_id"
    ),
    "coins": "id coin folded price_places amount_places",
}


def test_the_tables_are_those_of_their_version() -> None:
    assert schema.VERSION == 3
    assert {
        name: " ".join(column.name for column in table.columns)
        for name, table in schema.metadata.tables.items()
    } == COLUMNS_OF_VERSION_3


def test_only_what_may_be_unknown_may_be_missing() -> None:
    columns = [it for table in schema.metadata.sorted_tables for it in table.columns]
    assert [(it.table.name, it.name) for it in columns if it.nullable] == [
        ("partitions", "topic_id"),
        ("trades", "trade_id"),
        ("voided_trades", "trade_id"),
        *(("voids", f"undo_{name}") for name in ("id", "time", "who", "why")),
    ]
