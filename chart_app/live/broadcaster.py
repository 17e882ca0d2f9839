"""Broadcasts what was stored to the other workers. Storing never waits for it."""

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
from chart_app.storage.write_batch import Change, together
from streaming.kafka.producer import Producer
from streaming.trouble import Trouble

logger = logging.getLogger(__name__)

DROPPED = Counter("chart_broadcasts_dropped", "Transactions whose trades were not broadcast.")
#: Trades and candles that may wait to be broadcast. Changes beyond that are dropped: the workers
#: read them from the store.
MAX_WAITING = 50_000
#: Changes are sent together as long as they have at most so many trades and candles.
TOGETHER = 2000
#: How long Kafka has to accept what was waiting. After that all of it is dropped.
SEND_TIMEOUT_S = 5.0
#: The same when the program stops.
STOP_TIMEOUT_S = 1.0
#: The pause after what waits was sent: more transactions share messages. This worker's own
#: subscribers do not wait for it.
PAUSE_S = 0.03
#: How often, after a failure, an empty list of spans is sent until Kafka accepts it.
PROBE_INTERVAL_S = 1.0
#: After this time without success a warning says that readers are served late.
WARN_AFTER_S = 5.0


class Broadcaster(Service):
    """Sends live messages in the order of the transactions, and the spans that they cover.

    What Kafka does not accept in time is dropped: every worker notices the gap, and reads from
    the store what is in it (:mod:`chart_app.live.resync`).
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        topic: str,
        worker_id: bytes,
        producer: Callable[[], Producer],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._topic = topic
        self._headers = [(messages.WORKER_HEADER, worker_id)]
        self._producer = producer
        self._clock = clock
        self._waiting: list[tuple[Change, Sequence[Span]]] = []
        self._size = 0
        self._has_waiting = asyncio.Event()
        self._sending = asyncio.Lock()
        #: When Kafka stopped accepting live messages, by the clock (s).
        self._failing_since: float | None = None
        self._trouble = Trouble(logger, "Kafka accepts live messages again", level=logging.WARNING)

    def put(self, change: Change, spans: Sequence[Span]) -> None:
        """Queue what a transaction has changed, and the offsets that it covers."""
        if self._size > MAX_WAITING:
            self.drop()
        else:
            self._waiting.append((change, spans))
            self._size += change.size
            self._has_waiting.set()

    def drop(self, transactions: int = 1) -> None:
        """Count transactions that are not sent."""
        DROPPED.inc(transactions)

    def warning(self) -> str | None:
        """Return None if Kafka accepts live messages, else that readers are served late."""
        if self._failing_since is not None:
            failing_s = self._clock() - self._failing_since
            if failing_s > WARN_AFTER_S:
                return (
                    f"Kafka has not accepted live messages for {failing_s:.0f} s: "
                    f"readers are served late, from the store"
                )
        return None

    @Service.task
    async def _send_all(self) -> None:
        while not self.should_stop:
            await self.wait(self._has_waiting.wait(), timeout=PROBE_INTERVAL_S)
            if self._waiting or self._failing_since is not None:
                await self._send_waiting(SEND_TIMEOUT_S)
                await asyncio.sleep(PAUSE_S)

    async def on_stop(self) -> None:
        """Send what is still waiting, if Kafka accepts it in time."""
        if self._waiting:
            await self._send_waiting(STOP_TIMEOUT_S)

    async def _send_waiting(self, timeout_s: float) -> None:
        async with self._sending:
            self._has_waiting.clear()
            waiting, self._waiting, self._size = self._waiting, [], 0
            start = self._clock()
            try:
                kafka = self._producer().kafka
                await self._producer().within(timeout_s, kafka, self._send(kafka, waiting))
            except (KafkaError, NotReady, TimeoutError) as error:
                self.drop(len(waiting))
                self._note_failure(start, error)
                if isinstance(error, KafkaError):
                    self._producer().send_failed(kafka)
            else:
                self._note_success()

    async def _send(
        self, kafka: AIOKafkaProducer, waiting: Sequence[tuple[Change, Sequence[Span]]]
    ) -> None:
        futures: list[asyncio.Future[object]] = []
        try:
            for change in together((change for change, _ in waiting), TOGETHER):
                for coin, part in messages.by_coin(change, change.coins):
                    futures.append(await self._send_one(kafka, coin.encode(), part.encode()))
                await asyncio.sleep(0)  # or all that waits would be encoded in one turn
            if futures:
                await asyncio.gather(*futures)
        except BaseException:
            for future in futures:
                future.cancel()  # else asyncio logs that its exception was never retrieved
            raise
        # Only now: the spans assert that all of the messages are on the topic.
        spans = [span for _, spans_of_one in waiting for span in spans_of_one]
        spans_sent = await self._send_one(kafka, messages.SPANS_KEY, messages.encode_spans(spans))
        if futures:
            spans_sent.add_done_callback(_retrieve_error)
        else:
            await spans_sent

    async def _send_one(
        self, kafka: AIOKafkaProducer, key: bytes, value: bytes
    ) -> "asyncio.Future[object]":
        sent: asyncio.Future[object] = await kafka.send(
            self._topic, value, key=key, headers=self._headers
        )
        return sent

    def _note_failure(self, start: float, error: Exception) -> None:
        if self._failing_since is None:
            self._failing_since = start
        if self.warning():
            self._trouble.note(
                "Kafka does not accept live messages: readers are served late, from the store "
                f"({error!r})"
            )

    def _note_success(self) -> None:
        self._failing_since = None
        self._trouble.note(None)


def _retrieve_error(spans_sent: "asyncio.Future[object]") -> None:
    if not spans_sent.cancelled():
        spans_sent.exception()  # ignored: the workers find a gap
