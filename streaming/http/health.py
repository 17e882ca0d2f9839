"""Health: is the process up, and does Kafka answer it."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from aiohttp import web
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from mode import Service

from streaming.http.responses import json_response
from streaming.kafka.producer import Producer
from streaming.trouble import Trouble

logger = logging.getLogger(__name__)

PULSE_INTERVAL_S = 1.0
#: Older than this, and the broker's last answer no longer counts as "lately".
ANSWER_MAX_AGE_S = 3.0

#: A check returns what is wrong, or None.
Check = Callable[[], str | None]


class Pulse(Service):
    """Asks Kafka for a sign of life each second."""

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        producer: Callable[[], Producer],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._producer = producer
        self._clock = clock
        self._last_answer: float | None = None
        self._trouble = Trouble(logger, "Kafka answers", "Kafka has not answered yet")

    def check(self) -> str | None:
        """Return None if Kafka answered lately, else since when it has not."""
        if self._last_answer is None:
            return "Kafka has not answered yet"
        age = self._clock() - self._last_answer
        if age > ANSWER_MAX_AGE_S:
            return f"Kafka has not answered for {age:.1f} s"
        return None

    def answered(self) -> None:
        """Note a sign of life."""
        self._last_answer = self._clock()

    @Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            try:
                await self._ask()
            except (KafkaError, TimeoutError, OSError):
                pass  # the age of the last answer tells
            else:
                self.answered()
            self._report()
            await self.sleep(PULSE_INTERVAL_S)

    async def _ask(self) -> None:
        client = self._producer().kafka.client
        await asyncio.wait_for(
            client.send(client.get_random_node(), MetadataRequest([])), ANSWER_MAX_AGE_S
        )

    def _report(self) -> None:
        if self._last_answer is not None:
            self._trouble.note("Kafka does not answer" if self.check() else None)


def add_routes(
    web_app: web.Application, checks: list[Check], warnings: Sequence[Check] = ()
) -> None:
    """Add ``/healthz`` (the process is up) and ``/readyz`` (it can do its work).

    What ``warnings`` find wrong is said there, too, of a program that can do its work.
    """

    async def healthz(_: web.Request) -> web.Response:
        return json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        if reasons := _found(checks):
            return json_response({"status": "unavailable", "reasons": reasons}, 503)
        if found := _found(warnings):
            return json_response({"status": "ok", "warnings": found})
        return json_response({"status": "ok"})

    web_app.router.add_get("/healthz", healthz)
    web_app.router.add_get("/readyz", readyz)


def _found(checks: Sequence[Check]) -> list[str]:
    return [trouble for check in checks if (trouble := check())]
