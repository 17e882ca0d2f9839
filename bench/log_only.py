"""chart_app's consumer and log without its store.

``faust -A bench.log_only worker`` does what chart_app's peers do, with chart_app's own modules:
it reads trades, validates and logs them, and commits the offsets.
"""

import asyncio

import faust

import settings
import topics
from chart_app.ingest.trade_consumer import SLICE_BYTES, SLICE_TRADES, log_trades
from chart_app.model.decoder import decode
from records import Trade
from streaming.app import App
from streaming.kafka.batch import Batch, BatchSchema

_settings = settings.load()
app = App(
    _settings.group_id,
    origin="bench.log_only",
    settings=_settings,
    port=_settings.chart_port,
    port_setting="CHART_PORT",
    topics=[*topics.trade_topics(_settings)],
)
trades = app.topic(*_settings.trade_topics, schema=BatchSchema(key_type=bytes, value_type=Trade))


@app.agent(trades)
async def consume_trades(batches: faust.StreamT[Batch]) -> None:
    """Log each trade."""
    async for batch in batches:
        for slice_ in batch.slices(SLICE_TRADES, SLICE_BYTES):
            log_trades(batch, decode(0, slice_))
            await asyncio.sleep(0)
        app.kafka_consumer.done(batch)
