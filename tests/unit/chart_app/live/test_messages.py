import json
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from chart_app.live import messages
from chart_app.live.feed import LiveFeed, Spans
from chart_app.live.gaps import Span
from chart_app.live.messages import MESSAGE_ITEMS
from chart_app.model.binance.klines import Kline, kline_event
from chart_app.model.bounds import YEAR_1_MS
from chart_app.model.candles import Candle, CandleKey, Mark, PlainTick, PublicCandle, fold
from chart_app.model.decimals import plain
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale
from chart_app.model.trades import PublicTrade, StoredTrade, Trades
from chart_app.storage.write_batch import Change


def stored(coin: str, number: int, price: Decimal, amount: Decimal) -> StoredTrade:
    """Return a trade with this number as its id."""
    texts = (plain(price), plain(amount))
    return StoredTrade(coin, 1_000, number, number, price, amount, None, number, *texts)


def trades(coin: str, count: int) -> list[StoredTrade]:
    return [stored(coin, number, Decimal(number + 1), Decimal(2)) for number in range(count)]


def encode_change(change: Change) -> list[tuple[str, bytes]]:
    return [(coin, part.encode()) for coin, part in messages.by_coin(change, change.coins)]


def change(*trades_: StoredTrade, minutes: int = 1) -> Change:
    """Return a change with so many candles for each coin."""
    columns = Trades.of(trades_)
    ticks: dict[str, list[PlainTick]] = {}
    for coin, tick in zip(columns.coins, columns.ticks(), strict=True):
        ticks.setdefault(coin, []).append(tick)
    return Change(
        columns,
        {
            CandleKey(coin, Interval.M1, minute * 60_000): fold(of_coin)
            for coin, of_coin in ticks.items()
            for minute in range(minutes)
        },
    )


def test_a_message_comes_back_as_it_was_sent() -> None:
    trade = stored("BTC", 70, Decimal("1.50"), Decimal(2))
    key = CandleKey("BTC", Interval.MONTH, 0)
    trades_ = Trades.of([trade])
    ((coin, value),) = encode_change(Change(trades_, {key: fold(trades_.ticks())}))
    message = messages.decode(value)
    assert coin == "BTC"
    assert message.trades == [PublicTrade(70, 1_000, "1.50", "2")]
    assert message.candles == [
        PublicCandle(Interval.MONTH, 0, "1.50", "1.50", "1.50", "1.50", "2", "3.00", 1, 70, 70)
    ]


def test_own_subscribers_get_what_the_other_workers_get() -> None:
    changed = replace(change(*trades("BTC", 3), minutes=2), revision=4)
    ((_, own),) = messages.by_coin(changed, changed.coins)
    message = messages.decode(own.encode())
    assert own.trades == message.trades
    assert own.revision == message.revision
    for interval in Interval:
        assert own.candles_of(interval) == message.candles_of(interval)
    assert len(own.candles_of(Interval.M1)) == 2


def test_a_message_has_the_revision_of_its_transaction_or_of_old_workers_none() -> None:
    changed = replace(change(*trades("BTC", 1)), revision=7)
    ((_, value),) = encode_change(changed)
    assert messages.decode(value).revision == 7
    assert messages.decode(b'{"trades":[],"candles":[]}').revision == 0
    for wrong in (b"-1", b"null", b'"7"', b"9223372036854775808"):
        with pytest.raises(msgspec.ValidationError):
            messages.decode(b'{"revision":%b}' % wrong)


def test_each_coin_has_a_message_of_its_own() -> None:
    told = dict(encode_change(change(*trades("BTC", 2), *trades("ETH", 1))))
    assert {coin: len(messages.decode(value).trades) for coin, value in told.items()} == {
        "BTC": 2,
        "ETH": 1,
    }


@pytest.mark.parametrize(
    ("count", "minutes", "expected"),
    [
        (MESSAGE_ITEMS, 1, [(MESSAGE_ITEMS, 1)]),
        (MESSAGE_ITEMS + 1, 1, [(MESSAGE_ITEMS, 1), (1, 0)]),
        (1, 2 * MESSAGE_ITEMS + 3, [(1, MESSAGE_ITEMS), (0, MESSAGE_ITEMS), (0, 3)]),
    ],
)
def test_what_is_too_much_for_one_message_is_told_in_several(
    count: int, minutes: int, expected: list[tuple[int, int]]
) -> None:
    change_ = change(*trades("BTC", count), minutes=minutes)
    told = [messages.decode(value) for _, value in encode_change(change_)]
    assert [(len(it.trades), len(it.candles)) for it in told] == expected
    ids = [trade.id for it in told for trade in it.trades]
    assert ids == [*change_.trades.ids]
    assert len({candle.open_time for it in told for candle in it.candles}) == minutes


def test_the_largest_message_is_less_than_kafka_takes() -> None:
    number = Decimal("123456789012345678.12345678901234567890")  # 38 digits
    most = Decimal("9" * 90)
    mark = Mark(2**53, 2**63, 2**62, number)
    candle = Candle(mark, mark, number, number, most, most, 10**9)
    change_ = Change(
        Trades.of([stored("x" * 64, 2**62, number, number)] * MESSAGE_ITEMS),
        {CandleKey("x" * 64, Interval.M15, n): candle for n in range(MESSAGE_ITEMS)},
    )
    ((_, value),) = encode_change(change_)
    assert len(value) < 1_000_000


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+3", "1000"), ("1E-18", "0.000000000000000001"), ("0.50", "0.50"), ("123", "123")],
)
def test_numbers_are_plain_digits(number: str, text: str) -> None:
    value = Decimal(number)
    ((_, message),) = encode_change(change(stored("BTC", 0, value, value)))
    (trade,), (candle,) = (json.loads(message)[part] for part in ("trades", "candles"))
    assert trade[2:] == [text, text]
    assert candle[2:7] == [text] * 5
    assert "E" not in candle[7]


def test_nothing_changed_is_not_told() -> None:
    assert encode_change(Change()) == []


def with_candle(open_time: int, number: str = "1", count: int = 1) -> bytes:
    """Return a message with one candle."""
    return json.dumps(
        {"candles": [["1M", open_time, *[number] * 6, *[count] * 3]], "trades": []}
    ).encode()


@pytest.mark.parametrize("open_time", [YEAR_1_MS, 0, 253_402_300_799_999])
def test_a_candle_of_any_time_that_there_is_can_be_streamed(open_time: int) -> None:
    (candle,) = messages.decode(with_candle(open_time)).candles
    kline = Kline(candle, Interval.MONTH.end_time(open_time), Scale(0, 0))
    assert kline_event("BTC", kline, 0, closed=True, now_ms=0)["k"]["T"] >= open_time


def test_what_is_not_ours_on_the_topic_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    handled: list[tuple[str, bytes]] = []
    carried: list[Span] = []

    def handle(coin: str, value: bytes) -> None:
        messages.decode(value)
        handled.append((coin, value))

    spans = SimpleNamespace(cover=carried.extend)
    none = cast(Any, None)
    feed = LiveFeed(
        "live",
        worker_id=b"own",
        new_consumer=none,
        state=none,
        on_message=handle,
        spans=cast(Spans, spans),
    )
    for key, value in [
        *((b"BTC", b"garbage"), (b"BTC", None), (b"BTC", b"[]"), (b"\xff", b"{}")),
        *((b"BTC", b'{"x":' * 5_000), (b"BTC", b'{"trades":[[1,' + b"9" * 20 + b',"1","1"]]}')),
        *((b"BTC", with_candle(time)) for time in (10**17, -(10**17), 253_402_300_800_000)),
        *((b"BTC", with_candle(0, "9" * 300)), (b"BTC", with_candle(0, "1", 2**64))),
        *(
            (b"", b"{}"),
            (b"", b"[[1,2]]"),
            (b"", b'[[1,2,"3"]]'),
            (b"", b"[[1,2,-3]]"),
            (b"", b"[[4096,2,3]]"),
            (b"", None),
        ),
    ]:
        caplog.clear()
        feed._handle(key, value, [])
        assert "not a live message" in caplog.messages[-1]
    caplog.clear()
    own = [(messages.WORKER_HEADER, b"own")]
    feed._handle(b"BTC", b"garbage", own)
    feed._handle(b"", messages.encode_spans([Span(1, 2, 9)]), own)
    feed._handle(b"BTC", b"{}", [(messages.WORKER_HEADER, b"of another")])
    feed._handle(None, b"{}", [])  # of version 0.2.0
    feed._handle(b"", messages.encode_spans([Span(1, 2, 3)]), [])
    assert handled == [("BTC", b"{}")]
    assert carried == [Span(1, 2, 3)]
    assert caplog.messages == []
