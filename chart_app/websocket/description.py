"""The description of the WebSocket in the OpenAPI document."""

from chart_app.model.binance.tickers import AVERAGE_MINUTES
from chart_app.storage.pieces import PIECE_COINS
from chart_app.websocket.api import METHODS as API_METHODS
from chart_app.websocket.hub import MAX_CORRECTED
from chart_app.websocket.message_limit import BURST, MESSAGES_PER_S
from chart_app.websocket.requests import INVALID_JSON, INVALID_REQUEST, MAX_STREAMS, METHODS
from chart_app.websocket.send_queue import MAX_WAITING_BYTES
from chart_app.websocket.server import PING_INTERVAL_S
from chart_app.websocket.streams import OF_ALL_COINS

_METHODS = ", ".join(f"`{it}`" for it in API_METHODS)
_LISTS = ", ".join(f"`{it}`" for it in OF_ALL_COINS)

DESCRIPTION = f"""\
## WebSocket

`/ws` or `/ws/<stream>/<stream>…` sends the bare events, `/stream?streams=<stream>/<stream>…` sends
`{{"stream": …, "data": <event>}}`. Streams:

- `<symbol>@kline_<interval>`: `kline`, the running candle: at once, whenever it changes, and once
  more with `x: true` when it is closed. A candle that a late trade amends is sent again.
- `<symbol>@kline_<interval>@+08:00`: the same by the clocks of a zone, −12:00 to +14:00, at most
  four times a second.
- `<symbol>@trade`, `<symbol>@aggTrade`: an event for each trade. One trade is one aggregate.
- `<symbol>@bookTicker`: an event without `e` and `E`, at once and whenever the price of the last
  trade changes. There is no order book: bid and ask are that price, with an amount of 0; `u` is the
  id of the trade.
- `<symbol>@ticker`: `24hrTicker`, the last 24 hours of a coin, once a second if it was traded.
  `<symbol>@miniTicker`: `24hrMiniTicker`, the same in fewer fields. {_LISTS} send arrays of all
  coins that were traded, of at most {PIECE_COINS} coins each.
- `<symbol>@avgPrice`: `avgPrice`, the average price of the last {AVERAGE_MINUTES} minutes, once a
  second if the coin was traded. `T` is the time of the last trade.

A `kline` event has a field that Binance's has not, beside `k`: `revision`. It rises when trades are
void, and when a void is undone; then the changed candles are sent again, the newest
{MAX_CORRECTED:,} of a stream. Of two states of a candle that of the higher revision is the newer,
within one revision that with more trades. A candle without trades left is sent with `n: 0`, and is
gone.

A symbol is the coin's name in any case; decimals are text, times ms. Where reading needs a key, the
request that opens the connection presents it in a header, as any other does.

Send `{{"method": "{METHODS[0]}", "params": ["BTC-USD@kline_1m"], "id": 1}}` to add streams,
`{METHODS[1]}` to remove them, `{METHODS[2]}` (without `params`) to list them. The reply is
`{{"result": null, "id": 1}}`, or the list; after it comes the first event. An error is
`{{"error": {{"code", "msg"}}, "id"}}`, with code {INVALID_REQUEST} for an invalid request,
{INVALID_JSON} for invalid JSON. If some names are of no stream the reply is an error that names
them; the others are added all the same. `{METHODS[3]}` with `["combined", true]` has events sent as
on `/stream`, `{METHODS[4]}` with `["combined"]` tells whether they are. A connection has at most
{MAX_STREAMS:,} streams, and a client has a share of all streams over all its connections.

The server pings every {PING_INTERVAL_S} s; a client that does not answer with a pong within half of
that is cut off. A client that is too slow gets only the newest state of running candles, and all
other events in order; once {MAX_WAITING_BYTES:,} bytes wait for it, its connection is closed with
code 1008. When the server stops, it closes with code 1001: connect again, and read what was missed
by REST.

`/ws-api/v3` answers what REST does: `{{"id": 1, "method": "klines", "params": {{"symbol": …}}}}`
is answered `{{"id": 1, "status": 200, "result": …, "rateLimits": []}}`, or with another status and
`"error": {{"code", "msg"}}`. One request of a connection is answered after the other. Methods:
{_METHODS}.

A connection, to whichever of these paths, on which more than {MESSAGES_PER_S} messages a second
arrive (requests, pings, pongs), {BURST} at once, is closed with code 1008.
"""
