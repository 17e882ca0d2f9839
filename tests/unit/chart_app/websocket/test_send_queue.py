import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chart_app.websocket.events import Burst, Event
from chart_app.websocket.send_queue import MAX_WAITING_BYTES, SendQueue


def running(number: int, open_time: int = 0, stream: str = "s") -> Event:
    return Event(stream, [number, open_time], open_time, is_running=True)


def closing(number: int, open_time: int = 0, stream: str = "s") -> Event:
    return Event(stream, [number, open_time], open_time)


def sent(outbox: SendQueue) -> list[Any]:
    """Return all that is sent, in order."""
    messages = []
    while outbox:
        messages.append(json.loads(outbox.pop()))
    return messages


def test_an_empty_outbox_has_nothing_to_send() -> None:
    outbox = SendQueue(combined=False)
    assert not outbox
    outbox.push(running(1))
    assert outbox
    outbox.pop()
    assert not outbox


def test_of_a_running_candle_only_the_newest_state_is_sent() -> None:
    outbox = SendQueue(combined=False)
    for number in range(1_000):
        outbox.push(running(number))
    assert sent(outbox) == [[999, 0]]


def test_running_candles_of_different_streams_do_not_replace_each_other() -> None:
    outbox = SendQueue(combined=True)
    for number in range(3):
        outbox.push(running(number, stream="a"))
        outbox.push(running(number, stream="b"))
    assert sent(outbox) == [{"stream": name, "data": [2, 0]} for name in "ab"]


def test_a_closing_takes_the_place_of_what_waits_of_its_candle() -> None:
    outbox = SendQueue(combined=False)
    outbox.push(running(1))
    outbox.push(closing(2))
    assert sent(outbox) == [[2, 0]]


def test_a_closing_goes_before_the_next_running_candle() -> None:
    outbox = SendQueue(combined=False)
    outbox.push(running(1))
    outbox.push(closing(2))
    outbox.push(running(3, 60))
    outbox.push(running(4, 60))
    assert sent(outbox) == [[2, 0], [4, 60]]


def test_the_correction_of_a_closed_candle_leaves_the_running_one_in_place() -> None:
    outbox = SendQueue(combined=False)
    outbox.push(running(1, 60))
    outbox.push(closing(2, 0))
    assert sent(outbox) == [[2, 0], [1, 60]]


def test_an_answer_goes_before_what_the_new_stream_stands_at() -> None:
    outbox = SendQueue(combined=False)
    outbox.push(running(1))
    outbox.reply(b"[0]")
    assert sent(outbox) == [[0], [1, 0]]


def test_nothing_is_sent_of_a_stream_that_is_dropped() -> None:
    outbox = SendQueue(combined=False)
    outbox.push(running(1))
    outbox.drop("s")
    outbox.drop("another")
    assert not outbox


def test_a_burst_is_sent_after_what_waits_and_counts_as_its_events_do() -> None:
    outbox, one_by_one = SendQueue(combined=True), SendQueue(combined=True)
    outbox.push(closing(1))
    burst = [closing(2), closing(3)]
    outbox.push_all(Burst(burst))
    for event in [closing(1), *burst]:
        one_by_one.push(event)
    assert outbox._bytes == one_by_one._bytes > 0
    assert sent(outbox) == sent(one_by_one)
    assert outbox._bytes == 0


def is_full_after(outbox: SendQueue, event: Event, times: int) -> bool:
    """Push an event so many times; tell whether the outbox is full then."""
    for _ in range(times):
        outbox.push(event)
    return outbox.is_full


def test_it_is_full_when_more_bytes_wait_than_may_and_no_longer_once_they_are_sent() -> None:
    outbox = SendQueue(combined=False)
    event = Event("s", "x" * 998)  # and the quotes
    assert not is_full_after(outbox, event, MAX_WAITING_BYTES // 1000)
    assert is_full_after(outbox, event, 1)
    outbox.pop()
    assert not is_full_after(outbox, event, 0)


def test_what_is_sent_combined_counts_as_it_is_sent() -> None:
    outbox = SendQueue(combined=True)
    event = Event("name" * 100, "x" * 600)
    fitting = MAX_WAITING_BYTES // len(event.combined)
    assert not is_full_after(outbox, event, fitting)
    assert is_full_after(outbox, event, 1)


def test_a_running_candle_never_fills_it() -> None:
    event = Event("s", "x" * MAX_WAITING_BYTES, 0, is_running=True)
    assert not is_full_after(SendQueue(combined=False), event, 3)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("ab"), st.just("update")),
            st.tuples(st.sampled_from("ab"), st.just("close")),
            st.just(("", "send")),
        )
    )
)
def test_a_reader_of_any_speed_gets_all_closings_in_order_and_the_newest_state(
    steps: list[tuple[str, str]],
) -> None:
    outbox = SendQueue(combined=True)
    got: list[tuple[str, list[int]]] = []
    open_times = dict.fromkeys("ab", 0)
    last: dict[str, list[int]] = {}
    closings: dict[str, list[list[int]]] = {"a": [], "b": []}

    def send() -> None:
        message = json.loads(outbox.pop())
        got.append((message["stream"], message["data"]))

    for number, (stream, step) in enumerate(steps):
        if step == "send":
            if outbox:
                send()
            continue
        event = (running if step == "update" else closing)(number, open_times[stream], stream)
        last[stream] = [number, open_times[stream]]
        outbox.push(event)
        if step == "close":
            closings[stream].append(last[stream])
            open_times[stream] += 60
    while outbox:
        send()
    for stream in "ab":
        events = [data for name, data in got if name == stream]
        assert [it for it in events if it in closings[stream]] == closings[stream]
        assert events == sorted(events), "in the order they were pushed"
        assert events[-1:] == ([last[stream]] if stream in last else [])
