"""The HTTP interface of trading_app."""

import codecs
import time

from aiohttp import web
from aiokafka.structs import RecordMetadata
from prometheus_client import Counter, Histogram

import topics
from records import InvalidTrade, NotJSON
from settings import Settings
from streaming.web import BodyError, add_route, json_response, problem, read_body
from trading_app import submission
from trading_app.publish import NotConfirmed, Publisher, PublishError, now_ms
from trading_app.submission import NotAForm, NoTopic, Rules, Submission

PATH = "/send-trading-data"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
RETRY_AFTER_S = "1"

ANSWERS = Counter("trading_http_answers", f"Answers to POST {PATH}.", ["status"])
SECONDS = Histogram(
    "trading_http_seconds",
    f"Time to answer POST {PATH}.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def add_routes(web_app: web.Application, publisher: Publisher, settings: Settings) -> None:
    """Add the route that takes trades."""
    add_route(web_app, "POST", PATH, TradeView(publisher, settings).post)


class TradeView:
    """``POST /send-trading-data``: one trade, answered once Kafka holds it."""

    def __init__(self, publisher: Publisher, settings: Settings) -> None:
        self._publisher = publisher
        self._rules = Rules(tuple(settings.trade_topics), topics.max_future_ms(settings))
        self._body_limit = settings.http_body_limit
        self._read_timeout_s = settings.http_read_timeout
        self._counters: dict[int, Counter] = {}

    async def post(self, request: web.Request) -> web.Response:
        """Answer a request, and count it."""
        start = time.perf_counter()
        answer = await self._answer(request)
        SECONDS.observe(time.perf_counter() - start)
        self._count(answer.status)
        return answer

    def _count(self, status: int) -> None:
        counter = self._counters.get(status)
        if counter is None:  # labels() takes a lock to look it up
            counter = self._counters[status] = ANSWERS.labels(status)
        counter.inc()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            submitted = await self._read(request)
            stored = await self._publisher.publish(
                submitted.topic, submitted.trade, submitted.timestamp_ms
            )
        except BodyError as error:
            return error.answer
        except (NotJSON, NotAForm) as error:
            return problem(400, str(error))
        except NoTopic:
            return web.Response(status=400, text="topic is undefined")
        except InvalidTrade as error:
            return problem(422, "Some fields are not valid.", errors=error.errors)
        except PublishError as error:
            return _unpublished(error)
        return _added(stored, request)

    async def _read(self, request: web.Request) -> Submission:
        content_type = request.content_type
        if content_type not in {JSON, FORM} or not _is_utf8(request.charset or "utf-8"):
            raise BodyError(415, f"The body must be {JSON} or {FORM}, in UTF-8.")
        body = await read_body(request, self._body_limit, self._read_timeout_s)
        if content_type == JSON:
            return submission.read_json(body, self._rules, now_ms())
        return submission.parse(submission.read_form(body), self._rules, now_ms())


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except LookupError:
        return False


def _added(stored: RecordMetadata, request: web.Request) -> web.Response:
    if JSON not in request.headers.get("Accept", ""):
        return web.Response(status=201, text=f"topic {stored.topic} added")
    return json_response(
        {
            "topic": stored.topic,
            "partition": stored.partition,
            "offset": stored.offset,
            "timestamp": stored.timestamp,
        },
        201,
    )


def _unpublished(error: PublishError) -> web.Response:
    if isinstance(error, NotConfirmed):
        detail = (
            f"The outcome is unknown: {error}. Kafka may or may not store the trade; "
            "sent again, it may be stored twice."
        )
    else:
        detail = f"The trade was not sent: {error}."
    return problem(503, detail, headers={"Retry-After": RETRY_AFTER_S})
