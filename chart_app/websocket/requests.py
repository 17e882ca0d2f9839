"""The requests of WebSocket clients, as JSON: SUBSCRIBE and the like."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from chart_app.websocket import streams
from chart_app.websocket.streams import SYMBOL_MAX_CHARS, Stream

MAX_STREAMS = 1024
#: Names of unknown streams that an error repeats.
UNKNOWN_SHOWN = 5
TOO_MANY_STREAMS = f"At most {MAX_STREAMS} streams"
NO_MORE_STREAMS = "Too many streams of your address"
#: The range of integer ids that can be encoded as JSON again.
ID_MIN, ID_END = -(2**63), 2**64
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
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
    """A request, with the streams that it names, and the names that are of no stream.

    ``combined`` is the value for the one property of a connection: whether events are sent as on
    ``/stream``.
    """

    id: str | int | None
    method: str
    streams: Sequence[Stream] = ()
    unknown: Sequence[str] = ()
    combined: bool = False


def parse(text: str | bytes) -> Request:
    """Return the request of a message. Raises :exc:`BadRequest`."""
    try:
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(INVALID_JSON, f"Invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadRequest(INVALID_REQUEST, "Invalid request: not an object")
    request_id = content.get("id")
    if not is_id(request_id):
        raise BadRequest(INVALID_REQUEST, "Invalid request: id must be a number or text")
    method = content.get("method")
    if method not in METHODS:
        expected = ", ".join(METHODS)
        raise BadRequest(
            INVALID_REQUEST, f"Invalid request: unknown method, not {expected}", request_id
        )
    request = Request(request_id, method)
    match method, content.get("params", []):
        case ("LIST_SUBSCRIPTIONS", _) | ("GET_PROPERTY", ["combined"]):
            return request
        case "SET_PROPERTY", ["combined", bool(combined)]:
            return request._replace(combined=combined)
        case "SET_PROPERTY" | "GET_PROPERTY", _:
            reason = "Invalid request: the only property is combined, true or false"
            raise BadRequest(INVALID_REQUEST, reason, request_id)
        case _, [*names] if all(isinstance(it, str) for it in names):
            if len(names) > MAX_STREAMS:
                raise BadRequest(INVALID_REQUEST, TOO_MANY_STREAMS, request_id)
            found, unknown = streams.parse_all(names)
            return request._replace(streams=found, unknown=unknown)
    raise BadRequest(INVALID_REQUEST, "Invalid request: params must be streams", request_id)


def is_id(value: Any) -> bool:
    """Return whether a value may be the id of a request."""
    if isinstance(value, int):
        return not isinstance(value, bool) and ID_MIN <= value < ID_END
    return value is None or isinstance(value, str)


def unknown_streams(names: Sequence[str]) -> str:
    """Return what is said of names that are of no stream."""
    # repr: half of a surrogate pair cannot be sent, and a log must have no control characters.
    shown = ", ".join(repr(it[:SYMBOL_MAX_CHARS]) for it in names[:UNKNOWN_SHOWN])
    more = len(names) - UNKNOWN_SHOWN
    return f"Invalid request: {shown}{f' and {more} more' if more > 0 else ''} is not a stream"


def error_reply(code: int, detail: str, request_id: Any) -> dict[str, Any]:
    """Return the reply to an invalid request."""
    return {"error": {"code": code, "msg": detail}, "id": request_id}
