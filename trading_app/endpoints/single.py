"""``POST /send-trading-data``: one trade, answered once Kafka has stored it."""

from aiohttp import web

from settings import Settings
from streaming.clock import now_ms
from streaming.http.body import BodyError, read_body
from streaming.http.clients import Clients
from streaming.http.guard import log_refused
from streaming.http.request import key_of
from streaming.http.responses import json_response, problem
from trade_rules import TRADE_MAX_BYTES, InvalidTrade, NotJSON
from trading_app.endpoints.metrics import ResponseMetrics
from trading_app.endpoints.post import (
    RETRY_AFTER,
    NotAllowed,
    PostEndpoint,
    headers_of,
    may_backdate,
    rules_of,
)
from trading_app.endpoints.rate_limiter import RateLimiter
from trading_app.parsing import form, submission
from trading_app.parsing.form import NotAForm
from trading_app.parsing.media_type import JSON, read_media_type
from trading_app.parsing.submission import NoTopic, Submission, record_of
from trading_app.publisher import NotConfirmed, Publisher, PublishError, Refused, Stored

PATH = "/send-trading-data"
FORM = "application/x-www-form-urlencoded"
PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class SingleEndpoint(PostEndpoint):
    """Accepts one trade per request."""

    def __init__(
        self, publisher: Publisher, limiter: RateLimiter, clients: Clients, settings: Settings
    ) -> None:
        super().__init__(limiter, ResponseMetrics("trading_http", PATH))
        self._publisher = publisher
        self._clients = clients
        self._rules = rules_of(settings, settings.trade_topics)
        self._body_limit = min(settings.http_body_limit, TRADE_MAX_BYTES)
        self._read_timeout_s = settings.http_read_timeout

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            submitted = await self._read(request)
            key = key_of(request)
            if key and not key.may_write(submitted.trade.coinName):
                log_refused(request, 403, self._clients.of(request))
                raise NotAllowed(key)  # noqa: TRY301 - it is answered as the others are
            stored = await self._publisher.publish(
                submitted.topic,
                record_of(submitted.trade, submitted.timestamp_ms),
                headers_of(request),
            )
        except (BodyError, NotAllowed) as error:
            return error.answer
        except (NotJSON, NotAForm) as error:
            return problem(400, str(error))
        except NoTopic:
            return web.Response(status=400, text="topic is undefined")
        except InvalidTrade as error:
            return problem(422, "Some fields are not valid.", errors=error.errors)
        except PublishError as error:
            return _unpublished(error)
        return _created(stored, request)

    async def _read(self, request: web.Request) -> Submission:
        media_type = read_media_type(request.headers.get("Content-Type", ""))
        if media_type not in {JSON, FORM}:
            raise BodyError(415, f"The body must be {JSON} or {FORM}, in UTF-8.")
        body = await read_body(request, self._body_limit, self._read_timeout_s)
        allow_old = may_backdate(request)
        if media_type == JSON:
            return submission.read_json(body, self._rules, now_ms(), allow_old=allow_old)
        return submission.parse(form.read_form(body), self._rules, now_ms(), allow_old=allow_old)


def _created(stored: Stored, request: web.Request) -> web.Response:
    if JSON in request.headers.get("Accept", ""):
        return json_response(stored._asdict(), 201)
    body = f"topic {stored.topic} added".encode()
    return web.Response(status=201, body=body, headers=PLAIN_TEXT)


def _unpublished(error: PublishError) -> web.Response:
    if isinstance(error, NotConfirmed):
        detail = (
            f"The outcome is unknown: {error}. Kafka may or may not store the trade; "
            "sent again, it may be stored twice."
        )
    elif isinstance(error, Refused):
        detail = f"The trade was not stored: {error}."
    else:
        detail = f"The trade was not sent: {error}."
    return problem(503, detail, headers=RETRY_AFTER)
