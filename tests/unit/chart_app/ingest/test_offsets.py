import logging
from collections.abc import Iterable, Mapping

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from chart_app.ingest import offsets
from chart_app.ingest.offsets import Offsets
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.write_batch import Checkpoint

PARTITIONS = {TP("A", 0), TP("A", 1), TP("B", 0)}
RECREATED = "A was deleted and created again; its offsets begin anew"


class Kafka:
    """Has topics, by name, with their ids; or an error for who asks."""

    def __init__(self) -> None:
        self.topics = {"A": "a1", "B": "b1"}
        self.error: Exception | None = None

    async def topic_ids(self, _: object, topics: Iterable[str]) -> dict[str, str]:
        """Return the ids of those that there are."""
        if self.error:
            raise self.error
        return {name: self.topics[name] for name in topics if name in self.topics}


class Store:
    """Has no offsets yet; or an error for who asks."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def checkpoints(self, topic_ids: Mapping[TP, str]) -> dict[TP, Checkpoint]:
        """Return the start of each partition."""
        if self.error:
            raise self.error
        return {tp: Checkpoint(0, topic_id, 0) for tp, topic_id in topic_ids.items()}


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Have two topics."""
    kafka = Kafka()
    monkeypatch.setattr(offsets, "topic_ids", kafka.topic_ids)
    return kafka


def make(store: Store) -> Offsets:
    """Return the offsets of a worker."""
    return Offsets(store, lambda: None)  # type: ignore[arg-type, return-value]


async def test_a_topic_that_is_another_is_told_once(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    it = make(Store())
    await it.load(PARTITIONS)
    assert not await it.have_changed_topic()
    kafka.topics["A"] = "a2"
    assert await it.have_changed_topic()
    assert await it.load(PARTITIONS) == dict.fromkeys(PARTITIONS, 0)
    assert not await it.have_changed_topic()
    await it.load(PARTITIONS)
    assert caplog.messages == [RECREATED]


async def test_a_topic_that_was_away_between_is_told(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    it = make(Store())
    await it.load(PARTITIONS)
    del kafka.topics["A"]
    assert not await it.have_changed_topic()
    assert await it.load(PARTITIONS) == {TP("B", 0): 0}  # a rebalance, before it is there again
    kafka.topics["A"] = "a2"
    assert await it.have_changed_topic()
    await it.load(PARTITIONS)
    assert caplog.messages == [RECREATED]


async def test_a_topic_whose_partitions_were_away_between_is_told(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    it = make(Store())
    await it.load(PARTITIONS)
    await it.load({TP("B", 0)})
    kafka.topics["A"] = "a2"
    assert not await it.have_changed_topic()  # it is not this worker's now
    await it.load(PARTITIONS)
    assert caplog.messages == [RECREATED]


@pytest.mark.parametrize("is_kafka", [True, False])
async def test_what_cannot_be_loaded_is_told_later(
    kafka: Kafka, caplog: pytest.LogCaptureFixture, is_kafka: bool
) -> None:
    store = Store()
    it = make(store)
    await it.load(PARTITIONS)
    kafka.topics["A"] = "a2"
    if is_kafka:
        kafka.error = KafkaConnectionError()
    else:
        store.error = StoreUnavailable("it is away")
    assert await it.load(PARTITIONS) == {}
    assert it.get(TP("A", 0)) is None
    kafka.error = store.error = None
    caplog.clear()
    await it.load(PARTITIONS)
    assert caplog.messages == [RECREATED]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
