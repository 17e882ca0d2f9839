import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.record.default_records import DefaultRecord
from faust.types import TP
from prometheus_client import REGISTRY

from chart_app.ingest import trade_consumer
from chart_app.ingest.offsets import Offsets
from chart_app.ingest.trade_consumer import TradeConsumer
from chart_app.live.gaps import Span
from chart_app.model.decoder import Decoded, TakesCoin, decode
from chart_app.model.refusals import Reason, Refusal
from chart_app.model.trade_ids import trade_id
from chart_app.model.trades import Trades
from chart_app.storage.errors import Refused, StoreUnavailable, Superseded
from chart_app.storage.write_batch import Change, Checkpoint, WriteBatch
from streaming.internals import Record
from streaming.kafka.batch import Batch, Batches
from streaming.kafka.dead_letter import DeadLetter
from tests.waiting import eventually

GOOD = b'{"coinName":"BTC","numOfCoin":1,"price":2}'
PARTITION = TP("tradeData", 0)


def record(value: bytes | None, timestamp: int = 0, offset: int = 7) -> Record:
    """Return a record of a topic."""
    return DefaultRecord(offset, timestamp, 0, None, value, [])


def batch(*offsets: int, start: int | None = None) -> Batch:
    """Return a batch of good trades, whose fetch began at ``start``, else at the first of them."""
    records = [record(GOOD, offset=offset) for offset in offsets]
    return Batch(*PARTITION, records, offsets[0] if start is None else start)


async def stream(batches: Iterable[Batch]) -> AsyncIterator[Batches]:
    """Yield each batch as a fetch of its own, for which the store need not wait."""
    for it in batches:
        yield [it]
        await asyncio.sleep(0)


class Store:
    """Keeps what it is given, after raising the errors it is to raise."""

    def __init__(self, *errors: Exception) -> None:
        self.kept: list[tuple[int, list[int]]] = []
        self._errors = list(errors)

    async def checkpoints(self, topic_ids: Mapping[TP, str]) -> dict[TP, Checkpoint]:
        """Stand at offset 10."""
        return {tp: Checkpoint(10, topic_id, 0) for tp, topic_id in topic_ids.items()}

    async def apply(self, *batches: WriteBatch) -> Change:
        """Keep the offsets of the batches' trades."""
        if self._errors:
            raise self._errors.pop(0)
        for batch in batches:
            self.kept.append((batch.checkpoint.next_offset, [*batch.trades.offsets]))
        return Change(Trades.joined(batch.trades for batch in batches))


class Consumer:
    """Remembers what was done, and how often it was sent back."""

    def __init__(self, first_offset: int = 0) -> None:
        self.done_offsets: list[int] = []
        self.seeks = 0
        self._first_offset = first_offset

    def assignment(self) -> set[TP]:
        """Have one partition."""
        return {PARTITION}

    def is_stale(self, _: Batch) -> bool:
        """Throw away what was fetched before a seek."""
        return self.seeks > 0

    async def first_offset(self, _: TP) -> int:
        """Have nothing before."""
        return self._first_offset

    async def seek_back(self) -> None:
        """Count it."""
        self.seeks += 1

    def done(self, done: Batch) -> None:
        """Remember it."""
        self.done_offsets.append(done.next_offset)


class Stored:
    """Keeps how many trades were stored, and what they cover."""

    def __init__(self) -> None:
        self.trades = 0
        self.spans: list[Span] = []

    def put(self, change: Change, spans: Iterable[Span]) -> None:
        """Keep it."""
        self.trades += len(change.trades)
        self.spans += spans


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade_consumer, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(trade_consumer, "RETRY_PAUSE_S", 0.001)


class Letters:
    """Keeps the offsets and reasons of dead letters, by topic and batch, if Kafka takes them."""

    def __init__(self, *, does_confirm: bool = True) -> None:
        self.sent: list[list[tuple[int, str]]] = []
        self._does_confirm = does_confirm

    async def send(self, topic: str, source: Batch, letters: Sequence[DeadLetter]) -> bool:
        """Keep them."""
        assert topic == "tradeData.dead-letter"
        assert all(it.record in source.records for it in letters)
        self.sent.append([(it.record.offset, it.reason) for it in letters])
        return self._does_confirm


async def consume(
    store: Store,
    consumer: Consumer,
    *batches: Batch,
    stored: Stored | None = None,
    letters: Letters | None = None,
    takes_coin: TakesCoin = None,
    source: AsyncIterator[Batches] | None = None,
    recreated: Iterable[bool | Exception] = (),
) -> TradeConsumer:
    """Have the batches consumed from offset 10 on.

    ``recreated`` is what Kafka says of whether the topic is another, one time after the other.
    """
    answers = iter(recreated)

    async def have_changed_topic() -> bool:
        answer = next(answers, False)
        if isinstance(answer, Exception):
            raise answer
        return answer

    offsets = Offsets(store, lambda: None)  # type: ignore[arg-type, return-value]
    offsets.have_changed_topic = have_changed_topic  # type: ignore[method-assign]
    offsets._checkpoints = await store.checkpoints({PARTITION: "id"})
    parts: dict[str, Any] = {
        "offsets": offsets,
        "writer": store,
        "on_stored": (stored or Stored()).put,
    }
    consuming = TradeConsumer(
        **parts,
        dead_letters=letters or Letters(),  # type: ignore[arg-type]
        consumer=lambda: consumer,  # type: ignore[arg-type, return-value]
        should_stop=lambda: False,
        takes_coin=takes_coin,
    )
    await consuming.consume(source or stream(batches))
    return consuming


async def test_batches_are_stored_in_their_order() -> None:
    store, consumer = Store(), Consumer()
    await consume(store, consumer, batch(10, 11), batch(12), batch(13, 14))
    assert store.kept == [(10, [10, 11]), (12, [12]), (13, [13, 14])]
    assert consumer.done_offsets == [12, 13, 15]


async def test_what_was_stored_before_is_skipped() -> None:
    store, consumer = Store(), Consumer()
    await consume(store, consumer, batch(7, 8, 9), batch(9, 10))
    assert store.kept == [(10, [10])]
    assert consumer.seeks == 0


async def test_of_a_topic_that_was_recreated_nothing_is_taken_for_what_comes_next() -> None:
    store, consumer = Store(), Consumer()
    await consume(store, consumer, batch(*range(12), start=0), recreated=[True])
    assert store.kept == []
    assert consumer.seeks == 1, "to read it from its start"


async def test_where_kafka_does_not_say_whether_a_topic_was_recreated_it_is_asked_again() -> None:
    store, consumer = Store(), Consumer()
    answers: list[bool | Exception] = [KafkaConnectionError(), TimeoutError(), False]
    await consume(store, consumer, batch(*range(12), start=0), recreated=answers)
    assert store.kept == [(10, [10, 11])]
    assert consumer.seeks == 0


async def test_offsets_that_hold_no_record_are_passed_over() -> None:
    # As those of the markers of transactions: the fetch began before them.
    store, consumer = Store(), Consumer()
    await consume(store, consumer, batch(12, 15, start=10), batch(18, start=16))
    assert store.kept == [(10, [12, 15]), (16, [18])]
    assert consumer.seeks == 0


@pytest.mark.parametrize("first_offset", [12, 13])
async def test_offsets_that_kafka_has_deleted_are_passed_over(first_offset: int) -> None:
    store, consumer = Store(), Consumer(first_offset)
    await consume(store, consumer, batch(12))
    assert store.kept == [(10, [12])]
    assert consumer.seeks == 0


async def test_a_batch_behind_one_that_was_thrown_away_is_not_taken_for_the_next() -> None:
    store, consumer = Store(), Consumer(first_offset=11)
    await consume(store, consumer, batch(12))
    assert store.kept == []
    assert consumer.seeks == 1


async def test_where_kafka_does_not_say_what_it_has_deleted_it_is_asked_again() -> None:
    store, consumer = Store(), Consumer()

    async def no_answer(_: TP) -> int:
        raise TimeoutError

    consumer.first_offset = no_answer  # type: ignore[method-assign]
    await consume(store, consumer, batch(12))
    assert store.kept == []
    assert consumer.seeks == 1


async def test_what_was_stored_is_broadcast_with_the_offsets_it_covers() -> None:
    stored = Stored()
    await consume(Store(), Consumer(), batch(10, 11), batch(15, start=12), stored=stored)
    assert stored.trades == 3
    assert stored.spans == [Span(0, 10, 12), Span(0, 12, 16)]


async def fetch_of(*batches: Batch) -> AsyncIterator[Batches]:
    yield batches


@pytest.mark.parametrize(("slice_trades", "transactions"), [(1000, 1), (2, 2)])
async def test_the_batches_of_a_fetch_share_a_transaction_unless_they_are_large(
    slice_trades: int, transactions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_consumer, "SLICE_TRADES", slice_trades)
    stored, consumer = Stored(), Consumer()
    source = fetch_of(batch(10), batch(11), batch(12), batch(13))
    await consume(Store(), consumer, stored=stored, source=source)
    assert stored.trades == 4
    assert len(stored.spans) == transactions
    assert consumer.done_offsets == [11, 12, 13, 14]


async def test_a_database_that_is_away_is_asked_again() -> None:
    store = Store(StoreUnavailable("gone"), StoreUnavailable("gone"))
    consumer = Consumer()
    consuming = await consume(store, consumer, batch(10), batch(11))
    assert store.kept == [(10, [10]), (11, [11])]
    assert consuming.check() is None


def worker(
    store: Store, offsets: Offsets, consumer: Consumer, stopped: asyncio.Event
) -> TradeConsumer:
    """Return the consumer of a program that runs until it is stopped."""
    return TradeConsumer(
        offsets=offsets,
        writer=store,  # type: ignore[arg-type]
        dead_letters=None,  # type: ignore[arg-type]
        on_stored=Stored().put,
        consumer=lambda: consumer,  # type: ignore[arg-type, return-value]
        should_stop=stopped.is_set,
    )


async def trouble_of(consuming: TradeConsumer) -> str:
    """Wait until it says that something is wrong; return what."""

    async def trouble() -> str | None:
        return consuming.check()

    return await eventually(trouble, "trouble") or ""


async def test_readiness_says_that_the_database_is_away() -> None:
    store, stopped = Store(*(StoreUnavailable("gone") for _ in range(100))), asyncio.Event()
    offsets = Offsets(store, lambda: None)  # type: ignore[arg-type, return-value]
    offsets._checkpoints = await store.checkpoints({PARTITION: "id"})
    consuming = worker(store, offsets, Consumer(), stopped)
    following = asyncio.create_task(consuming.consume(stream([batch(10)])))
    assert await trouble_of(consuming) == "the store does not answer: gone"
    stopped.set()
    await following
    assert store.kept == []


@pytest.mark.parametrize("end", ["loaded at last", "partition lost", "cancelled"])
async def test_a_worker_whose_trades_wait_for_the_stored_offsets_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    class Locked(Store):
        is_locked = True

        async def checkpoints(self, topic_ids: Mapping[TP, str]) -> dict[TP, Checkpoint]:
            if self.is_locked:
                raise StoreUnavailable("locked")
            return await super().checkpoints(topic_ids)

    async def topic_ids(*_: object) -> dict[str, str]:
        return {PARTITION.topic: "id"}

    monkeypatch.setattr("chart_app.ingest.offsets.topic_ids", topic_ids)
    store, consumer = Locked(), Consumer()
    offsets = Offsets(store, lambda: None)  # type: ignore[arg-type, return-value]
    consuming = worker(store, offsets, consumer, asyncio.Event())
    following = asyncio.create_task(consuming.consume(stream([batch(10)])))
    expected = "trades wait for the stored offsets, which cannot be loaded yet"
    assert await trouble_of(consuming) == expected
    if end == "loaded at last":
        store.is_locked = False
    elif end == "partition lost":
        consumer.seeks += 1
    else:
        following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    assert following.cancelled() == (end == "cancelled")
    assert consuming.check() is None
    assert store.kept == ([(10, [10])] if end == "loaded at last" else [])


async def test_a_worker_that_was_superseded_after_an_outage_is_ready() -> None:
    store = Store(StoreUnavailable("gone"), Superseded("tradeData 0 is no longer at 10"))
    consuming = await consume(store, Consumer(), batch(10))
    assert store.kept == []
    assert consuming.check() is None


async def test_a_worker_that_lost_its_partitions_in_an_outage_is_ready() -> None:
    consumer = Consumer()

    class Away(Store):
        async def apply(self, *_: WriteBatch) -> Change:
            consumer.seeks += 1
            raise StoreUnavailable("gone")

    consuming = await consume(Away(), consumer, batch(10))
    assert consuming.check() is None


async def test_offsets_that_are_loaded_while_a_batch_is_read_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, consumer = Store(), Consumer()
    advanced: list[TP] = []

    def decode_and_seek(*given: Any) -> Decoded:
        consumer.seeks += 1
        return decode(*given)

    monkeypatch.setattr(trade_consumer, "decode", decode_and_seek)
    monkeypatch.setattr(Offsets, "advance", lambda _, tp, __: advanced.append(tp))
    await consume(store, consumer, batch(10))
    assert advanced == []


async def test_a_batch_whose_partition_has_gone_while_it_was_read_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, consumer = Store(), Consumer()
    loaded: list[Offsets] = []
    get = Offsets.get

    def decode_and_lose(*given: Any) -> Decoded:
        loaded[-1]._checkpoints = {}
        return decode(*given)

    def get_and_remember(self: Offsets, tp: TP) -> Checkpoint | None:
        loaded.append(self)
        return get(self, tp)

    monkeypatch.setattr(trade_consumer, "decode", decode_and_lose)
    monkeypatch.setattr(Offsets, "get", get_and_remember)
    await consume(store, consumer, batch(10))
    assert store.kept == []


async def test_a_worker_that_was_superseded_reads_again_what_the_store_lacks() -> None:
    store, consumer = Store(Superseded("tradeData 0 is no longer at 10")), Consumer()
    stored = Stored()
    await consume(store, consumer, batch(10), batch(11), stored=stored)
    assert stored.spans == []
    assert store.kept == []
    assert consumer.seeks == 1
    assert consumer.done_offsets == []


async def test_what_was_logged_is_stored_by_a_worker_that_is_told_to_end_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store()
    logged: list[int] = []

    def log_and_cancel(_: Batch, decoded: Decoded) -> None:
        logged.extend(decoded.trades.offsets)
        following.cancel()

    monkeypatch.setattr(trade_consumer, "SLICE_TRADES", 2)
    monkeypatch.setattr(trade_consumer, "log_trades", log_and_cancel)
    following = asyncio.create_task(consume(store, Consumer(), batch(10, 11, 12, 13, 14)))
    with pytest.raises(asyncio.CancelledError):
        await following
    assert logged == [10, 11, 12, 13, 14]
    assert store.kept == [(10, logged)]


CASE = Refusal(Reason.CASE, "differs only in case")
CONFLICT = Refusal(Reason.CONFLICT, "is that of another trade")


def refused(*offsets: int, by: Refusal = CONFLICT) -> Refused:
    return Refused({trade_id(0, offset): by for offset in offsets})


class Refusing(Store):
    """Refuses trades at some offsets. Its first transaction lasts until two batches wait."""

    def __init__(self, *offsets: int) -> None:
        super().__init__()
        self.offsets = {*offsets}
        self.tries: list[tuple[WriteBatch, ...]] = []
        self.two_wait = asyncio.Event()

    async def apply(self, *batches: WriteBatch) -> Change:
        """Refuse all trades that it is to refuse at once."""
        self.tries.append(batches)
        await self.two_wait.wait()
        found = [offset for it in batches for offset in it.trades.offsets if offset in self.offsets]
        if found:
            raise refused(*found)
        return await super().apply(*batches)


async def stream_and_tell(store: Refusing, *batches: Batch) -> AsyncIterator[Batches]:
    for it in batches:
        yield [it]
        await asyncio.sleep(0)
    store.two_wait.set()


async def test_what_the_store_refuses_is_dead_lettered_and_the_rest_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, consumer, letters, stored = Refusing(12, 14), Consumer(), Letters(), Stored()
    source = stream_and_tell(store, batch(10), batch(11, 12), batch(13, 14))
    monkeypatch.setattr(trade_consumer, "FOLD_ALONE_TRADES", 1)
    await consume(store, consumer, stored=stored, letters=letters, source=source)
    assert letters.sent == [[(12, CONFLICT.detail)], [(14, CONFLICT.detail)]]
    assert store.kept == [(10, [10]), (11, [11]), (13, [13])]
    assert consumer.done_offsets == [11, 13, 15]
    assert stored.spans == [Span(0, 10, 11), Span(0, 11, 15)]
    _, first, second = store.tries
    assert all(it.folded for it in first)
    assert not any(it.folded for it in second), "they are folded again"


async def test_a_batch_of_which_nothing_is_left_moves_the_offset_on() -> None:
    store, consumer = Store(refused(10, 11)), Consumer()
    await consume(store, consumer, batch(10, 11))
    assert store.kept == [(10, [])]
    assert consumer.done_offsets == [12]


async def test_where_dead_letters_are_not_confirmed_nothing_is_stored() -> None:
    store, consumer = Store(refused(10)), Consumer()
    await consume(store, consumer, batch(10, 11), letters=Letters(does_confirm=False))
    assert store.kept == []
    assert consumer.done_offsets == []


async def test_a_store_that_refuses_and_then_is_away_is_asked_again() -> None:
    store = Store(StoreUnavailable("gone"), refused(11), StoreUnavailable("gone"), refused(12))
    letters = Letters()
    consuming = await consume(store, Consumer(), batch(10, 11, 12), letters=letters)
    assert letters.sent == [[(11, CONFLICT.detail)], [(12, CONFLICT.detail)]]
    assert store.kept == [(10, [10])]
    assert consuming.check() is None


async def test_a_batch_that_is_lost_while_its_dead_letters_are_sent_is_thrown_away() -> None:
    store, consumer = Store(refused(10)), Consumer()

    class Slow(Letters):
        async def send(self, topic: str, source: Batch, letters: Sequence[DeadLetter]) -> bool:
            consumer.seeks += 1
            return await super().send(topic, source, letters)

    await consume(store, consumer, batch(10, 11), letters=Slow())
    assert store.kept == []
    assert consumer.done_offsets == []


async def test_refusals_are_counted_by_reason_and_logged_once_a_batch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def count(reason: str) -> float:
        return REGISTRY.get_sample_value("chart_dead_letters_total", {"reason": reason}) or 0

    before = {reason: count(reason) for reason in Reason}
    both = Refused({**refused(11).refusals, **refused(10, 12, by=CASE).refusals})
    await consume(Store(both), Consumer(), batch(10, 11, 12))
    assert {reason: count(reason) - before[reason] for reason in Reason} == {
        Reason.INVALID: 0,
        Reason.COIN: 0,
        Reason.MAX_COINS: 0,
        Reason.CASE: 2,
        Reason.CONFLICT: 1,
    }
    (line,) = [it for it in caplog.messages if "dead-letter" in it]
    assert line == (
        "3 records of tradeData partition 0 are refused (case 2, conflict 1) and go to "
        "tradeData.dead-letter; the first, offset 10: differs only in case"
    )


async def test_a_coin_that_is_not_taken_is_dead_lettered() -> None:
    store, letters = Store(), Letters()
    ether = record(GOOD.replace(b"BTC", b"ETH"), offset=11)
    mixed = Batch(*PARTITION, [record(GOOD, offset=10), ether], 10)
    await consume(store, Consumer(), mixed, letters=letters, takes_coin="BTC".__eq__)
    assert store.kept == [(10, [10])]
    told = "coinName: is not one of the coins that are taken here (COINS)"
    assert letters.sent == [[(11, told)]]
