"""Streams by their names."""

from chart_app.websocket import streams
from chart_app.websocket.streams import Stream


def parsed(name: str) -> Stream:
    """Return the stream of a name."""
    stream = streams.parse(name)
    assert stream
    return stream
