from collections.abc import Collection, Sequence

import pytest

from chart_app.live import messages, short_way
from chart_app.live.gaps import Span
from chart_app.live.messages import CoinChange
from chart_app.live.short_way import ShortWay
from chart_app.storage.write_batch import Change
from tests.unit.chart_app.live.changes import change
from tests.waiting import eventually

UNREAD = "XRP"


class Receivers:
    """Keep what subscribers and the other workers get, in order."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.sent: list[tuple[Change, list[Span]]] = []
        self.dropped = 0

    def note_traded(self, coins: Collection[str]) -> list[str]:
        """Have subscribers of all coins but one."""
        return [coin for coin in coins if coin != UNREAD]

    def handle(self, coin: str, part: CoinChange) -> None:
        """Keep the coin and its trades."""
        self.got.append((coin, [trade.id for trade in part.trades]))

    def cover(self, spans: Sequence[Span]) -> None:
        """Keep what is covered."""
        self.got += spans

    def put(self, change: Change, spans: Sequence[Span]) -> None:
        """Keep what is sent."""
        self.sent.append((change, list(spans)))

    def drop(self) -> None:
        """Count."""
        self.dropped += 1


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def it(receivers: Receivers) -> ShortWay:
    return ShortWay(receivers.note_traded, receivers.handle, receivers.cover, receivers)


MANY = messages.MESSAGE_ITEMS + 1


def test_few_trades_are_handed_on_at_once(it: ShortWay, receivers: Receivers) -> None:
    few = change("BTC", "BTC", "ETH", UNREAD)
    it.put(few, [Span(0, 0, 3)])
    assert receivers.got == [("BTC", [0, 1]), ("ETH", [2]), Span(0, 0, 3)]
    assert receivers.sent == [(few, [Span(0, 0, 3)])]


@pytest.mark.parametrize("does_end", [False, True])
async def test_many_are_handed_on_in_turns_and_few_do_not_overtake_them(
    it: ShortWay, receivers: Receivers, *, does_end: bool
) -> None:
    await it.start()
    changes = [change(*["BTC"] * MANY, "ETH"), change("BTC"), Change()]
    spans = [Span(0, number, number + 1) for number in range(3)]
    for change_, span in zip(changes, spans, strict=True):
        it.put(change_, [span])
    assert receivers.got == []

    async def all_() -> bool:
        return len(receivers.sent) == 3

    async def has_begun() -> bool:
        return bool(receivers.got)

    await eventually(has_begun if does_end else all_, "transactions are handed on")
    await it.stop()
    ids = list(range(MANY))
    (first, second), others = [("BTC", ids[:-1]), ("BTC", ids[-1:])], receivers.got[2:]
    assert receivers.got[:2] == [first, second]
    assert others == [("ETH", [MANY]), spans[0], ("BTC", [0]), *spans[1:]]
    assert receivers.sent == [(it, [span]) for it, span in zip(changes, spans, strict=True)]


async def test_what_waits_is_bounded(
    it: ShortWay, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_way, "MAX_WAITING", 100)
    it.put(change(*["BTC"] * MANY), [Span(0, 0, MANY)])
    for number in range(MANY, MANY + 100):
        it.put(change("BTC"), [Span(0, number, number + 1)])
    assert receivers.dropped == 100
    await it.start()
    await it.stop()
    assert it._size == 0
    assert len(receivers.sent) == 1
