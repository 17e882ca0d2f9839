"""``faust -A trading_app replay FILE``: trades from a file, in their own rhythm or faster."""

import asyncio
import logging.config
import sys
import time
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, NoReturn

import click
from aiokafka.errors import KafkaError
from faust.cli import AppCommand, argument, option
from tqdm import tqdm

import topics
from settings import Settings, warn_of_misspelt
from streaming import logs
from streaming.app import App
from streaming.kafka.accumulator import ProducerBatch
from streaming.kafka.cluster import KafkaUnavailable
from streaming.kafka.transport import FLUSH_TIMEOUT_S
from trading_app.parsing import trade_file
from trading_app.parsing.submission import Record, record_of
from trading_app.parsing.trade_file import NotATradeFile, RefusedRow, Row, Span
from trading_app.publisher import SLICE, NotSent, Publisher, PublishError, now_ms

UNREADABLE = (OSError, EOFError, zlib.error, NotATradeFile)
REFUSED_SHOWN = 5
MAX_SPEED = inf
#: Shorter pauses are not worth a turn of the event loop's clock.
MIN_PAUSE_S = 0.001
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended


@dataclass
class Outcome:
    """What became of the lines of a file."""

    sent: int = 0
    confirmed: int = 0
    refused: int = 0
    first_refused: list[RefusedRow] = field(default_factory=list)

    def refuse(self, row: RefusedRow) -> None:
        """Count a line that is no trade, and keep it if it is one of the first."""
        self.refused += 1
        if len(self.first_refused) < REFUSED_SHOWN:
            self.first_refused.append(row)

    def __str__(self) -> str:
        lines = [f"{self.confirmed} trades sent, {self.refused} refused"]
        if self.unconfirmed:
            lines[0] += f", {self.unconfirmed} not confirmed by Kafka"
        lines += [f"  line {row.line}: {row.reason}" for row in self.first_refused]
        if self.refused > REFUSED_SHOWN:
            lines.append(f"  and {self.refused - REFUSED_SHOWN} more")
        return "\n".join(lines)

    @property
    def unconfirmed(self) -> int:
        """Return how many were sent whose outcome is unknown."""
        return self.sent - self.confirmed


class Replay:
    """Sends the rows of a file to a topic; ``outcome`` says how far it came."""

    def __init__(self, publisher: Publisher, topic: str, speed: float) -> None:
        self.outcome = Outcome()
        self.speed = speed
        self._publisher = publisher
        self._topic = topic
        self._at_once = min(SLICE, publisher.max_unconfirmed)
        self._pending: dict[ProducerBatch, asyncio.Future[None]] = {}

    async def run(self, rows: Iterable[Row | RefusedRow]) -> None:
        """Send all rows in the order of the file and wait for Kafka's confirmation.

        Raises :exc:`PublishError` if Kafka does not take any.
        """
        try:
            await self._send_all(rows)
        except asyncio.CancelledError:
            await self._wait_for_pending(FLUSH_TIMEOUT_S)
            raise
        await self._wait_for_pending(None)

    async def _send_all(self, rows: Iterable[Row | RefusedRow]) -> None:
        start = time.monotonic()
        first_ms: int | None = None
        due: list[Record] = []
        for row in rows:
            if isinstance(row, RefusedRow):
                self.outcome.refuse(row)
                continue
            if first_ms is None:
                first_ms = row.timestamp_ms
            due_s = start + (row.timestamp_ms - first_ms) / 1000 / self.speed
            pause_s = due_s - time.monotonic()
            if pause_s > MIN_PAUSE_S or len(due) == self._at_once:
                await self._send(due)
                due = []
            if pause_s > MIN_PAUSE_S:
                await asyncio.sleep(pause_s)
            due.append(record_of(row.trade, row.timestamp_ms))
        await self._send(due)

    async def _send(self, due: list[Record]) -> None:
        while True:
            try:
                places = await self._publisher.send(self._topic, due)
            except NotSent:
                if not self._pending:
                    raise
                await asyncio.wait(self._pending.values(), return_when=asyncio.FIRST_COMPLETED)
            else:
                break
        self.outcome.sent += len(due)
        for batch in {batch for batch, _ in places} - self._pending.keys():
            waiter = self._pending[batch] = batch.waiter()
            waiter.add_done_callback(partial(self._settle, batch))
        await asyncio.sleep(0)  # what was sent goes out while the next lines are read

    def _settle(self, batch: ProducerBatch, _: "asyncio.Future[None]") -> None:
        del self._pending[batch]
        if batch.stored:
            self.outcome.confirmed += batch.count

    async def _wait_for_pending(self, timeout_s: float | None) -> None:
        if self._pending:
            await asyncio.wait(self._pending.values(), timeout=timeout_s)


def make_command(app: App, publisher: Publisher, settings: Settings) -> type[AppCommand]:
    """Add the command to the app's."""

    class replay(AppCommand):  # noqa: N801 - the name is the command's
        """Send the trades of a CSV file (also .gz; - for standard input) to Kafka."""

        options = [  # noqa: RUF012 - Faust's declaration
            argument("file"),
            option(
                "--speed",
                default="1",
                callback=_parse_speed,
                help="times real time, or max",
            ),
            option(
                "--topic",
                default=settings.trade_topics[0],
                type=click.Choice(settings.trade_topics),
                show_default=True,
            ),
            option(
                "--until-now",
                is_flag=True,
                help="move all times, so that the latest trade is now, and leave out trade ids",
            ),
        ]

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and end the program."""
            replay = Replay(publisher, self.kwargs["topic"], self.kwargs["speed"])
            latest_ms = now_ms() + topics.max_future_ms(settings)
            logging.config.dictConfig(logs.config(settings.log_level, settings.log_format))
            warn_of_misspelt()
            file, until_now = self.kwargs["file"], self.kwargs["until_now"]
            sys.exit(_replay(app, replay, file, latest_ms, until_now=until_now))

    return replay


def _parse_speed(_context: Any, _option: Any, text: str) -> float:
    if text == "max":
        return MAX_SPEED
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed < MAX_SPEED:
        raise click.BadParameter("must be a number above 0, or max")
    return speed


def _replay(app: App, replay: Replay, file: str, latest_ms: int, *, until_now: bool) -> int:
    try:
        with trade_file.open_file(file) as lines:
            span = Span.of(lines) if until_now else None
            rows = trade_file.read(trade_file.lines_of(lines), inf if span else latest_ms)
            asyncio.run(_send(app, replay, rows, span))
    except KeyboardInterrupt:
        print(f"Interrupted: {replay.outcome}")
        return INTERRUPTED
    except (*UNREADABLE, KafkaUnavailable, KafkaError, PublishError) as error:
        if replay.outcome.sent:
            print(replay.outcome, file=sys.stderr)
        print(f"{file}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 1
    print(replay.outcome)
    return 1 if replay.outcome.refused or replay.outcome.unconfirmed else 0


async def _send(
    app: App, replay: Replay, rows: Iterable[Row | RefusedRow], span: Span | None
) -> None:
    async with _producer(app):
        if span:
            rows = trade_file.moved(rows, span.shift_ms(replay.speed, now_ms()))
        await replay.run(_with_progress(rows))


@asynccontextmanager
async def _producer(app: App) -> AsyncIterator[None]:
    await app.gate.wait_for_topics()
    await app.producer.start()
    try:
        yield
    finally:
        await app.producer.stop()


def _with_progress(rows: Iterable[Row | RefusedRow]) -> Iterable[Row | RefusedRow]:
    return tqdm(rows, unit=" trades", unit_scale=True, disable=None)
