"""The schemas of responses, for :mod:`chart_app.rest.openapi`."""

from typing import Any

from chart_app.market.symbols import SYMBOL
from chart_app.model.binance.fields import Format, Kind
from chart_app.model.binance.klines import KLINE
from chart_app.model.binance.tickers import BOOK_TICKER, MINI_TICKER, TICKER, WINDOW_TICKER
from chart_app.model.binance.trades import AGG_TRADE, TRADE

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "format": "int64"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
DECIMAL: Schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
TIME: Schema = {"type": "integer", "format": "int64", "description": "ms since 1970, UTC."}


def object_of(**properties: Schema) -> Schema:
    """Return the schema of an object with exactly these properties."""
    required = {"required": list(properties)} if properties else {}  # it may not be empty
    return {
        "type": "object",
        **required,
        "additionalProperties": False,
        "properties": properties,
    }


def array(items: Schema, **more: Any) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": items, **more}


def one_of(*values: Any) -> Schema:
    """Return the schema of a text that is one of these."""
    return {"type": "string", "enum": list(values)}


_FILTERS = array(
    {
        "oneOf": [
            object_of(
                filterType=one_of("PRICE_FILTER"),
                minPrice=DECIMAL,
                maxPrice=DECIMAL,
                tickSize=DECIMAL,
            ),
            object_of(
                filterType=one_of("LOT_SIZE"),
                minQty=DECIMAL,
                maxQty=DECIMAL,
                stepSize=DECIMAL,
            ),
        ]
    }
)
OF_KIND: dict[Kind, Schema] = {
    Kind.TEXT: {"type": "string", "minLength": 1},
    Kind.INTEGER: INTEGER,
    Kind.TIME: TIME,
    Kind.DECIMAL: DECIMAL,
    Kind.FLAG: FLAG,
    Kind.TEXTS: array(TEXT),
    Kind.TEXT_SETS: array(array(TEXT)),
    Kind.FILTERS: _FILTERS,
}


def of_format(format_: Format) -> Schema:
    """Return the schema of what REST shows in a format."""
    return object_of(**{it.name: OF_KIND[it.kind] for it in format_.fields if it.name})


def of_event(event: str, format_: Format) -> Schema:
    """Return the schema of an event in a format, with the fields that most events have."""
    shown = {it.key: OF_KIND[it.kind] for it in format_.fields if it.key}
    return object_of(**{"e": one_of(event), "E": TIME, "s": TEXT, **shown})


def ref(name: str) -> Schema:
    """Return a reference to one of :data:`SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


#: An order book has no orders.
NOTHING = array(array(DECIMAL), maxItems=0)

SCHEMAS: dict[str, Schema] = {
    "Error": object_of(code=INTEGER, msg=TEXT),
    "Kline": array(
        {"oneOf": [INTEGER, DECIMAL]},
        minItems=len(KLINE.fields),
        maxItems=len(KLINE.fields),
        description=f"{', '.join(it.name for it in KLINE.fields if it.name)}. "
        "The taker's side is unknown: the last three are 0.",
    ),
    "Trade": of_format(TRADE),
    "AggTrade": of_format(AGG_TRADE),
    "Depth": object_of(lastUpdateId=INTEGER, bids=NOTHING, asks=NOTHING),
    "AveragePrice": object_of(mins=INTEGER, price=DECIMAL, closeTime=TIME),
    "Price": object_of(symbol=TEXT, price=DECIMAL),
    "BookTicker": of_format(BOOK_TICKER),
    "Ticker": of_format(TICKER),
    "WindowTicker": of_format(WINDOW_TICKER),
    "MiniTicker": of_format(MINI_TICKER),
    "Symbol": of_format(SYMBOL),
    "ChartError": object_of(s=one_of("error"), errmsg=TEXT),
    "ChartSymbol": object_of(
        name=TEXT,
        ticker=TEXT,
        description=TEXT,
        type=TEXT,
        session=TEXT,
        timezone=TEXT,
        exchange=TEXT,
        listed_exchange=TEXT,
        minmov=INTEGER,
        pricescale=INTEGER,
        volume_precision=INTEGER,
        format=TEXT,
        has_intraday=FLAG,
        has_daily=FLAG,
        has_weekly_and_monthly=FLAG,
        supported_resolutions=array(TEXT),
        data_status=TEXT,
    ),
    "Bars": object_of(
        s=one_of("ok"),
        t=array(INTEGER, description="Open times, s since 1970."),
        **{name: array(NUMBER) for name in "ohlcv"},
    ),
    "NoBars": {
        "type": "object",
        "required": ["s"],
        "additionalProperties": False,
        "properties": {
            "s": one_of("no_data"),
            "nextTime": {
                "type": "integer",
                "description": "The nearest earlier bar, s since 1970.",
            },
        },
    },
    "Match": object_of(
        symbol=TEXT, full_name=TEXT, ticker=TEXT, description=TEXT, exchange=TEXT, type=TEXT
    ),
}
