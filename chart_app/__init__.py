"""The consumer group that follows the trades: ``faust -A chart_app worker``."""

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types import TP

import settings
import topics
from chart_app import docs
from chart_app.agent import Follower, add_agent
from chart_app.database import Database, database_url
from chart_app.live import Announcer, LiveFeed
from chart_app.offsets import Offsets, TopicWatch
from chart_app.store import Store
from chart_app.store_gate import StoreGate
from records import Trade
from streaming.app import App
from streaming.dead_letter import DeadLetterQueue
from streaming.kafka import credentials
from streaming.metrics import ConsumerLag
from streaming.transport import BatchSchema

_settings = settings.load()

_topics = topics.trade_topics(_settings)
_live_topic = topics.live_topic(_settings)

_database = Database(database_url(_settings))
_store = Store(_database, store_trades=_settings.store_trades)
_gate = StoreGate(_store, _database)
_offsets = Offsets(_store, lambda: app.kafka_producer.kafka.client)
_announcer = Announcer(_live_topic.name, lambda: app.kafka_producer, lambda: app.should_stop)

app: App = App(
    _settings.group_id,
    origin="chart_app",
    settings=_settings,
    port=_settings.chart_port,
    topics=[*_topics, *topics.dead_letter_topics(_settings), _live_topic],
    services=[_gate, TopicWatch(_offsets, lambda: app.kafka_consumer)],
    start_offsets=_offsets.load,
)
follower = Follower(
    offsets=_offsets,
    store=_store,
    dead_letters=DeadLetterQueue(lambda: app.kafka_producer, lambda: app.should_stop),
    announcer=_announcer,
    consumer=lambda: app.kafka_consumer,
    should_stop=lambda: app.should_stop,
)
trades = app.topic(*_settings.trade_topics, schema=BatchSchema(key_type=bytes, value_type=Trade))
add_agent(app, trades, follower)
web_app = app.add_pages(docs.DOCUMENT, [app.check_group, _gate.check, follower.check])
ConsumerLag(lambda: app.kafka_consumer.lags())  # noqa: PLW0108 - there is none yet
