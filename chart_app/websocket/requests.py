"""The requests of WebSocket clients, as JSON: SUBSCRIBE and the like."""

from typing import Any, NamedTuple

import msgspec

from chart_app.websocket import streams
from chart_app.websocket.streams import InvalidStream, Stream

MAX_STREAMS = 1024
TOO_MANY_STREAMS = f"At most {MAX_STREAMS} streams"
NO_MORE_STREAMS = "Too many streams of your address"
#: The range of integer ids that can be encoded as JSON again.
ID_MIN, ID_END = -(2**63), 2**64
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")
#: Binance's codes of errors.
INVALID_REQUEST = 2
INVALID_JSON = 3


class BadRequest(Exception):
    """The client's message is not a request."""

    def __init__(self, code: int, detail: str, request_id: Any = None) -> None:
        self.code = code
        self.request_id = request_id
        super().__init__(detail)


class Request(NamedTuple):
    """A request, with the streams that it names."""

    id: str | int | None
    method: str
    streams: list[Stream]


def parse(text: str | bytes) -> Request:
    """Return the request of a message. Raises :exc:`BadRequest`."""
    try:
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(INVALID_JSON, f"Invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadRequest(INVALID_REQUEST, "Invalid request: not an object")
    request_id = content.get("id")
    if not _is_id(request_id):
        raise BadRequest(INVALID_REQUEST, "Invalid request: id must be a number or text")
    method = content.get("method")
    if method not in METHODS:
        expected = ", ".join(METHODS)
        raise BadRequest(
            INVALID_REQUEST, f"Invalid request: unknown method, not {expected}", request_id
        )
    names = content.get("params", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequest(INVALID_REQUEST, "Invalid request: params must be streams", request_id)
    if len(names) > MAX_STREAMS:
        raise BadRequest(INVALID_REQUEST, TOO_MANY_STREAMS, request_id)
    try:
        return Request(request_id, method, [streams.parse(name) for name in names])
    except InvalidStream as error:
        raise BadRequest(INVALID_REQUEST, str(error), request_id) from None


def _is_id(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and ID_MIN <= value < ID_END
    return value is None or isinstance(value, str)


def error_reply(code: int, detail: str, request_id: Any) -> dict[str, Any]:
    """Return the reply to an invalid request."""
    return {"error": {"code": code, "msg": detail}, "id": request_id}
