"""The topics of both programs; whichever starts first creates them."""

from settings import Settings
from streaming.kafka.rights import Right
from streaming.kafka.topics import TopicSpec

#: The brokers accept timestamps this much further in the future than trading_app does: their
#: clocks may be behind. For one record too far ahead the broker rejects its whole batch.
CLOCK_SKEW_MS = 60_000

#: A dead letter is a record of the source topic (at most 1 MB by default) with added headers.
DEAD_LETTER_MAX_BYTES = 10 * 1024 * 1024

#: For topics whose records need no timestamp of their own: Kafka would reject those of a worker
#: whose clock is ahead.
APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}

LIVE_RETENTION_MS = 60 * 60 * 1000
#: Bytes per partition: a worker that catches up writes more in an hour than anyone needs to read.
LIVE_RETENTION_BYTES = 256 * 1024 * 1024


def trade_topics(settings: Settings, *rights: Right) -> list[TopicSpec]:
    """Return the topics of ``TRADE_TOPICS``, on which a program needs rights.

    Kafka's time retention goes by the record's timestamp, which is the time of the trade: with
    the default of 7 days, last year's trades would be deleted within minutes. So only their
    size is limited.
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
            rights=rights,
        )
        for name in settings.trade_topics
    ]


def dead_letter_topics(settings: Settings) -> list[TopicSpec]:
    """Return the topics for invalid records, one for each of ``TRADE_TOPICS``."""
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
            rights=(Right.WRITE,),
        )
        for name in settings.trade_topics
    ]


def live_topic(settings: Settings) -> TopicSpec:
    """Return the topic on which chart_app's workers broadcast what they have stored.

    Nobody needs records older than an hour: the store has their content.
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
        rights=(Right.READ, Right.WRITE),
    )


def dead_letter_topic(name: str) -> str:
    """Return the name of the topic for invalid records of topic ``name``."""
    return f"{name}.dead-letter"


def max_future_ms(settings: Settings) -> int:
    """Return how far in the future a trade's time may be, in ms."""
    return int(settings.trade_max_future * 1000)


def max_age_ms(settings: Settings) -> int | None:
    """Return how far in the past a trade's time may be, in ms, or None: any time."""
    return None if settings.trade_max_age is None else int(settings.trade_max_age * 1000)
