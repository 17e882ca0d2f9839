from chart_app.storage import schema

#: Stores of this version stand on disks: what changes here raises it.
COLUMNS_OF_VERSION_1 = {
    "store": "version has_all_trades",
    "consumed": "topic partition next_offset topic_id log",
    "trades": "id coin time price amount offset trade_id topic partition",
    "candles": (
        "coin interval open_time open high low close volume quote_volume trades "
        "first_time first_sequence first_id last_time last_sequence last_id"
    ),
    "coins": "coin folded price_places amount_places",
}


def test_the_tables_are_those_of_their_version() -> None:
    assert schema.VERSION == 1
    assert {
        name: " ".join(column.name for column in table.columns)
        for name, table in schema.metadata.tables.items()
    } == COLUMNS_OF_VERSION_1


def test_of_a_trade_only_the_sender_s_id_may_be_missing() -> None:
    columns = [it for table in schema.metadata.sorted_tables for it in table.columns]
    assert [(it.table.name, it.name) for it in columns if it.nullable] == [("trades", "trade_id")]
