"""The wiring of chart_app."""

from functools import cache
from typing import NamedTuple
from uuid import uuid4

from aiohttp import web

import settings
import topics
from chart_app.commands import rebuild, schema, void
from chart_app.ingest.agent import add_agent
from chart_app.ingest.offsets import Offsets, TopicWatch
from chart_app.ingest.trade_consumer import TradeConsumer
from chart_app.live.broadcaster import Broadcaster
from chart_app.live.corrections import Corrections
from chart_app.live.feed import LiveFeed
from chart_app.live.gaps import LiveGaps
from chart_app.live.resync import Resync
from chart_app.live.short_way import ShortWay
from chart_app.live.traded_minutes import StoredMinutes, TopicMinutes, TradedMinutes
from chart_app.market.assets import Markets
from chart_app.market.market_data import MarketData
from chart_app.rest import binance, openapi, openbb, udf
from chart_app.rest.endpoints import spellings
from chart_app.storage.database import Database, database_url
from chart_app.storage.gate import StoreGate
from chart_app.storage.reader import StoreReader
from chart_app.storage.writer import StoreWriter
from chart_app.web import login, routes
from chart_app.websocket import description
from chart_app.websocket.hub import Hub
from chart_app.websocket.server import WebSockets
from records import Trade
from settings import Settings
from streaming import runtime
from streaming.app import App
from streaming.clock import now_ms
from streaming.globs import one_of
from streaming.http.access import ReadOrigins
from streaming.http.admission import Admission
from streaming.http.clients import Clients
from streaming.http.keys import Scope
from streaming.http.metrics import ConsumerLag
from streaming.kafka.batch import BatchSchema
from streaming.kafka.cluster import plain_consumer
from streaming.kafka.dead_letter import DeadLetterQueue
from streaming.kafka.rights import Right
from streaming.kafka.topic_ids import TopicState, topic_states
from streaming.kafka.topic_keeper import TopicKeeper

#: If there are keys, the scopes that the routes need.
ROUTE_SCOPES = {
    **dict.fromkeys(("/api/", "//api/", "/udf/", "//udf/"), Scope.READ),
    **dict.fromkeys(spellings(openbb.PATH), Scope.READ),
    **dict.fromkeys(("/ws", "/ws/", "/stream", "/ws-api/v3"), Scope.READ),
    "/": Scope.READ,
    "/page/": None,
    login.PATH: None,
    login.LOGOUT_PATH: None,
}


class Program(NamedTuple):
    """The app, the database it writes to, and its HTTP application."""

    app: App
    database: Database
    web_app: web.Application


@cache
def program() -> Program:
    """Return the program of this process, built once from its settings."""
    runtime.set_up()
    return _wire(settings.load())


def _wire(loaded: Settings) -> Program:
    database = _database(loaded)
    writer = StoreWriter(database, store_trades=loaded.store_trades, max_coins=loaded.max_coins)
    reader = StoreReader(database)
    gate = StoreGate(writer, database)
    offsets = Offsets(writer, lambda: app.kafka_producer.kafka.client)

    live_topic = topics.live_topic(loaded)
    own_topics = [*topics.dead_letter_topics(loaded), live_topic]

    async def live_topic_state() -> TopicState | None:
        client = app.kafka_producer.kafka.client
        return (await topic_states(client, [live_topic.name])).get(live_topic.name)

    gaps = LiveGaps()
    hub = Hub(reader, gaps, now_ms)
    resync = Resync(gaps, reader, hub, _traded_minutes(loaded, reader))
    worker_id = uuid4().bytes
    broadcaster = Broadcaster(live_topic.name, worker_id, lambda: app.kafka_producer)
    short_way = ShortWay(hub.note_traded, hub.handle_change, resync.cover, broadcaster)
    consumer = TradeConsumer(
        offsets=offsets,
        writer=writer,
        dead_letters=DeadLetterQueue(lambda: app.kafka_producer, lambda: app.should_stop),
        on_stored=short_way.put,
        consumer=lambda: app.kafka_consumer,
        should_stop=lambda: app.should_stop,
        takes_coin=one_of(loaded.coins),
    )
    app = App(
        loaded.group_id,
        origin="chart_app",
        settings=loaded,
        port=loaded.chart_port,
        port_setting="CHART_PORT",
        topics=[*topics.trade_topics(loaded, Right.READ), *own_topics],
        route_scopes=ROUTE_SCOPES,
        services=[
            *(gate, hub, resync, Corrections(reader, hub)),
            LiveFeed(
                live_topic.name,
                worker_id=worker_id,
                new_consumer=lambda: plain_consumer(loaded),
                state=live_topic_state,
                on_message=hub.handle,
                spans=resync,
            ),
            *(broadcaster, short_way),
            TopicWatch(offsets, lambda: app.kafka_consumer),
            TopicKeeper(loaded, own_topics, lambda: app.kafka_producer),
        ],
        start_offsets=offsets.load,
        error_forms={"api": binance.error_form, "udf": udf.error_form, "": login.error_form},
        on_logging_set_up=_log_warnings,
    )
    trades = app.topic(*loaded.trade_topics, schema=BatchSchema(key_type=bytes, value_type=Trade))
    add_agent(app, trades, consumer)

    rebuild.make_command(database)
    schema.make_command(database)
    void.make_commands(database)
    ConsumerLag(lambda: app.kafka_consumer.lags())  # noqa: PLW0108 - the consumer does not exist yet
    web_app = app.add_pages(
        openapi.document(description.DESCRIPTION),
        [app.check_group, gate.check, consumer.check],
        [broadcaster.warning],
    )
    markets = Markets(loaded.quote_assets, loaded.default_quote_asset)
    market_data = MarketData(reader, markets, now_ms)
    _add_market_data(web_app, market_data, reader, loaded)
    WebSockets(
        hub, market_data.endpoints, app.clients, app.client_connections_max, app.admission
    ).add_routes(web_app)
    _add_page(web_app, app.admission, app.clients, loaded)
    return Program(app, database, web_app)


def _database(loaded: Settings) -> Database:
    try:
        return Database(database_url(loaded))
    except ValueError as error:
        settings.refuse("DATABASE_URL", error)


def _add_market_data(
    web_app: web.Application, market_data: MarketData, reader: StoreReader, loaded: Settings
) -> None:
    origins = ReadOrigins(loaded.read_origins)
    binance.add_routes(web_app, market_data, origins)
    udf.add_routes(web_app, reader, loaded, now_ms)
    openbb.add_routes(web_app, reader, origins)


def _add_page(
    web_app: web.Application, admission: Admission | None, clients: Clients, loaded: Settings
) -> None:
    has_login = admission is not None and Scope.READ not in admission.public
    if admission and has_login:
        login.add_routes(web_app, admission, clients)
    trading_app = routes.TradingApp(
        port=loaded.trading_port,
        topic=loaded.trade_topics[0],
        has_tls=loaded.http_tls_certfile is not None,
        has_keys=admission is not None,
    )
    routes.add_routes(web_app, trading_app, has_login=has_login)


def _log_warnings() -> None:
    settings.warn_of_misspelt()
    routes.warn_if_missing()


def _traded_minutes(loaded: Settings, reader: StoreReader) -> TradedMinutes:
    if loaded.store_trades:
        return StoredMinutes(reader)
    return TopicMinutes(lambda: plain_consumer(loaded, offset_reset="earliest"))
