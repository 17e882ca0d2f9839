"""``POST /trades``: many trades, answered once Kafka has stored all."""

import asyncio
from itertools import zip_longest
from typing import Any

from aiohttp import web

from settings import Settings
from streaming.clock import now_ms
from streaming.http.body import BodyError, read_body
from streaming.http.clients import Clients
from streaming.http.guard import log_refused
from streaming.http.keys import Key
from streaming.http.request import key_of
from streaming.http.responses import json_response, problem
from streaming.http.shares import Shares
from streaming.kafka.accumulator import ProducerBatch
from streaming.slices import slices
from trading_app.endpoints.metrics import ResponseMetrics
from trading_app.endpoints.post import (
    RETRY_AFTER,
    PostEndpoint,
    headers_of,
    may_backdate,
    rules_of,
)
from trading_app.endpoints.rate_limiter import RateLimiter
from trading_app.parsing import trade_list
from trading_app.parsing.media_type import JSON, read_media_type
from trading_app.parsing.trade_list import BadBody, Bulk
from trading_app.publisher import NotSent, Publisher

PATH = "/trades"
NDJSON = "application/x-ndjson"
BODY_LIMIT = 4 * 1024 * 1024
#: Of all bodies that are being received or parsed: nothing else limits their memory. A client has
#: a quarter of it at most.
BODIES_LIMIT = 16 * BODY_LIMIT
#: Trades, and bytes, parsed in one turn of the event loop: 3 ms, at worst 15.
SLICE = 500
SLICE_BYTES = 64 * 1024


class KeyCoins:
    """The coins of a key; counts the trades of others."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self.refused = 0

    def error(self, coin: str) -> str | None:
        """Return why a trade of a coin is refused, None if it is not."""
        if self._key.may_write(coin):
            return None
        self.refused += 1
        return f"the key {self._key.id} may not send trades of this coin"


def _coins_of(request: web.Request) -> KeyCoins | None:
    """Return the coins of the request's key, None if it may send all."""
    key = key_of(request)
    return KeyCoins(key) if key and key.coins else None


class BulkEndpoint(PostEndpoint):
    """Accepts many trades per request, all for the first of ``TRADE_TOPICS``."""

    def __init__(
        self, publisher: Publisher, limiter: RateLimiter, clients: Clients, settings: Settings
    ) -> None:
        super().__init__(limiter, ResponseMetrics("trading_bulk", PATH))
        self._publisher = publisher
        self._topic = settings.trade_topics[0]
        self._rules = rules_of(settings, [self._topic], self._topic)
        self._read_timeout_s = settings.http_read_timeout
        self._clients = clients
        self._bodies = Shares(BODIES_LIMIT)

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            bulk = await self._read(request)
        except BodyError as error:
            return error.answer
        except BadBody as error:
            return problem(error.status, str(error))
        counts: dict[str, Any] = {"accepted": len(bulk.records), "rejected": len(bulk.rejected)}
        if not bulk.records:
            return problem(422, "There is no valid trade.", **counts, errors=bulk.rejected)
        try:
            batches = await self._publisher.publish_all(
                self._topic, bulk.records, headers_of(request)
            )
        except NotSent as error:
            return problem(503, f"No trade was sent: {error}.", headers=RETRY_AFTER)
        if len(batches) < len(bulk.records) or not all(batch.stored for batch in set(batches)):
            return self._unconfirmed(bulk, batches)
        return json_response({**counts, "errors": bulk.rejected}, 207 if bulk.rejected else 201)

    async def _read(self, request: web.Request) -> Bulk:
        if self._publisher.is_full:
            raise BodyError(503, "Too many trades wait for Kafka already.", RETRY_AFTER)
        media_type = read_media_type(request.headers.get("Content-Type", ""))
        if media_type not in {JSON, NDJSON}:
            raise BodyError(415, f"The body must be {JSON} or {NDJSON}, in UTF-8.")
        share = self._bodies.of(self._clients.of(request))
        body = await read_body(request, BODY_LIMIT, self._read_timeout_s, share)
        try:
            items = (
                trade_list.split_array(body) if media_type == JSON else trade_list.split_lines(body)
            )
            self._limiter.spend_more(request, len(items))
            bulk = Bulk()
            received_ms, allow_old = now_ms(), may_backdate(request)
            coins = _coins_of(request)
            error_of = coins.error if coins else None
            for part in slices(items, SLICE, SLICE_BYTES, trade_list.size_of):
                if bulk.count:
                    await asyncio.sleep(0)
                bulk.read(part, self._rules, received_ms, error_of, allow_old=allow_old)
        finally:
            share.give_back(len(body))
        if coins and coins.refused:
            log_refused(request, 207 if bulk.records else 422, self._clients.of(request))
        return bulk

    def _unconfirmed(self, bulk: Bulk, batches: list[ProducerBatch]) -> web.Response:
        confirmed: list[int] = []
        unknown: list[int] = []
        for index, batch in zip_longest(bulk.indexes, batches):
            (confirmed if batch and batch.stored else unknown).append(index)
        failed = [batch for batch in batches if not batch.stored]
        why = self._publisher.reason(failed[0]) if failed else "the producer was closed"
        return problem(
            503,
            f"The outcome of {len(unknown)} trades is unknown: {why}. "
            "Kafka may or may not store them; sent again, they may be stored twice.",
            headers=RETRY_AFTER,
            confirmed=confirmed,
            unknown=unknown,
            errors=bulk.rejected,
        )
