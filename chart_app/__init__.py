"""The consumer group that follows the trades, and serves them: ``faust -A chart_app worker``."""

import time

import settings
import topics
from chart_app.ingest.offsets import Offsets, TopicWatch
from chart_app.ingest.trade_consumer import Follower, add_agent
from chart_app.live.broadcaster import Broadcaster
from chart_app.live.gaps import LiveGaps
from chart_app.live.messages import LiveFeed
from chart_app.live.resync import Resync, StoredMinutes, TopicMinutes
from chart_app.rest import binance, openapi, udf
from chart_app.storage.database import Database, database_url
from chart_app.storage.gate import StoreGate
from chart_app.storage.reader import History
from chart_app.storage.rebuild import make_command
from chart_app.storage.writer import Store
from chart_app.web import routes
from chart_app.websocket.connection import WebSockets
from chart_app.websocket.hub import Hub
from records import Trade
from streaming.app import App
from streaming.http.metrics import ConsumerLag
from streaming.kafka.cluster import plain_consumer
from streaming.kafka.dead_letter import DeadLetterQueue
from streaming.kafka.topic_ids import TopicState, topic_states
from streaming.kafka.topic_keeper import TopicKeeper
from streaming.kafka.transport import BatchSchema


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _live_topic_state() -> TopicState | None:
    client = app.kafka_producer.kafka.client
    return (await topic_states(client, [_live_topic.name])).get(_live_topic.name)


_settings = settings.load()
_live_topic = topics.live_topic(_settings)
_own_topics = [*topics.dead_letter_topics(_settings), _live_topic]

_database = Database(database_url(_settings))
_store = Store(_database, store_trades=_settings.store_trades)
_gate = StoreGate(_store, _database)
_history = History(_database)
_gaps = LiveGaps()
_hub = Hub(_history, _gaps, _now_ms)
_resync = Resync(
    _gaps,
    _history,
    _hub,
    StoredMinutes(_history)
    if _settings.store_trades
    else TopicMinutes(lambda: plain_consumer(_settings, offset_reset="earliest")),
)
_offsets = Offsets(_store, lambda: app.kafka_producer.kafka.client)
_broadcaster = Broadcaster(_live_topic.name, lambda: app.kafka_producer)
_feed = LiveFeed(
    _live_topic.name, lambda: plain_consumer(_settings), _live_topic_state, _hub.handle, _resync
)
_follower = Follower(
    offsets=_offsets,
    store=_store,
    dead_letters=DeadLetterQueue(lambda: app.kafka_producer, lambda: app.should_stop),
    broadcaster=_broadcaster,
    consumer=lambda: app.kafka_consumer,
    should_stop=lambda: app.should_stop,
)

app: App = App(
    _settings.group_id,
    origin="chart_app",
    settings=_settings,
    port_setting="CHART_PORT",
    topics=[*topics.trade_topics(_settings), *_own_topics],
    services=[
        *(_gate, _hub, _resync, _feed, _broadcaster),
        TopicWatch(_offsets, lambda: app.kafka_consumer),
        TopicKeeper(_settings, _own_topics, lambda: app.kafka_producer),
    ],
    start_offsets=_offsets.load,
    refusal_forms={"api": binance.refused, "udf": udf.refused},
)
trades = app.topic(*_settings.trade_topics, schema=BatchSchema(key_type=bytes, value_type=Trade))
add_agent(app, trades, _follower)

_web_app = app.add_pages(
    openapi.DOCUMENT, [app.check_group, _gate.check, _follower.check], [_broadcaster.warning]
)
binance.add_routes(_web_app, _history, _settings, _now_ms)
udf.add_routes(_web_app, _history, _settings, _now_ms)
WebSockets(_hub).add_routes(_web_app)
routes.add_routes(_web_app)
ConsumerLag(lambda: app.kafka_consumer.lags())  # noqa: PLW0108 - there is none yet
rebuild = make_command(_database)
