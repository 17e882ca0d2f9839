"""The OpenAPI document of trading_app."""

from typing import Any

from settings import Settings
from streaming.http import openapi
from trade_rules import TRADE_MAX_BYTES
from trading_app.parsing import trade_list


def document(settings: Settings) -> dict[str, Any]:
    """Return the document."""
    return openapi.document(
        "trading_app",
        "Takes trades over HTTP and sends them to Kafka.",
        {
            "/send-trading-data": {"post": _send_trading_data(settings)},
            "/trades": {"post": _trades(settings)},
        },
    )


def _send_trading_data(settings: Settings) -> dict[str, Any]:
    submission = _submission(settings.trade_topics, ["topic"])
    return {
        "summary": "Send one trade",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": submission},
                "application/x-www-form-urlencoded": {"schema": submission},
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
            "400": _bad_request(),
            "401": openapi.problem(openapi.NO_KEY),
            "403": openapi.problem(_NOT_ALLOWED),
            "408": openapi.problem("The body did not arrive in time."),
            "413": openapi.problem(
                f"The body is too large: a trade has at most {TRADE_MAX_BYTES} bytes."
            ),
            "415": openapi.problem("The body is neither JSON nor a form."),
            "422": openapi.problem("Some fields are not valid; `errors` names them all."),
            "429": _retry("The client, or its key, has sent more trades a second than it may."),
            "503": _retry("Kafka has not confirmed the trade; `detail` says whether it was sent."),
        },
    }


def _trades(settings: Settings) -> dict[str, Any]:
    trade = _submission(settings.trade_topics[:1], [])
    trades = {"type": "array", "items": trade, "minItems": 1, "maxItems": trade_list.MAX_TRADES}
    return {
        "summary": "Send many trades",
        "description": f"All go to `{settings.trade_topics[0]}`; those of a coin keep their order. "
        "Numbering starts at 0; empty lines of NDJSON do not count. "
        f"A trade of more than {TRADE_MAX_BYTES} bytes is rejected without being read.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": trades},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "201": _counts("Kafka holds all trades."),
            "207": _counts("Kafka holds all trades but those in `errors`, which are not valid."),
            "400": openapi.problem("The body is not a JSON array."),
            "401": openapi.problem(openapi.NO_KEY),
            "403": openapi.problem(openapi.NO_SCOPE),
            "408": openapi.problem("The body did not arrive in time."),
            "413": openapi.problem("There are more than 10,000 trades or 4 MiB."),
            "415": openapi.problem("The body is neither JSON nor NDJSON."),
            "422": _problem_of_many(
                "No trade is valid.", {"accepted": _INTEGER, "rejected": _INTEGER}
            ),
            "429": _retry("The client, or its key, has sent more trades a second than it may."),
            "503": {
                **_problem_of_many(
                    "Kafka has not confirmed all trades. Without `confirmed`, none was sent.",
                    {"confirmed": _INDEXES, "unknown": _INDEXES},
                ),
                "headers": _RETRY_AFTER,
            },
        },
    }


def _bad_request() -> dict[str, Any]:
    response = openapi.problem(
        "The body is not JSON or not a form; or, as text, `topic is undefined`."
    )
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {**response, "content": {**response["content"], **text}}


def _retry(description: str) -> dict[str, Any]:
    return openapi.problem(description, headers=_RETRY_AFTER)


def _counts(description: str) -> dict[str, Any]:
    members = {"accepted": _INTEGER, "rejected": _INTEGER, "errors": _REJECTED}
    schema = {"type": "object", "required": list(members), "properties": members}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem_of_many(description: str, members: dict[str, Any]) -> dict[str, Any]:
    problem = openapi.PROBLEM_SCHEMA
    schema = {
        **problem,
        "properties": {**problem["properties"], **members, "errors": _REJECTED},
    }
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _submission(topics: list[str], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [*required, "coinName", "price", "numOfCoin"],
        "properties": {
            "topic": {"type": "string", "enum": topics},
            "coinName": {
                "type": "string",
                "minLength": 1,
                "maxLength": 64,
                "description": "Visible characters and the blank U+0020 in normalization form "
                "NFKC, without surrounding blanks; one of `COINS`.",
                "example": "BTC",
            },
            "price": {**_NUMBER, "description": "Of one coin.", "example": 91234.5},
            "numOfCoin": {**_NUMBER, "description": "The amount traded.", "example": 0.25},
            "timestamp": {
                "type": "integer",
                "minimum": 0,
                "description": "Time of the trade in ms since 1970-01-01 UTC; "
                "without it, the time of receipt. At most `TRADE_MAX_FUTURE` in the future and, "
                "if that is set, `TRADE_MAX_AGE` in the past.",
            },
            "tradeId": {
                "oneOf": [
                    {"type": "string", "minLength": 1, "maxLength": 64},
                    {"type": "integer"},
                ],
                "description": "The sender's own identifier. Of a coin, one that comes again "
                "with the same price and amount counts once.",
            },
        },
    }


_NOT_ALLOWED = "The key does not have the scope `write`, or may not send trades of this coin."
_NUMBER = {"type": "number", "minimum": 1e-18, "maximum": 1e18, "exclusiveMaximum": True}
_INTEGER = {"type": "integer"}
_INDEXES = {"type": "array", "items": _INTEGER}
_REJECTED = {
    "type": "array",
    "description": "Every trade that is not valid.",
    "items": {
        "type": "object",
        "required": ["index", "errors"],
        "properties": {"index": _INTEGER, "errors": openapi.PROBLEM_SCHEMA["properties"]["errors"]},
    },
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": _INTEGER}}
_STORED = {
    "type": "object",
    "required": ["topic", "partition", "offset", "timestamp"],
    "properties": {
        "topic": {"type": "string"},
        "partition": _INTEGER,
        "offset": _INTEGER,
        "timestamp": _INTEGER,
    },
}
