"""The topics both programs make, whichever starts first."""

from settings import Settings
from streaming.kafka.topics import TopicSpec

#: The brokers take trades this much further ahead of now than trading_app does: their
#: clocks may be behind. One record too far ahead has the broker refuse its whole batch.
CLOCK_SKEW_MS = 60_000

#: A dead letter is a record of the source topic (1 MB by default) and our headers.
DEAD_LETTER_MAX_BYTES = 10 * 1024 * 1024

#: For topics whose records have no time of their own: a worker whose clock is ahead would else
#: write what Kafka refuses.
APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}

LIVE_RETENTION_MS = 60 * 60 * 1000
#: Bytes per partition: a worker that catches up writes more in an hour than anybody reads.
LIVE_RETENTION_BYTES = 256 * 1024 * 1024


def trade_topics(settings: Settings) -> list[TopicSpec]:
    """Return the topics of ``TRADE_TOPICS``.

    Kafka's retention by time goes by the record's timestamp, which is the trade's own: with
    the default of 7 days, last year's trades would be deleted within minutes. So only size
    bounds them.
    """
    return [
        TopicSpec(
            name,
            settings.trade_partitions,
            {
                "retention.ms": "-1",
                "retention.bytes": str(settings.trade_retention_bytes),
                "message.timestamp.after.max.ms": str(max_future_ms(settings) + CLOCK_SKEW_MS),
            },
        )
        for name in settings.trade_topics
    ]


def dead_letter_topics(settings: Settings) -> list[TopicSpec]:
    """Return the topics for what is not a trade, one for each of ``TRADE_TOPICS``."""
    return [
        TopicSpec(
            dead_letter_topic(name),
            settings.trade_partitions,
            {
                "retention.ms": "-1",
                "retention.bytes": str(settings.trade_retention_bytes),
                "max.message.bytes": str(DEAD_LETTER_MAX_BYTES),
            },
            needed=APPEND_TIME,
        )
        for name in settings.trade_topics
    ]


def live_topic(settings: Settings) -> TopicSpec:
    """Return the topic on which chart_app's workers broadcast what is stored.

    Nobody needs what stood there an hour ago: the store has it.
    """
    return TopicSpec(
        f"{settings.trade_topics[0]}.live",
        settings.trade_partitions,
        {
            "retention.ms": str(LIVE_RETENTION_MS),
            "retention.bytes": str(LIVE_RETENTION_BYTES),
            "segment.bytes": str(LIVE_RETENTION_BYTES // 4),
        },
        needed=APPEND_TIME,
    )


def dead_letter_topic(name: str) -> str:
    """Return the topic for what stood on topic ``name`` and is not a trade."""
    return f"{name}.dead-letter"


def max_future_ms(settings: Settings) -> int:
    """Return how far ahead of now a trade may lie, in ms."""
    return int(settings.trade_max_future * 1000)
