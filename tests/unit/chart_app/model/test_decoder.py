import random
from decimal import Decimal

import pytest
from aiokafka.record.default_records import DefaultRecord
from hypothesis import example, given
from hypothesis import strategies as st

import trade_rules
from chart_app.model import decoder
from chart_app.model.decoder import decode
from chart_app.model.refusals import Reason
from chart_app.model.trades import StoredTrade, Trades
from streaming.internals import Record
from trade_rules import TradeMessage

GOOD = b'{"coinName":"BTC","numOfCoin":1,"price":2}'


def record(value: bytes | None, timestamp: int = 0, offset: int = 7) -> Record:
    """Return a record of a topic."""
    return DefaultRecord(offset, timestamp, 0, None, value, [])


def test_valid_and_invalid_records_are_split() -> None:
    records_ = [record(GOOD), record(b"garbage"), record(GOOD), record(None)]
    taken = decode(0, records_)
    assert len(taken.trades) == 2
    assert taken.valid == [records_[0], records_[2]]
    assert [record for record, _ in taken.refused] == [records_[1], records_[3]]
    assert all(it.detail and it.reason is Reason.INVALID for _, it in taken.refused)


def test_nothing_is_nothing() -> None:
    assert decode(0, []) == (Trades(), [], [])


@pytest.mark.parametrize("timestamp", [-1, 253_402_300_800_000, 2**63 - 1])
def test_a_record_without_a_time_is_no_trade(timestamp: int) -> None:
    trades, _, ((_, refusal),) = decode(0, [record(GOOD, timestamp), record(GOOD)])
    assert len(trades) == 1
    assert refusal == (Reason.INVALID, f"timestamp: {timestamp} is not a valid time")


@pytest.mark.parametrize("others", [[], [b"garbage"]])
def test_a_coin_that_is_not_taken_is_refused(others: list[bytes]) -> None:
    ether = record(GOOD.replace(b"BTC", b"ETH"), offset=8)
    records_ = [record(GOOD), ether, record(GOOD), *map(record, others)]
    trades, valid, refused = decode(0, records_, "BTC".__eq__)
    assert trades.coins == ("BTC", "BTC")
    assert valid == [records_[0], records_[2]]
    told = "coinName: is not one of the coins that are taken here (COINS)"
    assert refused[0] == (ether, (Reason.COIN, told))
    assert len(refused) == 1 + len(others)


@pytest.mark.parametrize("timestamp", [0, 253_402_300_799_999])
@pytest.mark.parametrize("other", [GOOD, b"garbage"])
def test_the_first_and_the_last_time_that_there_is_are_times(timestamp: int, other: bytes) -> None:
    trades, _, _ = decode(0, [record(GOOD, timestamp), record(other)])
    assert trades.times[0] == timestamp


@pytest.mark.parametrize(
    ("own_id", "sequence", "kept"),
    [
        (None, 7, None),
        (17, 17, "17"),
        (0, 0, "0"),
        (-3, -3, "-3"),
        ("17", 17, "17"),
        ("-3", -3, "-3"),
        ("007", 7, "007"),
        ("x17", 7, "x17"),
        ("a\0b", 7, "a␀b"),
        (10**63, 10**63, str(10**63)),
    ],
)
def test_a_trade_is_ordered_by_its_own_id_if_that_is_a_whole_number(
    own_id: str | int | None, sequence: int, kept: str | None
) -> None:
    value = trade_rules.encode(TradeMessage("BTC", Decimal(1), Decimal("2.50"), own_id))
    numbers = (Decimal("2.50"), Decimal(1))
    expected = ("BTC", 5, sequence, 3 * 2**41 + 7, *numbers, kept, 7, "2.50", "1")
    assert decode(3, [record(value, 5)]).trades == Trades.of([StoredTrade(*expected)])


NEARLY_PLAIN = [
    *(b"", b"\n", GOOD + b"\n", b"\n" + GOOD, GOOD + b"\n" + GOOD, GOOD + b" ", GOOD + b"}"),
    b'{"coinName":"A}',
    b'{B","numOfCoin":1,"price":2}',
    b'{"coinName":"\xff","numOfCoin":1,"price":2}',
    b'{"coinName":" BTC","numOfCoin":1,"price":2}',
    b'{"coinName":"\xc2\x85","numOfCoin":1,"price":2}',
    b'{"coinName":"B\xc2\x85C","numOfCoin":1,"price":2}',
    b'{"coinName":"","numOfCoin":1,"price":2}',
    b'{"coinName":"' + b"x" * 65 + b'","numOfCoin":1,"price":2}',
    b'{"coinName":"\\u0041","numOfCoin":1,"price":2}',
    b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":"\xe2\x80\xa8"}',
    b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":""}',
    b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":-0}',
    b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":01}',
    b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":null}',
    b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":' + b"9" * 64 + b"}",
    b'{"coinName":"BTC","numOfCoin":"1","price":2}',
    b'{"price":2,"coinName":"BTC","numOfCoin":1}',
    b"x" + GOOD,
    b'{"coinName":"a","x":"b","numOfCoin":1,"price":2}',
    *(
        b'{"coinName":"BTC","numOfCoin":1,"price":2,"tradeId":%s}' % own_id
        for own_id in (
            *(b'"a\x00b"', b'"a\x1fb"', b'"a\x7fb"', b'"' + b"x" * 65 + b'"', b'"a","x":"b"'),
            *(b"-" + b"9" * 64, b"9" * 65, "٣".encode(), "1٣".encode(), b"1.0"),
        )
    ),
    *(
        template % number
        for template in (
            b'{"coinName":"BTC","numOfCoin":%s,"price":2}',
            b'{"coinName":"BTC","numOfCoin":1,"price":%s}',
        )
        for number in (
            *(b"0", b"0.0", b"00.1", b"01", b"1.", b".5", b"-1", b"+1", b"1e3", b"1_0"),
            *(b"9" * 19, b"0." + b"0" * 18 + b"1", b"9" * 19 + b".1"),
            *("٣".encode(), "1٣".encode(), "1.٣".encode()),
        )
    ),
    b'{"coinName":"BTC","numOfCoin":0.' + b"0" * 17 + b'1,"price":' + b"9" * 18 + b"}",
    b'{"coinName":"BTC","numOfCoin":0.' + b"0" * 18 + b'1,"price":' + b"9" * 19 + b"}",
]


@pytest.mark.parametrize("value", NEARLY_PLAIN)
@pytest.mark.parametrize("others", [[], [GOOD]])
def test_both_ways_to_read_find_the_same(value: bytes, others: list[bytes]) -> None:
    check_both_ways([*others, value, *others])


def test_lines_that_join_to_trades_are_none() -> None:
    torn = [b'{"coinName":"A","numOfCoin":1', b',"price":2}', GOOD + b"\n" + GOOD, b""]
    for values in (torn, torn[:3], torn[2:], [torn[0] + b"\n" + torn[1]]):
        check_both_ways(values)


names = st.text(min_size=1, max_size=70)
numbers = st.decimals("0", "1e19", places=3) | st.from_regex(r"\A[0-9.e+-]{1,20}\Z")
ids = st.none() | st.integers() | st.text(max_size=70)


@given(st.lists(st.tuples(names, numbers, numbers, ids), max_size=4), st.randoms())
@example([("a\n", "1", "1", None)], random.Random(0))
def test_both_ways_find_the_same_whatever_the_messages_are(
    given_: list[tuple[object, ...]], chance: random.Random
) -> None:
    values = []
    for name, amount, price, own_id in given_:
        text = f'{{"coinName":"{name}","numOfCoin":{amount},"price":{price}'
        if isinstance(own_id, int):
            text += f',"tradeId":{own_id}'
        elif own_id is not None:
            text += f',"tradeId":"{own_id}"'
        values.append(f"{text}}}".encode("utf-8", "surrogatepass"))
    if values and chance.random() < 0.3:
        values.insert(chance.randrange(len(values)), chance.choice(NEARLY_PLAIN))
    check_both_ways(values)


def check_both_ways(values: list[bytes]) -> None:
    """Compare what is found all at once with what is found one by one."""
    records_ = [record(value, 5, offset) for offset, value in enumerate(values, 7)]
    assert decode(3, records_) == decoder._decode_each(3, records_)


def test_what_we_write_is_read_all_at_once() -> None:
    trades = [
        TradeMessage("BTC", Decimal("0.25"), Decimal(91234), own_id) for own_id in (None, 7, "x")
    ]
    assert trade_rules.read_texts([trade_rules.encode(trade) for trade in trades]) == [
        ("BTC", "0.25", "91234", "", ""),
        ("BTC", "0.25", "91234", "7", ""),
        ("BTC", "0.25", "91234", "", "x"),
    ]


def test_common_messages_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade_rules, "decode", None)
    assert len(decode(0, [record(GOOD), record(GOOD)]).trades) == 2
