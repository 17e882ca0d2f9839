"""The schemas of responses, for :mod:`chart_app.rest.openapi`."""

from typing import Any

from chart_app.model.binance_formats import KLINE, UNKNOWN

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


def ref(name: str) -> Schema:
    """Return a reference to one of :data:`SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: dict[str, Schema] = {
    "Error": object_of(code=INTEGER, msg=TEXT),
    "Kline": array(
        {"oneOf": [INTEGER, DECIMAL]},
        minItems=len(KLINE),
        maxItems=len(KLINE),
        description=f"{', '.join(field.title for field in KLINE)}. The taker's side is unknown: "
        f'the last three are "{UNKNOWN}".',
    ),
    "Trade": object_of(
        id=INTEGER,
        price=DECIMAL,
        qty=DECIMAL,
        quoteQty=DECIMAL,
        time=TIME,
        isBuyerMaker=FLAG,
        isBestMatch=FLAG,
    ),
    "AggTrade": object_of(
        a=INTEGER, p=DECIMAL, q=DECIMAL, f=INTEGER, l=INTEGER, T=TIME, m=FLAG, M=FLAG
    ),
    "Price": object_of(symbol=TEXT, price=DECIMAL),
    "Ticker": object_of(
        symbol=TEXT,
        priceChange=DECIMAL,
        priceChangePercent=DECIMAL,
        weightedAvgPrice=DECIMAL,
        lastPrice=DECIMAL,
        openPrice=DECIMAL,
        highPrice=DECIMAL,
        lowPrice=DECIMAL,
        volume=DECIMAL,
        quoteVolume=DECIMAL,
        openTime=TIME,
        closeTime=TIME,
        count=INTEGER,
    ),
    "Symbol": object_of(
        symbol=TEXT,
        status=one_of("TRADING"),
        baseAsset={"type": "string", "minLength": 1},
        baseAssetPrecision=INTEGER,
        quoteAsset={"type": "string", "minLength": 1},
        quotePrecision=INTEGER,
        orderTypes=array(TEXT),
        filters=array(
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
        ),
        permissions=array(TEXT),
    ),
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
