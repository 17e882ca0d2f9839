"""Broadcasts what was stored to all workers, on the live topic. Storing never waits for it."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.exceptions import NotReady
from mode import Service
from prometheus_client import Counter

from chart_app.live import messages
from chart_app.live.gaps import Span
from chart_app.storage.write_batch import Change
from streaming.kafka.producer import Producer
from streaming.trouble import Trouble

logger = logging.getLogger(__name__)

DROPPED = Counter("chart_broadcasts_dropped", "Transactions whose trades were not broadcast.")
#: Trades and candles that may wait to be broadcast. What comes then is not: the workers read it
#: from the store.
MAX_WAITING = 100_000
#: For Kafka to take what was waiting. Then all of it is dropped.
LIMIT_S = 5.0
#: The same at the end of the program.
END_LIMIT_S = 1.0
#: What Kafka has refused is followed by an empty message, so often, until it takes one.
PROBE_INTERVAL_S = 1.0
#: After so long without success there is a warning that readers wait.
WARN_AFTER_S = 5.0


class Broadcaster(Service):
    """Sends live messages in the order of the transactions, and says up to where it has.

    What Kafka does not take in time is dropped: every worker sees the gap, and reads from the
    store what is in it (:mod:`chart_app.live.resync`).
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        topic: str,
        producer: Callable[[], Producer],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._topic = topic
        self._producer = producer
        self._clock = clock
        self._waiting: list[tuple[Change, Sequence[Span]]] = []
        self._size = 0
        self._arrived = asyncio.Event()
        self._sending = asyncio.Lock()
        #: Since when Kafka has not taken what it was sent.
        self._failing_since: float | None = None
        self._trouble = Trouble(logger, "Kafka takes live messages again", level=logging.WARNING)

    def put(self, change: Change, spans: Sequence[Span]) -> None:
        """Take what a transaction has changed, and the offsets that it covers."""
        if self._size > MAX_WAITING:
            self._drop(1)
        else:
            self._waiting.append((change, spans))
            self._size += len(change.trades) + len(change.candles)
            self._arrived.set()

    def warning(self) -> str | None:
        """Return None if Kafka takes what is broadcast, else that readers wait."""
        if self._failing_since is not None:
            failing_s = self._clock() - self._failing_since
            if failing_s > WARN_AFTER_S:
                return (
                    f"Kafka has not taken live messages for {failing_s:.0f} s: "
                    f"readers are served late, from the store"
                )
        return None

    @Service.task
    async def _send_all(self) -> None:
        while not self.should_stop:
            await self.wait(self._arrived.wait(), timeout=PROBE_INTERVAL_S)
            if self._waiting or self._failing_since is not None:
                await self._send_waiting(LIMIT_S)

    async def on_stop(self) -> None:
        """Send what still waits, if Kafka is quick."""
        if self._waiting:
            await self._send_waiting(END_LIMIT_S)

    async def _send_waiting(self, limit_s: float) -> None:
        async with self._sending:
            self._arrived.clear()
            sent, self._waiting, self._size = self._waiting, [], 0
            begin = self._clock()
            try:
                kafka = self._producer().kafka
                await self._producer().within(limit_s, kafka, self._send(kafka, sent))
            except (KafkaError, NotReady, TimeoutError) as error:
                self._drop(len(sent))
                self._note_failure(begin, error)
                if isinstance(error, KafkaError):
                    self._producer().send_failed(kafka)
            else:
                self._note_success()

    async def _send(
        self, kafka: AIOKafkaProducer, changes: Sequence[tuple[Change, Sequence[Span]]]
    ) -> None:
        futures: list[asyncio.Future[object]] = []
        try:
            for change, _ in changes:
                for coin, value in messages.encode_change(change):
                    futures.append(await kafka.send(self._topic, value, key=coin.encode()))
            if futures:
                await asyncio.gather(*futures)
        except BaseException:
            for future in futures:
                future.cancel()  # or asyncio logs that nobody has looked at its error
            raise
        # Only now: whoever reads this must find that all of it is on the topic.
        spans = [span for _, of_change in changes for span in of_change]
        said = await kafka.send(self._topic, messages.encode_spans(spans), key=messages.SPANS_KEY)
        if futures:
            said.add_done_callback(_look_at_error)
        else:
            await said

    def _drop(self, transactions: int) -> None:
        DROPPED.inc(transactions)

    def _note_failure(self, begin: float, error: Exception) -> None:
        if self._failing_since is None:
            self._failing_since = begin
        if self.warning():
            self._trouble.note(
                "Kafka does not take live messages: readers are served late, from the store "
                f"({error!r})"
            )

    def _note_success(self) -> None:
        self._failing_since = None
        self._trouble.note(None)


def _look_at_error(said: "asyncio.Future[object]") -> None:
    if not said.cancelled():
        said.exception()  # a gap like any other
