"""The wiring of trading_app."""

from functools import cache
from typing import NamedTuple

import faust
from aiohttp import web

import settings
import topics
from records import Trade
from streaming import runtime
from streaming.app import App
from streaming.kafka.rights import Right
from trading_app.endpoints import bulk, openapi, single
from trading_app.endpoints.bulk import BulkEndpoint
from trading_app.endpoints.rate_limiter import RateLimiter
from trading_app.endpoints.single import SingleEndpoint
from trading_app.publisher import Publisher
from trading_app.replay_command import make_command


class Program(NamedTuple):
    """The Faust app, its topic, and the aiohttp application with its routes."""

    app: App
    trades: faust.TopicT
    web_app: web.Application


@cache
def program() -> Program:
    """Return the program of this process, built from the settings."""
    runtime.set_up()
    loaded = settings.load()
    app = App(
        "trading_app",
        origin="trading_app",
        settings=loaded,
        port=loaded.trading_port,
        port_setting="TRADING_PORT",
        topics=topics.trade_topics(loaded, Right.WRITE),
        producer_only=True,
        on_logging_set_up=settings.warn_of_misspelt,
    )
    trades = app.topic(*loaded.trade_topics, key_type=str, value_type=Trade)
    publisher = Publisher(lambda: app.kafka_producer, loaded)
    limiter = RateLimiter(loaded.http_rate_limit, app.clients)
    web_app = app.add_pages(openapi.document(loaded), [])
    web_app.router.add_post(single.PATH, SingleEndpoint(publisher, limiter, loaded).post)
    endpoint = BulkEndpoint(publisher, limiter, app.clients, loaded)
    web_app.router.add_post(bulk.PATH, endpoint.post)
    make_command(app, publisher, loaded)
    return Program(app, trades, web_app)
