"""The OpenAPI document of chart_app."""

from typing import Any

from chart_app.market.parameters import DEFAULT_LIMIT, MAX_LIMIT, MAX_SYMBOLS, TICKS_PER_MS
from chart_app.model.intervals import Interval
from chart_app.rest import openbb
from chart_app.rest.openapi_schemas import (
    FLAG,
    INTEGER,
    SCHEMAS,
    TEXT,
    TIME,
    Schema,
    array,
    object_of,
    one_of,
    ref,
)
from chart_app.rest.udf import DEFAULT_MATCHES, MAX_BARS, RESOLUTIONS, SHORT_RESOLUTIONS
from streaming.http import openapi


def _parameter(name: str, schema: Schema, description: str, **more: Any) -> Schema:
    described = {"description": description} if description else {}
    return {"name": name, "in": "query", "schema": schema, **described, **more}


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refusals(error: str) -> Schema:
    return {
        "401": _json(openapi.NO_KEY, ref(error)),
        "403": _json(openapi.NO_SCOPE, ref(error)),
    }


def _get(
    summary: str, schema: Schema, *parameters: Schema, error: str = "Error", **more: Any
) -> Schema:
    """Describe an endpoint that reads the store."""
    responses = {
        "200": _json("Found.", schema),
        "503": _json("The store does not answer; try again later.", ref(error)),
        **_refusals(error),
    }
    if parameters and error == "Error":
        responses["400"] = _json("A parameter is invalid.", ref("Error"))
    return {
        "get": {"summary": summary, "parameters": list(parameters), "responses": responses, **more},
    }


def _static(summary: str, schema: Schema, error: str = "Error") -> Schema:
    responses = {"200": _json("OK.", schema), **_refusals(error)}
    return {"get": {"summary": summary, "responses": responses}}


_A_SYMBOL = _parameter(
    "symbol",
    {"type": "string", "example": "BTCUSDT"},
    "A coin's name; case is ignored if no name matches exactly.",
    required=True,
)
_ANY_SYMBOL = _parameter("symbol", TEXT, "Only this coin.")
_SOME_SYMBOLS = _parameter(
    "symbols",
    {"type": "string", "example": '["BTCUSDT","ETHUSDT"]'},
    f"Only these coins, at most {MAX_SYMBOLS}.",
)
_LIMIT = _parameter(
    "limit",
    {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
    f"How many at most; above {MAX_LIMIT} it counts as {MAX_LIMIT}.",
)
_FROM_ID = _parameter("fromId", INTEGER, "Trades from this id on, in the order of ids.")
_START = _parameter("startTime", TIME, "From this time on; the oldest are returned.")
_END = _parameter(
    "endTime", TIME, "Up to this time, inclusive; without startTime the newest are returned."
)
_INTERVAL = _parameter("interval", one_of(*Interval), "", required=True)
_FILL = _parameter(
    "fill",
    FLAG,
    "Add flat candles for buckets without trades, from the coin's first trade to now.",
)
_UNIT = _parameter(
    "timeUnit", one_of(*TICKS_PER_MS), "The unit of the times that are answered; ms by default."
)
_TICKER_TYPE = _parameter("type", one_of("FULL", "MINI"), "MINI for the main fields only.")
_ZONE = _parameter(
    "timeZone",
    {"type": "string", "example": "+09:00"},
    "By whose clocks days and other intervals begin, −12:00 to +14:00; by default UTC.",
)
_WINDOW = _parameter(
    "windowSize",
    {"type": "string", "pattern": "^[1-9][0-9]?[mhd]$", "default": "1d"},
    "1m to 59m, 1h to 23h, 1d to 7d.",
)
_ONE_OR_ALL = "An array, or with symbol a single item."
_ONE_OR_SOME = f"{_ONE_OR_ALL} One of both is needed."
_QUIET = (
    "For a coin without trades in that time, as long a time up to its last trade. "
    "openTime and closeTime give the range."
)
_NO_BOOK = "There is no order book: bid and ask are the last price, with an amount of 0."

_KLINES = _get(
    "Candles, oldest first",
    array(ref("Kline")),
    *(_A_SYMBOL, _INTERVAL, _START, _END, _LIMIT, _ZONE, _FILL, _UNIT),
)


def _one_or_all(*names: str) -> Schema:
    return {"oneOf": [it for name in names for it in (ref(name), array(ref(name)))]}


_REST_PATHS = {
    "/api/v3/ping": _static("Check that the server is up", object_of()),
    "/api/v3/time": _static("The server's time", object_of(serverTime=TIME)),
    "/api/v3/exchangeInfo": _get(
        "The coins as markets",
        object_of(
            timezone=one_of("UTC"),
            serverTime=TIME,
            rateLimits=array(object_of()),
            exchangeFilters=array(object_of()),
            symbols=array(ref("Symbol")),
        ),
        *(_ANY_SYMBOL, _SOME_SYMBOLS),
    ),
    "/api/v3/klines": _KLINES,
    "/api/v3/uiKlines": _KLINES,
    "/api/v3/depth": _get(
        "An order book without orders",
        ref("Depth"),
        *(_A_SYMBOL, _LIMIT),
        description="For clients that need one. lastUpdateId is the id of the last trade.",
    ),
    "/api/v3/trades": _get("The newest trades", array(ref("Trade")), _A_SYMBOL, _LIMIT, _UNIT),
    "/api/v3/historicalTrades": _get(
        "Trades from an id on", array(ref("Trade")), _A_SYMBOL, _FROM_ID, _LIMIT, _UNIT
    ),
    "/api/v3/aggTrades": _get(
        "Trades from an id on, or of a range of time",
        array(ref("AggTrade")),
        *(_A_SYMBOL, _FROM_ID, _START, _END, _LIMIT, _UNIT),
        description="One trade is one aggregate. An id and a time cannot be combined.",
    ),
    "/api/v3/avgPrice": _get(
        "The average price of the last 5 minutes", ref("AveragePrice"), _A_SYMBOL, _UNIT
    ),
    "/api/v3/ticker/price": _get(
        "Last prices", _one_or_all("Price"), _ANY_SYMBOL, _SOME_SYMBOLS, description=_ONE_OR_ALL
    ),
    "/api/v3/ticker/bookTicker": _get(
        "Last prices as bid and ask",
        _one_or_all("BookTicker"),
        *(_ANY_SYMBOL, _SOME_SYMBOLS),
        description=f"{_ONE_OR_ALL} {_NO_BOOK}",
    ),
    "/api/v3/ticker/24hr": _get(
        "The last 24 hours",
        _one_or_all("Ticker", "MiniTicker"),
        *(_ANY_SYMBOL, _SOME_SYMBOLS, _TICKER_TYPE, _UNIT),
        description=f"{_ONE_OR_ALL} {_QUIET} {_NO_BOOK}",
    ),
    "/api/v3/ticker": _get(
        "A window up to now",
        _one_or_all("WindowTicker", "MiniTicker"),
        *(_ANY_SYMBOL, _SOME_SYMBOLS, _WINDOW, _TICKER_TYPE, _UNIT),
        description=f"{_ONE_OR_SOME} {_QUIET}",
    ),
    "/api/v3/ticker/tradingDay": _get(
        "This day, since midnight",
        _one_or_all("WindowTicker", "MiniTicker"),
        *(_ANY_SYMBOL, _SOME_SYMBOLS, _ZONE, _TICKER_TYPE, _UNIT),
        description=f"{_ONE_OR_SOME} {_QUIET}",
    ),
}


def _chart(summary: str, schemas: list[Schema], *parameters: Schema, **more: Any) -> Schema:
    page = _get(summary, {"oneOf": schemas}, *parameters, error="ChartError", **more)
    page["get"]["description"] = "For TradingView's charting library."
    return page


_ERROR = ref("ChartError")
_UDF_PATHS = {
    "/udf/config": _static(
        "The features of this feed",
        object_of(
            supports_search=FLAG,
            supports_group_request=FLAG,
            supports_time=FLAG,
            supports_marks=FLAG,
            supports_timescale_marks=FLAG,
            supported_resolutions=array(TEXT),
        ),
        error="ChartError",
    ),
    "/udf/time": {
        "get": {
            "summary": "The server's time",
            "responses": {
                "200": {
                    "description": "s since 1970.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                **_refusals("ChartError"),
            },
        }
    },
    "/udf/symbols": _chart("A coin", [ref("ChartSymbol"), _ERROR], _A_SYMBOL),
    "/udf/search": _chart(
        "Coins whose name contains a text",
        [array(ref("Match")), _ERROR],
        _parameter("query", TEXT, "Part of the name; case is ignored."),
        *(_parameter("type", TEXT, ""), _parameter("exchange", TEXT, "")),
        _parameter("limit", {"type": "integer", "default": DEFAULT_MATCHES}, "How many at most."),
    ),
    "/udf/history": _chart(
        "Bars, oldest first",
        [ref("Bars"), ref("NoBars"), _ERROR],
        _A_SYMBOL,
        _parameter("resolution", one_of(*RESOLUTIONS, *SHORT_RESOLUTIONS), "", required=True),
        _parameter("from", INTEGER, "Start, s since 1970."),
        _parameter("to", INTEGER, "End, exclusive, s since 1970."),
        _parameter(
            "countback", INTEGER, f"How many before `to`, regardless of `from`; at most {MAX_BARS}."
        ),
    ),
}


_COLOR = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
_OPENBB_PATHS = {
    openbb.PATH: _get(
        "The chart for OpenBB Workspace",
        {
            "type": "object",
            "additionalProperties": object_of(
                name=TEXT,
                description=TEXT,
                category=TEXT,
                type=one_of("advanced_charting"),
                endpoint=TEXT,
                gridData=object_of(w=INTEGER, h=INTEGER),
                data=object_of(
                    defaultSymbol=TEXT,
                    updateFrequency=INTEGER,
                    chartConfig={"type": "object", "additionalProperties": _COLOR},
                ),
            ),
        },
        error="ChartError",
    )
}

_DESCRIPTION = """\
Stores the trades on Kafka; serves them and their candles in the format of Binance's spot API.

`/api/v1` is the same as `/api/v3`. All answers may be out of date a moment later
(`Cache-Control: no-store`); those of more than 1 kB are sent as gzip to clients that accept it.
Requests have no weight: `X-MBX-USED-WEIGHT-1M` is always 0. Every error under `/api` has `code`
and `msg`, also of a path that there is not.
"""


def document(websocket: str) -> dict[str, Any]:
    """Return the document. ``websocket`` describes the WebSocket, which OpenAPI cannot."""
    made = openapi.document(
        "chart_app",
        f"{_DESCRIPTION}\n{websocket}",
        {**_REST_PATHS, **_UDF_PATHS, **_OPENBB_PATHS},
    )
    made["components"]["schemas"] |= SCHEMAS
    return made
