"""A trade's id combines the id of its partition and its offset there.

So it is known before the trade is stored, grows with the offset, and as the primary key prevents
an offset from being stored twice.
"""

#: Bits of an offset: with 12 bits for the partition the ids stay below 2^53, which JavaScript's
#: numbers hold exactly.
OFFSET_BITS = 41
MAX_PARTITIONS = 1 << 12


def trade_id(partition_id: int, offset: int) -> int:
    """Return the id of the trade at an offset of a partition."""
    return partition_id << OFFSET_BITS | offset


def split(id_: int) -> tuple[int, int]:
    """Return (partition id, offset) of a trade's id."""
    return id_ >> OFFSET_BITS, id_ & ((1 << OFFSET_BITS) - 1)
