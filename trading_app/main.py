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
from streaming.http.keys import Scope
from streaming.kafka.rights import Right
from trading_app import key_command, replay_command
from trading_app.endpoints import bulk, openapi, single
from trading_app.endpoints.bulk import BulkEndpoint
from trading_app.endpoints.rate_limiter import RateLimiter
from trading_app.endpoints.single import SingleEndpoint
from trading_app.publisher import Publisher

#: If there are keys, the scopes that the routes need.
ROUTE_SCOPES = {single.PATH: Scope.WRITE, bulk.PATH: Scope.WRITE}


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
        route_scopes=ROUTE_SCOPES,
        producer_only=True,
        on_logging_set_up=settings.warn_of_misspelt,
    )
    trades = app.topic(*loaded.trade_topics, key_type=str, value_type=Trade)
    publisher = Publisher(lambda: app.kafka_producer, loaded)
    limiter = RateLimiter(loaded.http_rate_limit, app.clients)
    web_app = app.add_pages(openapi.document(loaded), [])
    single_endpoint = SingleEndpoint(publisher, limiter, app.clients, loaded)
    web_app.router.add_post(single.PATH, single_endpoint.post)
    bulk_endpoint = BulkEndpoint(publisher, limiter, app.clients, loaded)
    web_app.router.add_post(bulk.PATH, bulk_endpoint.post)
    replay_command.make_command(app, publisher, loaded)
    key_command.make_command()
    return Program(app, trades, web_app)
