"""Trades in over HTTP, out to Kafka: ``faust -A trading_app worker``."""

import settings
import topics
from records import Trade
from streaming.app import App
from trading_app.endpoints import bulk, openapi, single
from trading_app.endpoints.bulk import BulkView
from trading_app.endpoints.rate_limiter import Clients
from trading_app.endpoints.single import TradeView
from trading_app.publisher import Publisher
from trading_app.replay import make_command

_settings = settings.load()

app = App(
    "trading_app",
    origin="trading_app",
    settings=_settings,
    port_setting="TRADING_PORT",
    topics=topics.trade_topics(_settings),
    producer_only=True,
)
trades = app.topic(*_settings.trade_topics, key_type=str, value_type=Trade)
publisher = Publisher(lambda: app.kafka_producer, _settings)
_clients = Clients(_settings.http_rate_limit)
_web_app = app.add_pages(openapi.document(_settings), [])
_web_app.router.add_post(single.PATH, TradeView(publisher, _clients, _settings).post)
_web_app.router.add_post(bulk.PATH, BulkView(publisher, _clients, _settings).post)
replay = make_command(app, publisher, _settings)
