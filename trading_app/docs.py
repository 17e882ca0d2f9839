"""The OpenAPI document of trading_app."""

from typing import Any

from settings import Settings
from streaming import openapi


def document(settings: Settings) -> dict[str, Any]:
    """Return the document."""
    return openapi.document(
        "trading_app",
        "Takes trades over HTTP and sends them to Kafka.",
        {"/send-trading-data": {"post": _send_trading_data(settings)}},
    )


def _send_trading_data(settings: Settings) -> dict[str, Any]:
    return {
        "summary": "Send one trade",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _submission(settings)},
                "application/x-www-form-urlencoded": {"schema": _submission(settings)},
            },
        },
        "responses": {
            "201": {
                "description": "Kafka holds the trade: all in-sync replicas confirmed it.",
                "content": {
                    "text/plain": {"schema": {"type": "string"}},
                    "application/json": {"schema": _STORED},
                },
            },
            "400": openapi.problem(
                "The body is not JSON or not a form; or, as text, `topic is undefined`."
            ),
            "408": openapi.problem("The body did not arrive in time."),
            "413": openapi.problem("The body is too large."),
            "415": openapi.problem("The body is neither JSON nor a form."),
            "422": openapi.problem("Some fields are not valid; `errors` names them all."),
            "503": openapi.problem(
                "Kafka has not confirmed the trade; `detail` says whether it was sent.",
                headers={"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
            ),
        },
    }


def _submission(settings: Settings) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["topic", "coinName", "price", "numOfCoin"],
        "properties": {
            "topic": {"type": "string", "enum": settings.trade_topics},
            "coinName": {"type": "string", "minLength": 1, "maxLength": 64, "example": "BTC"},
            "price": {**_NUMBER, "description": "Of one coin.", "example": 91234.5},
            "numOfCoin": {**_NUMBER, "description": "The amount traded.", "example": 0.25},
            "timestamp": {
                "type": "integer",
                "minimum": 0,
                "description": "Time of the trade in ms since 1970-01-01 UTC; "
                "without it, the time of receipt.",
            },
            "tradeId": {
                "oneOf": [
                    {"type": "string", "minLength": 1, "maxLength": 64},
                    {"type": "integer"},
                ],
                "description": "The sender's own identifier.",
            },
        },
    }


_NUMBER = {"type": "number", "minimum": 1e-18, "maximum": 1e18, "exclusiveMaximum": True}
_STORED = {
    "type": "object",
    "required": ["topic", "partition", "offset", "timestamp"],
    "properties": {
        "topic": {"type": "string"},
        "partition": {"type": "integer"},
        "offset": {"type": "integer"},
        "timestamp": {"type": "integer"},
    },
}
