"""Trades in over HTTP, out to Kafka: ``faust -A trading_app worker``."""

import settings
import topics
from records import Trade
from streaming.app import App
from trading_app import docs, views
from trading_app.publish import Publisher
from trading_app.replay import make_command

_settings = settings.load()

app = App(
    "trading_app",
    origin="trading_app",
    settings=_settings,
    port=_settings.trading_port,
    topics=topics.trade_topics(_settings),
    producer_only=True,
)
trades = app.topic(*_settings.trade_topics, key_type=str, value_type=Trade)
publisher = Publisher(lambda: app.kafka_producer, _settings)
views.add_routes(app.add_pages(docs.document(_settings), []), publisher, _settings)
replay = make_command(app, publisher, _settings)
