"""What is not a trade goes to the dead-letter topic, byte for byte, and stops nothing."""

import random
from collections.abc import Set as AbstractSet

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import NewTopic

from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.programs import Program
from tests.waiting import eventually, wait_for
from trade_rules import InvalidTrade, decode

GOOD = b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":"the last"}'
LARGE = b'{"coinName":"BTC","numOfCoin":1,"price":' + b"9" * 900_000 + b"}"
GARBAGE: list[bytes | None] = [
    None,
    b"",
    b"\x00\xff\xfe",
    b"not JSON",
    b"[]",
    b"null",
    b'{"coinName":"BTC","numOfCoin":1}',
    b'{"coinName":"BTC","numOfCoin":true,"price":2}',
    b'{"coinName":"BTC","numOfCoin":1e999999999,"price":2}',
    b'{"coinName":"BTC","numOfCoin":1,"price":NaN}',
    b'{"coinName":"BTC","numOfCoin":1,"price":"1_000"}',
    b'{"coinName":"BTC","numOfCoin":1,"price":-2}',
    b'{"coinName":"a\\nb","numOfCoin":1,"price":2}',
    b'{"coinName":7,"numOfCoin":1,"price":2}',
    b'{"coinName":"BTC","coinName":"ETH","numOfCoin":1,"price":2}',
    b"[" * 100_000,
    LARGE,
    b"x" * 900_000,
]


@pytest.fixture
def chart(cluster: Cluster, start: StartProgram) -> Program:
    """Run chart_app."""
    return start("chart_app", cluster.settings).wait_ready()


async def produce(cluster: Cluster, values: list[bytes | None]) -> list[tuple[int, int]]:
    """Send values to the topic; return partition and offset of each."""
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.broker.bootstrap_server,
        max_request_size=2_000_000,
    ) as producer:
        places = []
        for number, value in enumerate(values):
            key = None if value is not None and number % 2 else f"key {number}".encode()
            stored = await producer.send_and_wait(
                cluster.topic, value, key=key, headers=[("theirs", b"kept")]
            )
            places.append((stored.partition, stored.offset))
        return places


async def dead_letters(cluster: Cluster, count: int) -> "list[ConsumerRecord[bytes, bytes]]":
    """Return so many dead letters of the topic."""
    consumer = AIOKafkaConsumer(
        f"{cluster.topic}.dead-letter",
        bootstrap_servers=cluster.broker.bootstrap_server,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=10_000_000,
    )
    found: list[ConsumerRecord[bytes, bytes]] = []

    async def enough() -> bool:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found.extend(records)
        return len(found) >= count

    async with consumer:
        await eventually(enough, f"{count} dead letters")
    return found


async def read_metrics(chart: Program) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{chart.url}/metrics") as answer:
        return await answer.text()


async def wait_metrics(chart: Program, lines: AbstractSet[str]) -> None:
    """Wait until lines are among the metrics: a worker counts what Kafka or the store confirms."""

    async def are_there() -> bool:
        return lines <= set((await read_metrics(chart)).splitlines())

    await eventually(are_there, f"the metrics have {lines}")


async def test_garbage_is_kept_with_its_reason_and_its_place(
    cluster: Cluster, chart: Program
) -> None:
    places = await produce(cluster, GARBAGE)
    letters = await dead_letters(cluster, len(GARBAGE))
    assert len(letters) == len(GARBAGE)
    by_place = {}
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["topic"].decode() == cluster.topic
        assert headers["reason"]
        assert int(headers["timestamp"]) > 0
        assert headers["theirs"] == b"kept"
        by_place[int(headers["partition"]), int(headers["offset"])] = letter
    for number, (place, value) in enumerate(zip(places, GARBAGE, strict=True)):
        assert by_place[place].value == value
        key = None if value is not None and number % 2 else f"key {number}".encode()
        assert by_place[place].key == key
    reasons = {by_place[place].headers[1][1].decode() for place in places[6:9]}
    assert "price: is missing" in reasons
    assert "numOfCoin: must be a number" in reasons

    assert chart.trades() == []
    await produce(cluster, [GOOD])
    wait_for(chart.trades, "the stream goes on")
    counted = {
        f'dead_letters_total{{topic="{cluster.topic}.dead-letter"}} {len(GARBAGE)}.0',
        f'chart_trades_consumed_total{{topic="{cluster.topic}"}} 1.0',
        *(
            f'consumer_lag{{partition="{partition}",topic="{cluster.topic}"}} 0.0'
            for partition in range(4)
        ),
    }
    await wait_metrics(chart, counted)


async def test_random_bytes_never_stop_the_stream(cluster: Cluster, chart: Program) -> None:
    bits = random.Random(7)
    values: list[bytes | None] = [bits.randbytes(bits.randrange(200)) for _ in range(2000)]
    for value in values:
        with pytest.raises(InvalidTrade):
            decode(value)
    await produce(cluster, [*values, GOOD])
    wait_for(chart.trades, "the stream goes on")
    assert len(await dead_letters(cluster, len(values))) == len(values)


async def test_a_trade_among_garbage_and_one_without_key_are_logged(
    cluster: Cluster, chart: Program
) -> None:
    strings = b'{"price":"2.50","numOfCoin":"1e-3","coinName":"BTC","tradeId":"x","more":[1]}'
    await produce(cluster, [b"garbage", strings, None, GOOD])
    wait_for(lambda: len(chart.trades()) == 2, "both trades are logged")
    trade = next(trade for trade in chart.trades() if trade.trade_id == "x")
    assert (trade.coin, trade.price, trade.amount) == ("BTC", "2.50", "0.001")


async def test_dead_letters_wait_for_kafka_and_their_offsets_with_them(
    cluster: Cluster, chart: Program, start: StartProgram
) -> None:
    await produce(cluster, [GOOD])
    wait_for(chart.trades, "the worker is at work")
    chart.kill()
    await produce(cluster, [b"garbage 1", b"garbage 2"])
    again = start("chart_app", cluster.settings).wait_ready()
    letters = await dead_letters(cluster, 2)
    assert sorted(letter.value or b"" for letter in letters) == [b"garbage 1", b"garbage 2"]
    assert again.stop() == 0
    last = start("chart_app", cluster.settings).wait_ready()
    await produce(cluster, [GOOD])
    wait_for(last.trades, "the stream goes on")
    assert "are refused" not in last.log(), "the offsets of dead letters were committed"


async def test_only_a_letter_too_large_for_the_topic_loses_its_value(
    cluster: Cluster, start: StartProgram
) -> None:
    small = NewTopic(
        f"{cluster.topic}.dead-letter", 1, 1, topic_configs={"max.message.bytes": "2000"}
    )
    async with admin_of(cluster.broker) as admin:
        await admin.create_topics([small, NewTopic(cluster.topic, 1, 1)])
    await produce(cluster, [b"garbage 1", b"x" * 5000, b"garbage 2"])
    chart = start("chart_app", cluster.settings).wait_ready()
    letters = await dead_letters(cluster, 3)
    assert [letter.value for letter in letters] == [b"garbage 1", None, b"garbage 2"]
    reasons = [dict(letter.headers)["reason"].decode() for letter in letters]
    assert [reason.endswith("(value left out: too large)") for reason in reasons] == [
        False,
        True,
        False,
    ]
    await produce(cluster, [GOOD])
    wait_for(chart.trades, "the stream goes on")
