from decimal import Decimal

import pytest
from hypothesis import given

import trade_rules
from records import Trade
from tests.unit.test_trade_rules import trades
from trade_rules import InvalidTrade, TradeMessage


@given(trades)
def test_the_record_is_written_and_read_as_the_message_is(message: TradeMessage) -> None:
    record = Trade(message.coinName, message.numOfCoin, message.price, message.tradeId)
    assert record.dumps() == trade_rules.encode(message)
    assert Trade.loads(record.dumps()) == record


def test_what_is_no_trade_is_no_record() -> None:
    with pytest.raises(InvalidTrade):
        Trade.loads(b'{"coinName":"BTC","numOfCoin":0,"price":1}')
    assert Trade("BTC", Decimal(1), Decimal(2)).tradeId is None


def test_a_record_has_nothing_of_faust_s_own_in_it() -> None:
    record = Trade("BTC", Decimal(1), Decimal(2), "x")
    assert record.to_representation() == {
        "coinName": "BTC",
        "numOfCoin": Decimal(1),
        "price": Decimal(2),
        "tradeId": "x",
    }
