"""Half a minute of nonsense for both programs: no traceback, no 5xx, and they go on answering.

``FUZZ_SEED`` repeats a run whose seed was printed, ``FUZZ_SECONDS`` makes one longer or shorter.
Each case has a number, and its random choices follow from the seed and the number alone.
"""

import asyncio
import base64
import gzip
import itertools
import logging
import os
import random
import re
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import aiohttp

from tests import logs
from tests.conftest import Cluster, StartProgram
from tests.programs import Program
from tests.waiting import PATIENCE_S, wait_for

logger = logging.getLogger(__name__)

SECONDS = float(os.environ.get("FUZZ_SECONDS", "30"))
SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().getrandbits(32))
#: Cases that are sent to a program at once.
AT_ONCE = 16
#: How long an answer, or more of it, is waited for: half a request gets none.
ANSWER_TIMEOUT_S = 0.1
#: 503 are two answers: of the page, in plain text, where its packages are not installed, and of
#: /readyz, where Kafka has not answered for seconds.
FAILED = re.compile(
    rb"HTTP/1\.[01] 5\d\d(?! Service Unavailable\r\n"
    rb'(?:Content-Type: text/plain|(?:[^\r]+\r\n){1,20}\r\n{"status":"unavailable"))'
    rb"|the server failed"
)
LOG_LEVEL = "DEBUG"

HOST = b"Host: localhost\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(b"1234567890123456") + b"\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
METHODS = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"CONNECT", b"PRI", b"get", b""]
PATHS = [
    *(b"/send-trading-data", b"/trades", b"/healthz", b"/readyz", b"/metrics", b"/docs", b"/"),
    *(b"/openapi.json", b"/ws", b"/ws/btc@trade", b"/stream?streams=btc@trade/eth@kline_1m"),
    *(b"/api/v3/klines?symbol=BTC&interval=1m", b"/api/v3/exchangeInfo", b"/udf/config", b"*"),
    *(b"/api/v3/trades?symbol=%00%ff&limit=99999999999999999999", b"/%2e%2e/%2e%2e/etc/passwd"),
    *(b"//x", b"/ws/" + b"a@trade/" * 500, b"http://[::1/", b"/\xff\xfe", b"/ws/%ff@trade", b""),
]
HEADERS = [
    *(b"Content-Type: application/json", b"Content-Type: application/x-www-form-urlencoded"),
    *(b"Content-Type: application/x-ndjson", b"Content-Type: \xff", b"Content-Length: 5"),
    *(b"Content-Length: 99999999999999999999", b"Content-Length: -1", b"Content-Length: 0x10"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Content-Encoding: br, x"),
    *(b"Expect: 100-continue", b"Expect: x", b"Connection: close", b"Connection: Upgrade"),
    *(b"Upgrade: websocket", b"Upgrade: h2c", b"Host: evil.example", b"Host:", b"Origin: null"),
    *(b"X-Forwarded-For: " + b"1," * 2000, b"X-Forwarded-For: \x00", b"Cookie: " + b"a=" * 3000),
    *(b"Range: bytes=5-1,9-", b"If-None-Match: W/", b"If-Modified-Since: x", b"Accept: */*;q=x"),
    *(b"no colon", b": no name", b"A\tb: c", b" folded", b"A: \x1b[2J", b"Authorization: Bearer"),
]
BODIES = [
    b'{"topic":"tradeData","coinName":"BTC","price":1e999999999,"numOfCoin":"1_0"}',
    b'[{"coinName":"BTC","price":1,"numOfCoin":2},{}]',
    *(b"[" * 2000, b"{" + b'"a":' * 2000, b'"\\ud800"', b"topic=%ff&coinName=%", b"\xef\xbb\xbf{}"),
    *(gzip.compress(b"0" * 1_000_000), gzip.compress(b"[]")[:-4], zlib.compress(b"[1]")),
    *(b"5\r\n[1,2,\r\n0\r\n\r\n", b"zz\r\n", b"ffffffffffffffffff\r\n", b"1;" + b"x" * 9000),
]
MESSAGES = [
    b'{"method":"SUBSCRIBE","params":["btc@trade","btc@kline_1m","!miniTicker@arr"],"id":1}',
    b'{"method":"UNSUBSCRIBE","params":["btc@trade"],"id":"x"}',
    b'{"method":"LIST_SUBSCRIPTIONS","id":9223372036854775808}',
    *(b'{"method":"SUBSCRIBE","params":["\xff@trade"]}', b'{"id":NaN}', b"null", b"", b"\x00"),
    *(b'{"method":"SUBSCRIBE","params":[' + b'"a@trade",' * 1500 + b"1]}", b"[" * 5000),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"x" * 70_000),
]
PACKED = [zlib.compress(it)[2:-4] for it in (MESSAGES[0], b"0" * 1_000_000)]
CLOSES = [
    *(b"", b"\x03", struct.pack("!H", 1000), struct.pack("!H", 1005), struct.pack("!H", 0)),
    *(struct.pack("!H", 65535) + b"why", struct.pack("!H", 1000) + b"\xff" * 60),
]


class Case(NamedTuple):
    """What is sent on a connection in parts; then it is reset, or an answer is waited for."""

    parts: list[bytes]
    is_reset: bool


def random_bytes(choose: random.Random) -> list[bytes]:
    """Send bytes without any meaning."""
    return [choose.randbytes(choose.randrange(1, 5000)) for _ in range(choose.randrange(1, 4))]


def http_request(choose: random.Random) -> bytes:
    """Return a request that is made of parts which do not fit."""
    version = choose.choice(
        [b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 x", b""]
    )
    lines = choose.sample(HEADERS, choose.randrange(6))
    if choose.random() < 0.9:
        lines.append(b"Host: localhost")
    body = choose.choice([b"", *BODIES])
    if choose.random() < 0.5:
        lines.append(b"Content-Length: %d" % len(body))
    end = choose.choice([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
    first = b" ".join([choose.choice(METHODS[:2] + METHODS), choose.choice(PATHS), version])
    return end.join([first, *lines, b"", b""]) + body


def http_requests(choose: random.Random) -> list[bytes]:
    """Send one or several such requests, in one or several parts."""
    return split(choose, b"".join(http_request(choose) for _ in range(choose.randrange(1, 5))))


def half_requests(choose: random.Random) -> list[bytes]:
    """Send only the first part of such a request."""
    request = http_request(choose)
    return split(choose, request[: choose.randrange(1, len(request) + 1)])


def changed_requests(choose: random.Random) -> list[bytes]:
    """Send a right request with some bytes changed, added or taken away."""
    trade = b'{"topic":"tradeData","coinName":"BTC","price":1,"numOfCoin":2}'
    right = [
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /ws HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n" + frame(1, MESSAGES[0]),
        b"POST /send-trading-data HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(trade)
        + trade,
        b"POST /trades HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n[%b]\r\n0\r\n\r\n" % (len(trade) + 2, trade),
    ]
    return split(choose, changed(choose, choose.choice(right)))


def changed(choose: random.Random, content: bytes) -> bytes:
    """Return bytes with some of them changed."""
    found = bytearray(content)
    for _ in range(choose.randrange(1, 6)):
        place = choose.randrange(len(found) + 1)
        found[place : place + choose.randrange(3)] = choose.randbytes(choose.randrange(3))
    return bytes(found)


def split(choose: random.Random, content: bytes) -> list[bytes]:
    """Return bytes in one or some parts."""
    places = sorted(choose.randrange(len(content) + 1) for _ in range(choose.choice([0, 0, 1, 3])))
    return [content[a:b] for a, b in zip([0, *places], [*places, len(content)], strict=True)]


def frame(opcode: int, payload: bytes, first: int = 0x80, mask: bytes = b"\0\0\0\0") -> bytes:
    """Return a frame with a mask that changes nothing; without a mask if that is empty."""
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([first | opcode, bit | len(payload)])
    elif len(payload) < 65536:
        head = struct.pack("!BBH", first | opcode, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first | opcode, bit | 127, len(payload))
    return head + mask + payload


def any_frame(choose: random.Random) -> bytes:
    """Return a frame that is right, or wrong in one of the ways that there are."""
    message = choose.choice(MESSAGES)
    kinds: list[Callable[[], bytes]] = [
        lambda: frame(choose.choice([1, 2]), message),
        lambda: frame(1, message, mask=choose.randbytes(4)),
        lambda: frame(1, message, mask=b""),
        lambda: frame(1, message, first=choose.choice([0xC0, 0xA0, 0x90, 0xF0])),
        lambda: frame(1, choose.choice([*PACKED, message]), first=0xC0),
        lambda: frame(choose.randrange(16), choose.randbytes(choose.randrange(200))),
        lambda: frame(choose.choice([9, 10]), b"x" * choose.choice([0, 125, 126, 70_000])),
        lambda: frame(9, b"x", first=0),
        lambda: frame(8, choose.choice(CLOSES)),
        lambda: frame(1, message[:3], first=0) + frame(choose.choice([0, 0, 1, 9]), message[3:]),
        lambda: frame(0, message),
        lambda: frame(1, b"", first=0) + frame(0, b"", first=0) * 500,
        lambda: bytes([0x81, 0xFF]) + choose.choice([b"\xff" * 8, b"\0" * 8]) + bytes(4),
        lambda: bytes([0x81, 0xFE, 0, 5]) + bytes(4) + b"[1,2]",
        lambda: choose.randbytes(choose.randrange(1, 50)),
        lambda: changed(choose, frame(1, message)),
        lambda: frame(choose.choice([1, 9, 10]), b"{}") * 150,
    ]
    return choose.choice(kinds)()


def websocket_frames(choose: random.Random) -> list[bytes]:
    """Send frames, most of them wrong, on a WebSocket."""
    path = choose.choice([b"/ws", b"/stream", b"/ws/btc@trade/eth@kline_1m", b"/stream?streams=x"])
    head = b"GET " + path + b" HTTP/1.1\r\n" + HOST + UPGRADE + choose.choice([b"", DEFLATE])
    frames = b"".join(any_frame(choose) for _ in range(choose.randrange(1, 6)))
    return [head + b"\r\n", *split(choose, frames)]


def half_frames(choose: random.Random) -> list[bytes]:
    """Send only the first part of them."""
    *before, last = websocket_frames(choose)
    return [*before, last[: choose.randrange(len(last) + 1)]]


KINDS = [
    *(random_bytes, http_requests, half_requests, changed_requests),
    *(websocket_frames, half_frames),
]


async def send(program: Program, case: Case) -> bytes:
    """Send a case; return the answer as far as it has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    received = b""
    try:
        for part in case.parts:
            if not writer.is_closing():
                writer.write(part)
                await asyncio.sleep(0.001)
        while not case.is_reset:
            part = await asyncio.wait_for(reader.read(65536), ANSWER_TIMEOUT_S)
            if not part:
                break
            received += part
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.transport.abort()
    return received


async def fuzz(program: Program) -> Counter[str]:
    """Send cases for a while, some at once; return how many there were of each kind."""
    sent: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS
    numbers = itertools.count()

    async def send_cases() -> None:
        while time.monotonic() < deadline:
            number = next(numbers)
            choose = random.Random(f"{SEED} {number}")
            kind = choose.choice(KINDS)
            answer = await send(program, Case(kind(choose), choose.random() < 0.2))
            if found := FAILED.search(answer):
                shown = answer[max(found.start() - 200, 0) :][:2000]
                raise AssertionError(
                    f"{program.package}, case {number}, {kind.__name__}: {shown!r}"
                )
            sent[kind.__name__] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(send_cases())
    return sent


async def check_service(trading: Program, chart: Program, topic: str) -> None:
    """Fail the test if a trade does not go the whole way."""
    trade = {"topic": topic, "coinName": "AFTERWARDS", "price": 1, "numOfCoin": 2}
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{chart.url}/ws/afterwards@trade") as events:
            async with http.post(f"{trading.url}/send-trading-data", json=trade) as answer:
                assert answer.status == 201
            event = await events.receive_json(timeout=PATIENCE_S)
            assert (event["e"], event["s"]) == ("trade", "AFTERWARDS")
        for program in (trading, chart):
            async with http.get(f"{program.url}/healthz") as answer:
                assert answer.status == 200
            wait_for(program.is_ready, "it is ready")


async def test_nonsense_for_half_a_minute_leaves_no_traceback(
    cluster: Cluster, start: StartProgram
) -> None:
    logger.warning("FUZZ_SEED=%d", SEED)  # pytest prints it if the test fails
    settings = {**cluster.settings, "LOG_LEVEL": LOG_LEVEL}
    trading, chart = (start(it, settings) for it in ("trading_app", "chart_app"))
    for program in (trading, chart):
        program.wait_ready()
    for sent in await asyncio.gather(*map(fuzz, (trading, chart))):
        assert sent.keys() == {kind.__name__ for kind in KINDS}
        logger.warning("Sent %s", sent)
    await check_service(trading, chart, cluster.topic)
    for program in (trading, chart):
        assert logs.trouble(program.log()) == []
