from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chart_app.model.folding import Folded, combine, fold_trades
from chart_app.model.trades import StoredTrade, Trades

#: Few coins and minutes, so that parts have candles in common; numbers of several scales.
numbers = st.sampled_from(["1", "2.5", "0.25", "1E+2", "3.125"]).map(Decimal)
stored_trades = st.builds(
    StoredTrade,
    coin=st.sampled_from(["BTC", "ETH"]),
    time=st.integers(0, 200_000),
    sequence=st.integers(0, 3),
    id=st.integers(0, 2**53),
    price=numbers,
    amount=numbers,
    sender_id=st.none(),
    offset=st.just(0),
    price_text=st.just(""),
    amount_text=st.just(""),
)
parts = st.lists(
    st.lists(stored_trades, min_size=1, max_size=5, unique_by=lambda it: it.id), max_size=4
)


@given(parts)
def test_parts_combine_to_what_all_their_trades_make(given_: list[list[StoredTrade]]) -> None:
    everything = Trades.of(it for part in given_ for it in part)
    assert combine(fold_trades(Trades.of(part)) for part in given_) == fold_trades(everything)


def test_no_parts_make_nothing() -> None:
    assert combine([]) == fold_trades(Trades()) == Folded({}, {})
