import json
from decimal import Decimal
from typing import Any

import pytest

from chart_app.model.binance.tickers import AVERAGE_MS
from chart_app.model.coins import Coin, Window
from chart_app.model.intervals import DAY_MS
from chart_app.storage.pieces import PIECE_COINS
from chart_app.websocket.channels import Channel, make_channel
from chart_app.websocket.events import TICKERS, Burst, Event
from chart_app.websocket.send_queue import MAX_WAITING_BYTES
from chart_app.websocket.streams import OF_ALL_COINS
from chart_app.websocket.tickers import TickerRound
from tests.unit.chart_app.websocket.parsed import parsed

NOW = 5000
ALL_TICKERS = "!miniTicker@arr"
OF_A_DAY = TICKERS[DAY_MS]
#: A coin's name of four bytes a character, a price of 38 digits, and sums of many such trades.
LONGEST_NAME = "\U0001f4b0" * 64
PRICE = Decimal("123456789012345678.12345678901234567890")
VOLUME = Decimal("1234567890123456789012345678.12345678901234567890")
QUOTE_VOLUME = VOLUME * 10**18 + Decimal("1E-40")


class Reader:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def push(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)

    def push_all(self, burst: Burst) -> None:
        """Take no trades."""
        raise AssertionError(burst)

    def told(self) -> list[Any]:
        """Return what it was sent."""
        return [json.loads(event.bare) for event in self.events]


def day(name: str, price: Decimal = Decimal("1.50")) -> Window:
    """Return the last day of a coin."""
    sums = (price,) * 4 + (Decimal(3), Decimal("4.50"), 7, 1, 7)
    return Window(Coin(name, 2, 3), 1, 3, 2, *sums, None, None)


def channel(name: str, coin: str | None = None) -> tuple[Channel, Reader]:
    """Return the channel of a stream, with a reader."""
    made, reader = make_channel(parsed(name), lambda: NOW, lambda _: True), Reader()
    made.coin = coin
    made.add(reader)
    return made, reader


def test_those_are_wanted_that_have_readers() -> None:
    one, _ = channel("btc@miniTicker", "BTC")
    unknown, _ = channel("xrp@miniTicker")
    trades, _ = channel("eth@trade", "ETH")
    all_, _ = channel(ALL_TICKERS)
    traded = {"BTC", "ETH"}
    assert TickerRound([], OF_A_DAY).wanted(traded) == set()
    assert TickerRound([one, unknown, trades], OF_A_DAY).wanted(traded) == {"BTC"}
    assert TickerRound([one, all_], OF_A_DAY).wanted(traded) == traded
    assert TickerRound([one, all_], OF_A_DAY).wanted(set()) == set()


def test_each_piece_is_a_list_of_its_own() -> None:
    all_, reader = channel(ALL_TICKERS)
    round_ = TickerRound([all_], OF_A_DAY)
    round_.send([day("A"), day("B")], NOW)
    round_.send([day("C")], NOW)
    assert [[it["s"] for it in event] for event in reader.told()] == [["A", "B"], ["C"]]


def test_a_coin_is_told_the_same_alone_and_among_all() -> None:
    all_, of_all = channel(ALL_TICKERS)
    two = [channel(name, "BTC") for name in ("btc@miniTicker", "BTC@miniTicker")]
    round_ = TickerRound([all_, *(it for it, _ in two)], OF_A_DAY)
    round_.send([day("BTC"), day("ETH")], NOW)
    for _, reader in two:
        assert reader.told() == [of_all.told()[0][0]]
    assert [event.stream for _, reader in two for event in reader.events] == [
        "btc@miniTicker",
        "BTC@miniTicker",
    ]


def test_readers_of_single_coins_are_told_of_no_other() -> None:
    one, reader = channel("btc@miniTicker", "BTC")
    TickerRound([one], OF_A_DAY).send([day("BTC"), day("ETH")], NOW)
    assert [it["s"] for it in reader.told()] == ["BTC"]


def test_each_kind_of_stream_is_told_in_its_own_format() -> None:
    names = ["btc@miniTicker", "btc@ticker", "!miniTicker@arr", "!ticker@arr"]
    made = [channel(name, None if name.startswith("!") else "BTC") for name in names]
    round_ = TickerRound([it for it, _ in made], OF_A_DAY)
    round_.send([day("BTC")], NOW)
    (mini,), (full,), (minis,), (fulls,) = (reader.told() for _, reader in made)
    assert (mini["e"], full["e"]) == ("24hrMiniTicker", "24hrTicker")
    assert (minis, fulls) == ([mini], [full])


def test_a_round_is_of_streams_about_one_length_of_time() -> None:
    average, reader = channel("btc@avgPrice", "BTC")
    assert TickerRound([average], OF_A_DAY).wanted({"BTC"}) == set()
    round_ = TickerRound([average], TICKERS[AVERAGE_MS])
    assert round_.wanted({"BTC", "ETH"}) == {"BTC"}
    round_.send([day("BTC")], NOW)
    (event,) = reader.told()
    assert event == {"e": "avgPrice", "E": NOW, "s": "BTC", "i": "5m", "w": "1.50000000", "T": 2}


@pytest.mark.parametrize("stream", OF_ALL_COINS)
@pytest.mark.parametrize("path", ["bare", "combined"])
def test_the_longest_tickers_of_a_piece_are_an_event_that_a_reader_can_be_sent(
    path: str, stream: str
) -> None:
    all_, reader = channel(stream)
    longest = day(LONGEST_NAME, PRICE)._replace(volume=VOLUME, quote_volume=QUOTE_VOLUME)
    TickerRound([all_], OF_A_DAY).send([longest] * PIECE_COINS, NOW)
    (event,) = reader.events
    assert len(json.loads(event.bare)) == PIECE_COINS
    assert len(getattr(event, path)) < MAX_WAITING_BYTES / 4
