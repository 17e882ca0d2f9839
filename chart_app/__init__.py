"""The consumer group that follows the trades, and serves them: ``faust -A chart_app worker``."""

import time
from collections.abc import Mapping

from faust.types import TP

import settings
import topics
from chart_app import docs, page, rest, udf
from chart_app.agent import Follower, add_agent
from chart_app.database import Database, database_url
from chart_app.history import History
from chart_app.hub import Hub
from chart_app.live import Announcer, LiveFeed
from chart_app.offsets import Offsets, TopicWatch
from chart_app.rebuild import make_command
from chart_app.store import Store
from chart_app.store_gate import StoreGate
from chart_app.websocket import WebSockets
from records import Trade
from streaming.app import App
from streaming.dead_letter import DeadLetterQueue
from streaming.kafka import plain_consumer
from streaming.metrics import ConsumerLag
from streaming.transport import BatchSchema


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _start_offsets(partitions: set[TP]) -> Mapping[TP, int]:
    takes_over = _offsets.are_new(partitions)
    offsets = await _offsets.load(partitions)
    if takes_over:
        _announcer.announce_takeover()
    return offsets


_settings = settings.load()
_live_topic = topics.live_topic(_settings)

_database = Database(database_url(_settings))
_store = Store(_database, store_trades=_settings.store_trades)
_gate = StoreGate(_store, _database)
_history = History(_database)
_hub = Hub(_history, _now_ms)
_offsets = Offsets(_store, lambda: app.kafka_producer.kafka.client)
_announcer = Announcer(_live_topic.name, lambda: app.kafka_producer, lambda: app.should_stop)
_feed = LiveFeed(
    _live_topic.name,
    _hub,
    lambda: plain_consumer(_settings),
    lambda: app.kafka_producer.kafka.partitions_for(_live_topic.name),
)
_follower = Follower(
    offsets=_offsets,
    store=_store,
    dead_letters=DeadLetterQueue(lambda: app.kafka_producer, lambda: app.should_stop),
    announcer=_announcer,
    consumer=lambda: app.kafka_consumer,
    should_stop=lambda: app.should_stop,
)

app: App = App(
    _settings.group_id,
    origin="chart_app",
    settings=_settings,
    port_setting="CHART_PORT",
    topics=[
        *topics.trade_topics(_settings),
        *topics.dead_letter_topics(_settings),
        _live_topic,
    ],
    services=[_gate, _hub, _feed, TopicWatch(_offsets, lambda: app.kafka_consumer)],
    start_offsets=_start_offsets,
    refusal_forms={"api": rest.refused, "udf": udf.refused},
)
trades = app.topic(*_settings.trade_topics, schema=BatchSchema(key_type=bytes, value_type=Trade))
add_agent(app, trades, _follower)

_web_app = app.add_pages(docs.DOCUMENT, [app.check_group, _gate.check, _follower.check])
rest.add_routes(_web_app, _history, _settings, _now_ms)
udf.add_routes(_web_app, _history, _settings, _now_ms)
WebSockets(_hub).add_routes(_web_app)
page.add_routes(_web_app)
ConsumerLag(lambda: app.kafka_consumer.lags())  # noqa: PLW0108 - there is none yet
rebuild = make_command(_database)
