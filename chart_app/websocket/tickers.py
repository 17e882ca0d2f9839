"""Tickers: which are wanted, and their events. No I/O.

Those of many coins come in pieces, and each piece is an event of its own: a reader that reads is
never sent more at once than its send queue takes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from chart_app.model.binance.tickers import Ticker
from chart_app.model.coins import Window
from chart_app.websocket.channels import Channel
from chart_app.websocket.events import Event, TickerShape, encoded
from chart_app.websocket.streams import Kind


class TickerRound:
    """Sends the tickers of coins, each encoded once, to the channels of some kinds of streams."""

    def __init__(self, channels: Iterable[Channel], shapes: Mapping[Kind, TickerShape]) -> None:
        self._shapes = shapes
        self._of_all: list[Channel] = []
        self._by_coin: dict[str, list[Channel]] = defaultdict(list)
        for channel in channels:
            if channel.stream.kind not in shapes:
                continue
            if not channel.stream.symbol:
                self._of_all.append(channel)
            elif channel.coin is not None:
                self._by_coin[channel.coin].append(channel)

    def wanted(self, traded: set[str]) -> set[str]:
        """Return those of the coins whose tickers have readers."""
        return set(traded) if self._of_all else traded & self._by_coin.keys()

    def send(self, windows: Sequence[Window], now_ms: int) -> None:
        """Send the tickers of some coins: a list of them to the readers of all coins."""
        tickers = [Ticker(it) for it in windows]
        for kind, make_event in self._shapes.items():
            of_all = [it for it in self._of_all if it.stream.kind is kind]
            events = []
            for ticker in tickers:
                of_coin = [
                    it for it in self._by_coin.get(ticker.symbol, ()) if it.stream.kind is kind
                ]
                if of_all or of_coin:
                    event = encoded(make_event(ticker, now_ms))
                    events.append(event)
                    for channel in of_coin:
                        channel.emit(Event(channel.stream.name, event))
            for channel in of_all:
                channel.emit(Event(channel.stream.name, events))
