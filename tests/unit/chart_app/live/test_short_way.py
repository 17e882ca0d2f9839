from collections.abc import Sequence
from decimal import Decimal

import pytest

from chart_app.live import messages, short_way
from chart_app.live.gaps import Span
from chart_app.live.messages import Encoded
from chart_app.live.short_way import ShortWay
from chart_app.model.folding import fold_trades
from chart_app.model.trades import StoredTrade, Trades
from chart_app.storage.write_batch import Change
from tests.waiting import eventually


class Receivers:
    """Keep what subscribers and the other workers get, in order."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.sent: list[tuple[list[Encoded], list[Span]]] = []
        self.dropped = 0

    def handle(self, coin: str, value: bytes) -> None:
        """Keep a message."""
        self.got.append((coin, value))

    def cover(self, spans: Sequence[Span]) -> None:
        """Keep what is covered."""
        self.got += spans

    def put(self, encoded: Sequence[Encoded], spans: Sequence[Span]) -> None:
        """Keep what is sent."""
        self.sent.append((list(encoded), list(spans)))

    def drop(self) -> None:
        """Count."""
        self.dropped += 1


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def it(receivers: Receivers) -> ShortWay:
    return ShortWay(receivers.handle, receivers.cover, receivers)


def change(*coins: str) -> Change:
    """Return a change with a trade of each coin."""
    rows = [
        StoredTrade(coin, 0, 0, number, *(Decimal(1),) * 2, None, number, "1", "1")
        for number, coin in enumerate(coins)
    ]
    trades = Trades.of(rows)
    return Change(trades, fold_trades(trades).candles)


@pytest.mark.parametrize("trades", [1, messages.MESSAGE_ITEMS + 1])
async def test_own_subscribers_get_what_the_other_workers_get(
    it: ShortWay, receivers: Receivers, trades: int
) -> None:
    await it.start()
    it.put(change(*["BTC"] * trades, "ETH"), [Span(0, 0, 2)])
    it.put(change("BTC"), [Span(0, 2, 3)])

    async def both() -> bool:
        return len(receivers.sent) == 2

    await eventually(both, "both transactions are handed on")
    await it.stop()
    first, second = receivers.sent
    assert {coin for coin, _ in first[0]} == {"BTC", "ETH"}
    decoded = [messages.decode(value) for coin, value in first[0] if coin == "BTC"]
    assert sum(len(message.trades) for message in decoded) == trades
    assert receivers.got == [*first[0], Span(0, 0, 2), *second[0], Span(0, 2, 3)]


async def test_what_waits_at_the_end_is_handed_on(it: ShortWay, receivers: Receivers) -> None:
    await it.start()
    it.put(change("BTC"), [Span(0, 0, 1)])
    it.put(Change(), [Span(0, 1, 2)])
    await it.stop()
    assert [spans for _, spans in receivers.sent] == [[Span(0, 0, 1)], [Span(0, 1, 2)]]


async def test_what_waits_is_bounded(
    it: ShortWay, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_way, "MAX_WAITING", 100)
    for number in range(100):
        it.put(change("BTC"), [Span(0, number, number + 1)])
    assert receivers.dropped == 100 - len(it._waiting) > 0
    assert it._size < 200
    await it.start()
    await it.stop()
    assert it._size == 0
    assert len(receivers.sent) + receivers.dropped == 100
