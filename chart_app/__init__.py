"""The consumer group that follows the trades: ``faust -A chart_app worker``."""

import settings
import topics
from chart_app import docs
from chart_app.agent import Follower, add_agent
from records import Trade
from streaming.app import App
from streaming.dead_letter import DeadLetterQueue
from streaming.metrics import ConsumerLag
from streaming.transport import BatchSchema

_settings = settings.load()

app = App(
    _settings.group_id,
    origin="chart_app",
    settings=_settings,
    port=_settings.chart_port,
    topics=topics.trade_topics(_settings) + topics.dead_letter_topics(_settings),
)
trades = app.topic(*_settings.trade_topics, schema=BatchSchema(key_type=bytes, value_type=Trade))
add_agent(
    app, trades, Follower(DeadLetterQueue(lambda: app.kafka_producer, lambda: app.should_stop))
)
app.add_pages(docs.DOCUMENT, [app.check_group])
ConsumerLag(lambda: app.kafka_consumer.lags())  # noqa: PLW0108 - there is none yet
