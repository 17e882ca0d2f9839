"""Health: whether the process is up and Kafka answers it."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence

from aiohttp import web
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from mode import Service

from streaming.deadlines import HELD_UP_S
from streaming.http.responses import json_response
from streaming.kafka.producer import Producer
from streaming.trouble import Trouble

logger = logging.getLogger(__name__)

NO_ANSWER_YET = "Kafka has not answered yet"
PULSE_INTERVAL_S = 1.0
#: If the last answer is older, the program is not ready.
ANSWER_MAX_AGE_S = 3.0

#: Returns what is wrong, or None.
Check = Callable[[], str | None]


class Pulse(Service):
    """Sends a small request to Kafka every second, to know whether it answers."""

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
        #: When Kafka is asked next, or given up. Later this program is held up: an answer may have
        #: come meanwhile.
        self._due = math.inf
        self._trouble = Trouble(logger, "Kafka answers", NO_ANSWER_YET)

    def check(self) -> str | None:
        """Return None if Kafka answered recently, else for how long it has not."""
        if self._last_answer is None:
            return NO_ANSWER_YET
        age = min(self._clock(), self._due) - self._last_answer
        if age > ANSWER_MAX_AGE_S:
            return f"Kafka has not answered for {age:.1f} s"
        return None

    def answered(self) -> None:
        """Record that Kafka has answered now."""
        self._last_answer = self._clock()

    @Service.task
    async def _ask_periodically(self) -> None:
        while not self.should_stop:
            self._due = self._clock() + ANSWER_MAX_AGE_S
            try:
                await self._ask()
            except (KafkaError, TimeoutError, OSError):
                if self._clock() > self._due + HELD_UP_S:
                    continue
                # check() reports it, by the age of the last answer
            else:
                self.answered()
            self._due = self._clock() + PULSE_INTERVAL_S
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
    web_app: web.Application,
    checks: list[Check],
    warnings: Sequence[Check] = (),
    may_see_reasons: Callable[[web.Request], bool] = lambda _: True,
) -> None:
    """Add ``/healthz`` (the process is up) and ``/readyz`` (it can do its work).

    ``/readyz`` answers 503 if one of ``checks`` fails; it lists failed ``warnings`` with a 200.
    Who may not see the reasons gets the status only.
    """

    async def healthz(_: web.Request) -> web.Response:
        return json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        if reasons := _failures(checks):
            shown = {"reasons": reasons} if may_see_reasons(request) else {}
            return json_response({"status": "unavailable", **shown}, 503)
        if (failures := _failures(warnings)) and may_see_reasons(request):
            return json_response({"status": "ok", "warnings": failures})
        return json_response({"status": "ok"})

    web_app.router.add_get("/healthz", healthz)
    web_app.router.add_get("/readyz", readyz)


def _failures(checks: Sequence[Check]) -> list[str]:
    return [failure for check in checks if (failure := check())]
