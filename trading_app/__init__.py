"""Trades in over HTTP, out to Kafka: ``faust -A trading_app worker``."""

import settings
import topics
from records import Trade
from streaming.app import App
from trading_app import bulk_view, docs, views
from trading_app.bulk_view import BulkView
from trading_app.clients import Clients
from trading_app.publish import Publisher
from trading_app.replay import make_command
from trading_app.views import TradeView

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
_web_app = app.add_pages(docs.document(_settings), [])
_web_app.router.add_post(views.PATH, TradeView(publisher, _clients, _settings).post)
_web_app.router.add_post(bulk_view.PATH, BulkView(publisher, _clients, _settings).post)
replay = make_command(app, publisher, _settings)
