"""``faust -A trading_app replay FILE``."""

import asyncio
import logging.config
import sys
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from math import inf
from typing import Any, NoReturn

import click
from aiokafka.errors import KafkaError
from faust.cli import AppCommand, argument, option
from tqdm import tqdm

import topics
from settings import Settings, warn_of_misspelt
from streaming import clock, logs
from streaming.app import App
from streaming.globs import one_of
from streaming.kafka.topics import KafkaUnavailable
from trading_app.parsing import trade_file
from trading_app.parsing.trade_file import FileRules, NotATradeFile, RefusedRow, Row, TimeRange
from trading_app.publisher import Publisher, PublishError
from trading_app.replay import Replay

UNREADABLE = (OSError, EOFError, zlib.error, NotATradeFile)
MAX_SPEED = inf
INTERRUPTED = 130  # the exit code by which shells report Ctrl-C


def make_command(app: App, publisher: Publisher, settings: Settings) -> type[AppCommand]:
    """Define the command and add it to those of the app."""

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
                help="shift all times so that the latest trade is now; omit the trade ids",
            ),
        ]

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and exit."""
            replay = Replay(publisher, self.kwargs["topic"], self.kwargs["speed"])
            takes_coin = one_of(settings.coins)
            rules = FileRules(lambda: clock.now_ms() + topics.max_future_ms(settings), takes_coin)
            if self.kwargs["until_now"]:
                rules = FileRules(takes_coin=takes_coin)  # what is moved is never later than now
            logging.config.dictConfig(logs.config(settings.log_level, settings.log_format))
            warn_of_misspelt()
            file, until_now = self.kwargs["file"], self.kwargs["until_now"]
            sys.exit(_replay(app, replay, file, rules, until_now=until_now))

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


def _replay(app: App, replay: Replay, file: str, rules: FileRules, *, until_now: bool) -> int:
    try:
        with trade_file.open_file(file) as lines:
            span = TimeRange.of(lines) if until_now else None
            rows = trade_file.read(trade_file.lines_of(lines), rules)
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
    app: App, replay: Replay, rows: Iterable[Row | RefusedRow], span: TimeRange | None
) -> None:
    async with _producer(app):
        if span:
            rows = trade_file.shifted(rows, span.shift_ms(replay.speed, clock.now_ms()))
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
