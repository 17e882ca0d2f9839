from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaConnectionError

from settings import Settings
from streaming import internals
from streaming.kafka import gate
from streaming.kafka.gate import KafkaGate
from streaming.kafka.rights import Rights
from streaming.kafka.topics import KafkaUnavailable, TopicSpec
from tests.waiting import PATIENCE_S

TOPICS = [TopicSpec("tradeData", 4)]


class Cluster:
    """Plays a cluster that is away for some attempts, and then lists topics after some more."""

    def __init__(self, away: int = 0, unlisted: int = 0) -> None:
        self.away = away
        self.unlisted = unlisted
        self.groups: list[str] = []

    @asynccontextmanager
    async def admin_client(self, _: Settings) -> AsyncIterator["Cluster"]:
        """Connect, if it is there."""
        if self.away:
            self.away -= 1
            raise KafkaConnectionError("nobody is there")
        yield self

    async def ensure_topics(self, *_: Any) -> bool:
        """Return whether all topics are listed."""
        self.unlisted -= 1
        return self.unlisted < 0

    async def find_coordinator(self, group: str) -> None:
        """Note it."""
        self.groups.append(group)


class RightsThere:
    """Plays the rights of a program that lacks none."""

    async def require(self, _: Any) -> None:
        """Miss nothing."""

    def check(self) -> None:
        """Know of nothing that is missing."""


RIGHTS = cast(Rights, RightsThere())


def play(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> Cluster:
    monkeypatch.setattr(gate, "admin_client", cluster.admin_client)
    monkeypatch.setattr(internals, "admin_connection", lambda client: client)
    monkeypatch.setattr(gate, "ensure_topics", cluster.ensure_topics)
    monkeypatch.setattr(gate, "RETRY_INTERVAL_S", 0)
    monkeypatch.setattr(gate, "LISTED_INTERVAL_S", 0)
    monkeypatch.setattr(gate, "WAITING_LOG_AFTER_S", 0)
    return cluster


async def test_the_gate_opens_once_kafka_is_there_lists_the_topics_and_knows_the_group(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = play(monkeypatch, Cluster(away=2, unlisted=1))
    await KafkaGate(
        Settings(kafka_startup_timeout=PATIENCE_S), TOPICS, RIGHTS, "group"
    ).wait_for_topics()
    assert (cluster.away, cluster.unlisted, cluster.groups) == (0, -1, ["group"])
    assert any("Waiting for Kafka at localhost:9094: " in line for line in caplog.messages)


async def test_who_is_in_no_group_asks_for_no_coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = play(monkeypatch, Cluster())
    await KafkaGate(Settings(), TOPICS, RIGHTS).wait_for_topics()
    assert cluster.groups == []


async def test_in_vain_the_gate_waits_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play(monkeypatch, Cluster(away=10**9))
    waiting = KafkaGate(Settings(kafka_startup_timeout=0.05), TOPICS, RIGHTS)
    with pytest.raises(KafkaUnavailable, match=r"not ready within 0\.05 s .*nobody is there"):
        await waiting.wait_for_topics()
    with pytest.raises(SystemExit):
        await waiting.on_start()
