"""The WebSocket described, for the OpenAPI document."""

from chart_app.websocket.requests import INVALID_JSON, INVALID_REQUEST, MAX_STREAMS, METHODS
from chart_app.websocket.send_queue import MAX_WAITING_BYTES
from chart_app.websocket.server import PING_INTERVAL_S
from chart_app.websocket.streams import ALL_TICKERS

DESCRIPTION = f"""\
## WebSocket

`/ws` or `/ws/<stream>/<stream>…` sends the bare events, `/stream?streams=<stream>/<stream>…` sends
`{{"stream": …, "data": <event>}}`. Streams:

- `<symbol>@kline_<interval>`: `kline`, the running candle whenever it changes, at once at the
  beginning, and once more with `x: true` when it is closed. A candle that a late trade amends is
  sent again.
- `<symbol>@trade`, `<symbol>@aggTrade`: an event a trade. One trade is one aggregate.
- `<symbol>@miniTicker`, `{ALL_TICKERS}`: `24hrMiniTicker`, the last 24 hours of a coin
  that was traded, once a second; the latter an array of all such coins.

A symbol is the coin's name in any case; numbers are text, times ms.

Send `{{"method": "{METHODS[0]}", "params": ["BTC-USD@kline_1m"], "id": 1}}` to add streams,
`{METHODS[1]}` to leave them, `{METHODS[2]}` (without `params`) to list them. The answer is
`{{"result": null, "id": 1}}`, or the list; after it comes the first event. What is wrong is
answered `{{"error": {{"code", "msg"}}, "id"}}`, with code {INVALID_REQUEST} for a request or stream
that is not one, {INVALID_JSON} for what is not JSON. A connection has {MAX_STREAMS:,} streams at
most.

The server pings every {PING_INTERVAL_S} s; who has not answered with a pong after half of that is
cut off. A client that is too slow gets of running candles the newest state only, and all else in
order; once {MAX_WAITING_BYTES:,} bytes wait for it, it is closed with code 1008. At the end of the
server it is closed with code 1001: connect again, and ask by REST for what was missed.
"""
