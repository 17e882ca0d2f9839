"""The connections, with a hub that the test plays; the protocol stands in tests/integration."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from chart_app.websocket import connection, message_limit, requests, server
from chart_app.websocket.channels import Subscriber
from chart_app.websocket.ending import FLOODED, TOO_SLOW
from chart_app.websocket.events import Event
from chart_app.websocket.hub import Hub
from chart_app.websocket.message_limit import BURST, MESSAGES_PER_S
from chart_app.websocket.requests import MAX_STREAMS
from chart_app.websocket.send_queue import MAX_WAITING_BYTES
from chart_app.websocket.server import WebSockets
from chart_app.websocket.streams import Stream
from streaming.http.clients import Clients
from tests.waiting import PATIENCE_S, eventually

WEBSOCKETS = 3
STREAMS = 4 * MAX_STREAMS

Client = TestClient[web.Request, web.Application]
Socket = aiohttp.ClientWebSocketResponse[bool]


class PlayedHub:
    """Keeps who reads what; greets with a running candle."""

    def __init__(self) -> None:
        self.readers: dict[str, set[Subscriber]] = {}
        self.error: Exception | None = None
        self.is_answering = asyncio.Event()
        self.is_answering.set()

    async def find_coins(self, _: Iterable[Stream]) -> dict[str, str]:
        """Find none."""
        await self.is_answering.wait()
        if self.error:
            raise self.error
        return {}

    def subscribe(self, reader: Subscriber, stream: Stream, _: str | None) -> None:
        """Let a reader read."""
        self.readers.setdefault(stream.name, set()).add(reader)

    async def send_snapshot(self, reader: Subscriber, stream: Stream) -> None:
        """Send the first event."""
        reader.push(Event(stream.name, {"n": 0}, 0, is_running=True))

    def unsubscribe(self, reader: Subscriber, name: str) -> None:
        """Let a reader no longer read."""
        self.readers[name].discard(reader)

    def emit(self, event: Event) -> None:
        """Send an event to all who read its stream."""
        for reader in self.readers[event.stream]:
            reader.push(event)

    def count(self) -> int:
        """Return how many read."""
        return sum(map(len, self.readers.values()))


@pytest.fixture
def hub() -> PlayedHub:
    return PlayedHub()


@pytest.fixture
async def client(hub: PlayedHub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr(server, "STREAMS_MAX", STREAMS)
    web_app = web.Application()
    WebSockets(cast(Hub, hub), {}, Clients(), WEBSOCKETS).add_routes(web_app)
    async with TestClient(TestServer(web_app)) as client:
        yield client


async def ask(socket: Socket, method: str, params: Any = (), id_: Any = 1) -> Any:
    """Send a request; return what comes next."""
    await socket.send_json({"method": method, "params": list(params), "id": id_})
    return await socket.receive_json(timeout=PATIENCE_S)


async def all_gone(hub: PlayedHub) -> None:
    """Wait until nobody reads any more."""

    async def none() -> bool:
        return hub.count() == 0

    await eventually(none, "nobody reads any more")


async def eventually_open(count: int) -> None:
    """Wait until there are so many connections."""

    async def is_count() -> bool:
        return bool(server.OPEN._value.get() == count)

    await eventually(is_count, f"{count} connections")


async def test_the_answer_comes_before_the_first_event(client: Client) -> None:
    async with client.ws_connect("/stream") as socket:
        assert await ask(socket, "SUBSCRIBE", ["a@trade"]) == {"result": None, "id": 1}
        assert await socket.receive_json() == {"stream": "a@trade", "data": {"n": 0}}


async def test_who_is_connected_misses_no_event_of_the_streams_in_its_address(
    client: Client, hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_SUBSCRIPTIONS_S", PATIENCE_S)
    hub.is_answering.clear()
    connecting = asyncio.create_task(client.ws_connect("/ws/a@trade"))
    done, _ = await asyncio.wait({connecting}, timeout=0.2)
    assert not done
    hub.is_answering.set()
    async with await connecting as socket:
        hub.emit(Event("a@trade", {"n": 1}))
        received = [await socket.receive_json(timeout=PATIENCE_S) for _ in range(2)]
        assert received == [{"n": 0}, {"n": 1}]


async def test_a_store_that_does_not_answer_keeps_nobody_from_connecting(
    client: Client, hub: PlayedHub
) -> None:
    hub.is_answering.clear()
    async with client.ws_connect("/ws/a@trade") as socket:
        assert hub.count() == 0
        hub.is_answering.set()
        assert await socket.receive_json(timeout=PATIENCE_S) == {"n": 0}


async def test_a_fault_of_ours_while_one_connects_is_logged_and_told(
    client: Client, hub: PlayedHub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.error = ValueError("a fault")
    async with client.ws_connect("/ws/a@trade") as socket:
        message = await socket.receive(timeout=PATIENCE_S)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1011)
    assert [it.exc_info for it in caplog.records if it.levelno >= logging.ERROR]


async def test_who_leaves_while_it_connects_is_forgotten(
    client: Client, hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_SUBSCRIPTIONS_S", PATIENCE_S)
    hub.is_answering.clear()
    connecting = asyncio.create_task(client.ws_connect("/ws/a@trade"))
    await eventually_open(1)
    connecting.cancel()
    await asyncio.wait({connecting})
    await eventually_open(0)
    assert hub.count() == 0


async def test_who_subscribes_twice_reads_once(client: Client, hub: PlayedHub) -> None:
    async with client.ws_connect("/ws") as socket:
        for id_ in (1, 2):
            await socket.send_json({"method": "SUBSCRIBE", "params": ["a@trade"] * 2, "id": id_})
        received = [await socket.receive_json() for _ in range(3)]
        assert sorted(received, key=len) == [{"n": 0}, *({"result": None, "id": n} for n in (1, 2))]
        assert hub.count() == 1


async def test_a_request_for_nothing_is_answered(client: Client) -> None:
    async with client.ws_connect("/ws") as socket:
        for method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            assert await ask(socket, method) == {"result": None, "id": 1}
        assert await ask(socket, "UNSUBSCRIBE", ["b@trade"]) == {"result": None, "id": 1}


async def test_more_streams_than_may_be_are_refused_and_the_others_stay(client: Client) -> None:
    names = [f"c{number}@trade" for number in range(MAX_STREAMS)]
    async with client.ws_connect("/ws") as socket:
        assert await ask(socket, "SUBSCRIBE", names) == {"result": None, "id": 1}
        for _ in names:
            await socket.receive_json()
        refused = await ask(socket, "SUBSCRIBE", ["one@trade", "more@trade"], 2)
        assert refused == {"error": {"code": 2, "msg": f"At most {MAX_STREAMS} streams"}, "id": 2}
        assert (await ask(socket, "LIST_SUBSCRIPTIONS"))["result"] == names
        assert await ask(socket, "UNSUBSCRIBE", names[:1]) == {"result": None, "id": 1}
        assert await ask(socket, "SUBSCRIBE", ["one@trade"]) == {"result": None, "id": 1}


async def test_a_client_has_a_quarter_of_all_streams_over_all_its_connections(
    client: Client, hub: PlayedHub
) -> None:
    too_many = {"code": 2, "msg": "Too many streams of your address"}
    async with client.ws_connect("/ws/a@trade/b@trade") as first, client.ws_connect("/ws") as other:
        for _ in range(2):
            await first.receive()
        names = [f"c{number}@trade" for number in range(STREAMS // 4 - 1)]
        assert await ask(other, "SUBSCRIBE", names, 7) == {"error": too_many, "id": 7}
        assert await ask(first, "UNSUBSCRIBE", ["a@trade"]) == {"result": None, "id": 1}
        assert await ask(other, "SUBSCRIBE", names) == {"result": None, "id": 1}
        for _ in names:
            await other.receive()
        assert await ask(other, "SUBSCRIBE", names) == {"result": None, "id": 1}  # no new one
        async with client.ws_connect("/ws/d@trade") as third:
            assert await third.receive_json() == {"error": too_many, "id": None}
            assert (await ask(third, "LIST_SUBSCRIPTIONS"))["result"] == []
            await first.close()
            await other.close()
            await all_gone(hub)
            assert await ask(third, "SUBSCRIBE", names) == {"result": None, "id": 1}


async def test_a_client_has_so_many_connections_and_one_more_is_503(client: Client) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(WEBSOCKETS):
            last = await stack.enter_async_context(client.ws_connect("/ws"))
        for path in ("/ws", "/stream", "/ws-api/v3"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await client.ws_connect(path)
            assert caught.value.status == 503
            assert caught.value.headers is not None
            assert caught.value.headers["Retry-After"] == "1"
        await last.close()

        async def has_room() -> bool:
            try:
                await stack.enter_async_context(client.ws_connect("/ws"))
            except aiohttp.WSServerHandshakeError:
                return False
            return True

        await eventually(has_room, "there is room again")


@pytest.mark.parametrize("path", ["/ws", "/ws-api/v3"])
@pytest.mark.parametrize("text", ["{", '{"method":"SUBSCRIBE","params":["a@trade"]}'])
async def test_too_many_messages_end_the_connection(
    client: Client, hub: PlayedHub, path: str, text: str
) -> None:
    async with client.ws_connect(path) as socket:
        for _ in range(2 * BURST):
            await socket.send_str(text)
        while (last := await socket.receive(timeout=PATIENCE_S)).type is WSMsgType.TEXT:
            pass
        assert (last.type, last.data, last.extra) == (
            *(WSMsgType.CLOSE, WSCloseCode.POLICY_VIOLATION),
            f"too many messages: at most {MESSAGES_PER_S} a second",
        )
    await all_gone(hub)


async def test_a_close_frame_is_sent_once(client: Client) -> None:
    # Browsers complain of a second one: the server's, or one in answer to the client's answer.
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        + b"\x89\x80\0\0\0\0"
        * 2
        * BURST  # pings
    )
    closing = b"\x88" + bytes([2 + len(FLOODED.reason)]) + FLOODED.code.to_bytes(2)
    received = await reader.readuntil(closing + FLOODED.reason.encode())
    assert received.count(b"\x88") == 1
    writer.write(b"\x88\x82\0\0\0\0" + FLOODED.code.to_bytes(2))
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()


async def test_who_goes_is_forgotten(client: Client, hub: PlayedHub) -> None:
    async with client.ws_connect("/ws/a@trade/b@trade") as socket:
        await socket.receive()
        assert hub.count() == 2
    await all_gone(hub)
    assert server.OPEN._value.get() == 0


async def test_a_request_in_binary_is_a_request(client: Client) -> None:
    async with client.ws_connect("/ws") as socket:
        await socket.send_bytes(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 1}).encode())
        assert await socket.receive_json() == {"result": [], "id": 1}


@pytest.mark.parametrize(
    "request_",
    [
        *('{"method":"SUBSCRIBE","params":["a@trade"],"id":18446744073709551616}',),
        *('{"method":"LIST_SUBSCRIPTIONS","id":-9223372036854775809}', '{"id":1e400}'),
        *('{"method":"\\u001b[2J"}', '{"method":' + "[" * 900 + "]" * 900 + "}"),
        *('{"method":"SUBSCRIBE","params":["\\u0000@kline_1m"]}', b'{"id":"\xff"}', b"\xff"),
        *('{"id":"\\ud800"}', "[" * 60_000, '{"method":"UNSUBSCRIBE","params":["@"]}'),
        '{"method":"UNSUBSCRIBE","params":[' + '"a@trade",' * MAX_STREAMS + '"a@trade"]}',
    ],
)
async def test_what_cannot_be_done_is_said_and_the_connection_stays(
    client: Client, caplog: pytest.LogCaptureFixture, request_: str | bytes
) -> None:
    async with client.ws_connect("/ws") as socket:
        if isinstance(request_, bytes):
            await socket.send_bytes(request_)
        else:
            await socket.send_str(request_)
        error = (await socket.receive_json(timeout=PATIENCE_S))["error"]
        assert error["code"] in {requests.INVALID_REQUEST, requests.INVALID_JSON}
        assert len(error["msg"]) < 300
        assert error["msg"].isprintable()
        assert (await ask(socket, "LIST_SUBSCRIPTIONS", id_=2**64 - 1))["id"] == 2**64 - 1
    assert not [it for it in caplog.records if it.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    "path", ["/ws/a%00@trade", "/stream?streams=%1b@trade", "/ws/%C2%9B@trade"]
)
async def test_a_path_with_no_stream_is_told_so(client: Client, path: str) -> None:
    async with client.ws_connect(path) as socket:
        assert "is not a stream" in (await socket.receive_json(timeout=PATIENCE_S))["error"]["msg"]
        assert (await ask(socket, "LIST_SUBSCRIPTIONS"))["result"] == []


async def test_a_message_that_is_too_large_ends_the_connection(client: Client) -> None:
    async with client.ws_connect("/ws") as socket:
        await socket.send_str("x" * 70_000)
        message = await socket.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)


async def test_who_is_cut_off_is_told_why(
    client: Client, hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = TOO_SLOW._replace(timeout_s=PATIENCE_S)
    monkeypatch.setattr(connection, "TOO_SLOW", patient)
    async with client.ws_connect("/ws/a@trade", max_msg_size=0) as socket:
        await socket.receive()
        hub.emit(Event("a@trade", {"text": "x" * MAX_WAITING_BYTES}))
        while (last := await socket.receive(timeout=PATIENCE_S)).type is WSMsgType.TEXT:
            pass
    assert (last.type, last.data) == (WSMsgType.CLOSE, WSCloseCode.POLICY_VIOLATION)
    assert last.extra == "too slow: too much waits to be sent"


async def test_who_asks_without_reading_the_answers_is_cut_off(
    client: Client, hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_limit, "BURST", 1_000_000)
    names = [f"{'x' * 100}{number}@trade" for number in range(400)]
    socket = await client.ws_connect("/ws", max_msg_size=0)
    await ask(socket, "SUBSCRIBE", names)
    socket._conn.protocol.pause_reading()  # type: ignore[union-attr]
    with contextlib.suppress(ConnectionError):
        for _ in range(20 * MAX_WAITING_BYTES // 40_000):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS"})
            await asyncio.sleep(0)
    await all_gone(hub)
    await socket.close()


async def test_a_fault_of_ours_is_logged_and_the_reader_told(
    client: Client, hub: PlayedHub, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.ws_connect("/ws") as socket:
        hub.error = ValueError("a fault")
        await socket.send_json({"method": "SUBSCRIBE", "params": ["a@trade"], "id": 1})
        message = await socket.receive(timeout=PATIENCE_S)
        assert (message.type, message.data, message.extra) == (
            *(WSMsgType.CLOSE, 1011),
            "the server failed",
        )
    (record,) = [it for it in caplog.records if it.levelno >= logging.ERROR]
    assert record.name == "chart_app.websocket.connection"
    assert record.exc_info


async def test_who_does_not_answer_pings_is_let_go(
    client: Client, hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PING_INTERVAL_S", 0.2)
    async with client.ws_connect("/ws/a@trade", autoping=False) as socket:
        await socket.receive()
        ping = await socket.receive(timeout=PATIENCE_S)
        assert (ping.type, ping.data) == (WSMsgType.PING, b"")
        last = await socket.receive(timeout=PATIENCE_S)
        assert last.type in (WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
    await all_gone(hub)


async def test_an_empty_pong_is_an_answer_to_a_ping(
    client: Client, hub: PlayedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PING_INTERVAL_S", 3)
    async with client.ws_connect("/ws/a@trade", autoping=False) as socket:
        await socket.receive()
        for _ in range(3):
            assert (await socket.receive(timeout=PATIENCE_S)).type is WSMsgType.PING
            await socket.pong(b"")
        assert hub.count() == 1


@pytest.mark.parametrize("path", ["/ws", "/ws-api/v3"])
async def test_pings_are_answered_with_what_they_carry(client: Client, path: str) -> None:
    async with client.ws_connect(path, autoping=False) as socket:
        for payload in (b"", b"1234567890"):
            await socket.ping(payload)
            pong = await socket.receive(timeout=PATIENCE_S)
            assert (pong.type, pong.data) == (WSMsgType.PONG, payload)


async def test_what_is_no_websocket_is_told_that_it_should_be(client: Client) -> None:
    for path in ("/ws", "/ws/a@trade", "/stream"):
        async with client.get(path) as answer:
            assert answer.status == 426
            assert answer.headers["Upgrade"] == "websocket"
            assert answer.content_type == "application/problem+json"
