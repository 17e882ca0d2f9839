"""The messages of the topic ``tradeData.live``: what was stored, broadcast to all workers.

One message for each coin and transaction, several for a large one; the key is the coin. JSON::

    {"trades": [[id, time, "price", "amount"], …],
     "candles": [[interval, open_time, "open", "high", "low", "close", "volume", "quoteVolume",
                  trades, first_id, last_id], …],
     "revision": 0}

The revision is that of the store (:mod:`chart_app.storage.voids`); messages of versions that had
none are of revision 0.

After them, a message with an empty key gives the spans of offsets that they cover:
``[[partition_id, start, end], …]``, see :mod:`chart_app.model.trade_ids`. Offsets that are stored
but covered by no span are a gap: :mod:`chart_app.live.gaps`.

All messages have a header with an id of the worker that sent them. It skips them: its subscribers
have them by the short way, :mod:`chart_app.live.short_way`.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from chart_app.live.gaps import Span
from chart_app.model.bounds import Count
from chart_app.model.candles import PublicCandle
from chart_app.model.scale import Scale, scale_of_texts
from chart_app.model.trades import PublicTrade, public_rows
from chart_app.storage.write_batch import Change
from streaming.slices import chunks

#: Trades, or candles, in a message: with the longest numbers half of a message's maximal size.
MESSAGE_ITEMS = 1000
#: The header with the worker's id.
WORKER_HEADER = "worker"
#: (coin, encoded message).
Encoded = tuple[str, bytes]
#: The key of messages with spans: no coin has an empty name.
SPANS_KEY = b""


class LiveMessage(msgspec.Struct, gc=False):
    """The trades and candles that a transaction has changed for one coin."""

    trades: list[PublicTrade] = []
    candles: list[PublicCandle] = []
    revision: Count = 0

    @property
    def scale(self) -> Scale:
        """Return the scale of the trades."""
        return scale_of_texts([it.price for it in self.trades], [it.amount for it in self.trades])


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(LiveMessage).decode
encode_spans = msgspec.json.Encoder().encode
decode_spans = msgspec.json.Decoder(list[Span]).decode


def encode_change(change: Change) -> Iterator[Encoded]:
    """Yield the messages of all that a transaction has changed."""
    trades: dict[str, list[Any]] = defaultdict(list)
    for coin, trade in zip(change.trades.coins, public_rows(change.trades), strict=True):
        trades[coin].append(trade)
    candles: dict[str, list[PublicCandle]] = defaultdict(list)
    for key, candle in change.candles.items():
        candles[key.coin].append(PublicCandle.of(key, candle))
    for coin, coin_candles in candles.items():
        for trades_part, candles_part in zip_longest(
            chunks(trades[coin], MESSAGE_ITEMS), chunks(coin_candles, MESSAGE_ITEMS), fillvalue=()
        ):
            content = {"trades": trades_part, "candles": candles_part, "revision": change.revision}
            yield coin, encode(content)
