from hypothesis import given
from hypothesis import strategies as st

from chart_app.live.gaps import LiveGaps, Span
from chart_app.model.trade_ids import trade_id


def gaps(**stored: int) -> LiveGaps:
    """Return gaps that begin with what is stored of partitions p0, p1 and so on."""
    it = LiveGaps()
    it.start({int(name[1:]): offset for name, offset in stored.items()})
    return it


def found(it: LiveGaps) -> list[Span]:
    """Return all gaps, closing them."""
    spans = []
    while gap := it.first():
        spans.append(gap)
        it.close(gap.end)
    return spans


def test_what_is_carried_without_a_hole_leaves_no_gap() -> None:
    it = gaps(p0=10, p1=5)
    for span in (Span(0, 10, 20), Span(1, 5, 6), Span(0, 20, 21), Span(1, 6, 9)):
        it.cover(span)
    it.expect({0: 21, 1: 9})
    assert found(it) == []


def test_what_lies_between_two_spans_is_a_gap() -> None:
    it = gaps(p0=10)
    it.cover(Span(0, 15, 20))
    it.cover(Span(0, 25, 30))
    assert found(it) == [Span(0, 10, 15), Span(0, 20, 25)]


def test_what_is_stored_and_was_not_carried_is_a_gap_once() -> None:
    it = gaps(p0=10)
    it.expect({0: 12})
    it.expect({0: 12})
    it.cover(Span(0, 10, 12))
    assert found(it) == [Span(0, 10, 12)]


def test_a_partition_that_was_not_known_begins_at_0() -> None:
    it = gaps()
    it.cover(Span(3, 2, 4))
    assert found(it) == [Span(3, 0, 2)]


def test_before_it_is_known_what_was_stored_there_are_no_gaps() -> None:
    it = LiveGaps()
    it.cover(Span(0, 10, 20))
    assert not it.has_started
    it.start({0: 30})
    it.start({0: 0})
    it.cover(Span(0, 30, 31))
    assert found(it) == []
    assert gaps(p0=30).has_started


def test_what_was_carried_since_the_last_check_is_read_where_the_topic_is_read_again() -> None:
    it = gaps(p0=0)
    it.cover(Span(0, 0, 10))
    it.confirm()
    it.cover(Span(0, 10, 20))
    it.restart({0: 25, 1: 5})
    assert found(it) == [Span(0, 10, 25), Span(1, 0, 5)]
    it.cover(Span(0, 20, 25))  # sent before, and read after
    it.cover(Span(0, 25, 30))
    assert found(it) == []


def test_what_is_stored_where_the_topic_is_read_first_is_no_gap() -> None:
    it = LiveGaps()
    it.restart({0: 10})
    it.cover(Span(0, 10, 12))
    it.cover(Span(0, 13, 14))
    assert found(it) == [Span(0, 12, 13)]


def test_what_was_read_where_the_topic_was_read_again_is_not_read_once_more() -> None:
    it = gaps(p0=0)
    it.restart({0: 10})
    it.restart({0: 15})
    assert found(it) == [Span(0, 0, 10), Span(0, 10, 15)]


def test_a_gap_is_read_piece_by_piece() -> None:
    it = gaps(p0=0)
    it.expect({0: 100})
    it.close(40)
    assert it.first() == Span(0, 40, 100)
    it.close(100)
    assert it.first() is None


def test_a_trade_is_settled_once_it_was_carried_and_is_in_no_gap() -> None:
    it = gaps(p0=0, p1=0)
    it.cover(Span(0, 0, 10))
    it.cover(Span(0, 15, 20))
    assert [offset for offset in range(25) if it.is_settled(trade_id(0, offset))] == [
        *range(10),
        *range(15, 20),
    ]
    assert not it.is_settled(trade_id(1, 0))
    assert not it.is_settled(trade_id(2, 0)), "nothing is known of that partition"
    it.close(15)
    assert it.is_settled(trade_id(0, 12))


def test_a_gap_leaves_the_trades_of_other_partitions_settled() -> None:
    it = gaps(p0=0, p1=0, p2=0)
    it.cover(Span(1, 5, 10))
    for partition_id in (0, 2):
        it.cover(Span(partition_id, 0, 10))
    assert [it.is_settled(trade_id(partition_id, 2)) for partition_id in range(3)] == [
        *(True, False, True)
    ]


def test_before_it_is_known_what_was_stored_nothing_is_settled() -> None:
    it = LiveGaps()
    it.confirm()
    assert not it.is_settled(trade_id(0, 0))


@given(
    st.lists(st.integers(1, 5), min_size=1),
    st.data(),
)
def test_carried_or_a_gap_whatever_is_lost(lengths: list[int], data: st.DataObject) -> None:
    it = gaps(p0=0)
    offset = 0
    carried: set[int] = set()
    for length in lengths:
        span = Span(0, offset, offset + length)
        offset += length
        if data.draw(st.booleans()):
            it.cover(span)
            carried.update(range(span.start, span.end))
    it.expect({0: offset})
    missing = [offset for gap in found(it) for offset in range(gap.start, gap.end)]
    assert sorted(missing) == sorted(set(range(offset)) - carried)
