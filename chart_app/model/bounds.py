"""The bounds of the values of a live message, for msgspec to check.

Other programs can write to the topic: within these bounds its readers can compute safely.
"""

from typing import Annotated

from msgspec import Meta

from chart_app.model.times import TIMESTAMP_MAX_MS
from chart_app.model.trade_ids import MAX_PARTITIONS, OFFSET_BITS

#: A price times an amount has at most 36 digits before the point and 110 after it, and a sum of
#: them some 20 more.
NUMBER_MAX_CHARS = 200
#: The start of Python's calendar, by which candles of a month are computed.
YEAR_1_MS = -62_135_596_800_000

Time = Annotated[int, Meta(ge=0, le=TIMESTAMP_MAX_MS)]
OpenTime = Annotated[int, Meta(ge=YEAR_1_MS, le=TIMESTAMP_MAX_MS)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number = Annotated[str, Meta(max_length=NUMBER_MAX_CHARS)]
PartitionId = Annotated[int, Meta(ge=0, lt=MAX_PARTITIONS)]
Offset = Annotated[int, Meta(ge=0, lt=1 << OFFSET_BITS)]
