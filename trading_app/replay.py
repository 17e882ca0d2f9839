"""``faust -A trading_app replay FILE``: trades from a file, in their own rhythm or faster."""

import asyncio
import csv
import logging.config
import sys
import time
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import click
from aiokafka.errors import KafkaError
from faust.cli import AppCommand, argument, option
from tqdm import tqdm

import topics
from settings import Settings
from streaming import logs
from streaming.app import App
from streaming.kafka import KafkaUnavailable
from trading_app import tradefile
from trading_app.publish import Publisher, SendBufferFull, now_ms
from trading_app.tradefile import NotATradeFile, RefusedRow, Row

UNREADABLE = (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error, NotATradeFile)
REFUSED_SHOWN = 5
MAX_SPEED = float("inf")
#: Shorter pauses are not worth a turn of the event loop's clock.
MIN_PAUSE_S = 0.001
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended


@dataclass
class Outcome:
    """What became of the lines of a file."""

    sent: int = 0
    unconfirmed: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.sent} trades sent, {len(self.refused)} refused"]
        if self.unconfirmed:
            lines[0] += f", {self.unconfirmed} not confirmed by Kafka"
        lines += [f"  line {row.line}: {row.reason}" for row in self.refused[:REFUSED_SHOWN]]
        if len(self.refused) > REFUSED_SHOWN:
            lines.append(f"  and {len(self.refused) - REFUSED_SHOWN} more")
        return "\n".join(lines)


class Replay:
    """Sends the rows of a file to a topic; ``outcome`` says how far it came."""

    def __init__(self, publisher: Publisher, topic: str, speed: float) -> None:
        self.outcome = Outcome()
        self._publisher = publisher
        self._topic = topic
        self._speed = speed
        self._pending: set[asyncio.Future[Any]] = set()

    async def run(self, rows: Iterable[Row | RefusedRow]) -> None:
        """Send all rows in the order of the file and wait for Kafka's confirmation."""
        start = time.monotonic()
        first_ms: int | None = None
        for row in rows:
            if isinstance(row, RefusedRow):
                self.outcome.refused.append(row)
                continue
            if first_ms is None:
                first_ms = row.timestamp_ms
            due = start + (row.timestamp_ms - first_ms) / 1000 / self._speed
            if (pause := due - time.monotonic()) > MIN_PAUSE_S:
                await asyncio.sleep(pause)
            await self._send(row)
        if self._pending:
            await asyncio.wait(self._pending)

    async def _send(self, row: Row) -> None:
        while True:
            try:
                sent = await self._publisher.send(self._topic, row.trade, row.timestamp_ms)
            except SendBufferFull:
                await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
            else:
                self._pending.add(sent)
                sent.add_done_callback(self._settle)
                return

    def _settle(self, sent: "asyncio.Future[Any]") -> None:
        self._pending.discard(sent)
        if sent.cancelled() or sent.exception():
            self.outcome.unconfirmed += 1
        else:
            self.outcome.sent += 1


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
        ]

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and end the program."""
            replay = Replay(publisher, self.kwargs["topic"], self.kwargs["speed"])
            latest_ms = now_ms() + topics.max_future_ms(settings)
            logging.config.dictConfig(logs.config(settings.log_level, settings.log_format))
            sys.exit(asyncio.run(_replay(app, replay, self.kwargs["file"], latest_ms)))

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


async def _replay(app: App, replay: Replay, file: str, latest_ms: int) -> int:
    try:
        with tradefile.open_file(file) as lines:
            async with _producer(app):
                await replay.run(_with_progress(tradefile.read(lines, latest_ms)))
    except asyncio.CancelledError:
        print(f"Interrupted: {replay.outcome}")
        return INTERRUPTED
    except (*UNREADABLE, KafkaUnavailable, KafkaError) as error:
        print(f"{replay.outcome}\n{file}: {error}", file=sys.stderr)
        return 1
    print(replay.outcome)
    return 1 if replay.outcome.refused or replay.outcome.unconfirmed else 0


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
