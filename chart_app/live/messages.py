"""The messages of the topic ``tradeData.live``: what was stored, broadcast to all workers.

One message for each coin, of a transaction or of several that follow each other; more than one for
what is large. The key is the coin. JSON::

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

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import zip_longest
from typing import Any, Protocol

import msgspec

from chart_app.live.gaps import Span
from chart_app.model.bounds import Count
from chart_app.model.candles import Candle, CandleKey, PublicCandle
from chart_app.model.intervals import Interval
from chart_app.model.trades import PublicTrade, public_rows
from chart_app.storage.write_batch import Change
from streaming.slices import chunks

#: Trades, or candles, in a message: with the longest numbers half of a message's maximal size.
MESSAGE_ITEMS = 1000
#: The header with the worker's id.
WORKER_HEADER = "worker"
#: The key of messages with spans: no coin has an empty name.
SPANS_KEY = b""


class CoinChange(Protocol):
    """What a transaction has changed for one coin."""

    @property
    def trades(self) -> list[PublicTrade]:
        """Return the trades that are new."""

    @property
    def revision(self) -> int:
        """Return the store's revision."""

    def candles_of(self, interval: Interval) -> list[PublicCandle]:
        """Return the candles of an interval with these trades."""


class LiveMessage(msgspec.Struct, gc=False):
    """The message of a coin."""

    trades: list[PublicTrade] = []
    candles: list[PublicCandle] = []
    revision: Count = 0

    def candles_of(self, interval: Interval) -> list[PublicCandle]:
        """Return the candles of an interval."""
        return [it for it in self.candles if it.interval == interval]


class StoredChange:
    """What this worker has stored of a coin: its rows are made public when somebody reads them."""

    def __init__(
        self,
        trades: Sequence[tuple[Any, ...]],
        candles: Sequence[tuple[CandleKey, Candle]],
        revision: int,
    ) -> None:
        self._trades = trades
        self._candles = candles
        self.revision = revision

    @cached_property
    def trades(self) -> list[PublicTrade]:
        """Return the trades."""
        return [PublicTrade(*row) for row in self._trades]

    def candles_of(self, interval: Interval) -> list[PublicCandle]:
        """Return the candles of an interval."""
        return [PublicCandle.of(*it) for it in self._candles if it[0].interval == interval]

    def encode(self) -> bytes:
        """Return the message."""
        candles = [PublicCandle.of(*it) for it in self._candles]
        return encode({"trades": self._trades, "candles": candles, "revision": self.revision})


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(LiveMessage).decode
encode_spans = msgspec.json.Encoder().encode
decode_spans = msgspec.json.Decoder(list[Span]).decode


def by_coin(change: Change, coins: Collection[str]) -> Iterator[tuple[str, StoredChange]]:
    """Yield what a transaction has changed for coins, as much at a time as a message may have."""
    if not coins:
        return
    trades: dict[str, list[tuple[Any, ...]]] = {coin: [] for coin in coins}
    for coin, trade in zip(change.trades.coins, public_rows(change.trades), strict=True):
        if coin in trades:
            trades[coin].append(trade)
    candles: dict[str, list[tuple[CandleKey, Candle]]] = {coin: [] for coin in coins}
    for key, candle in change.candles.items():
        if key.coin in candles:
            candles[key.coin].append((key, candle))
    for coin in coins:
        for trades_part, candles_part in zip_longest(
            chunks(trades[coin], MESSAGE_ITEMS), chunks(candles[coin], MESSAGE_ITEMS), fillvalue=()
        ):
            yield coin, StoredChange(trades_part, candles_part, change.revision)
