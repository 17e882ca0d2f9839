import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.market.assets import SEPARATORS, Market, Markets
from settings import Settings

DEFAULTS = Settings(_env_file=None)  # type: ignore[call-arg]
MARKETS = Markets(DEFAULTS.quote_assets, DEFAULTS.default_quote_asset)


@pytest.mark.parametrize(
    ("coin", "market"),
    [
        ("BTCUSDT", ("BTC", "USDT")),
        ("ETHBTC", ("ETH", "BTC")),
        ("BTC-USD", ("BTC", "USD")),
        ("BTC_KRW", ("BTC", "KRW")),
        ("BTC/EUR", ("BTC", "EUR")),
        ("BINANCE:BTC:USD", ("BINANCE:BTC", "USD")),
        ("BTC-/USD", ("BTC", "USD")),
        ("btc-usdt", ("btc", "usdt")),
        ("ETH-BTC", ("ETH", "BTC")),
        ("KRW-BTC", ("BTC", "KRW")),
        ("KRW-ETH", ("ETH", "KRW")),
        ("krw_eth", ("eth", "krw")),
        ("USDT/:KRW", ("USDT", "KRW")),
        ("BTC-BTC", ("BTC", "BTC")),
        ("KRWETH", ("KRW", "ETH")),
        ("KRW-DOGE", ("KRW-DOGE", "USD")),
        ("비트코인KRW", ("비트코인", "KRW")),
        ("BTC", ("BTC", "USD")),
        ("DOGE", ("DOGE", "USD")),
        ("비트코인", ("비트코인", "USD")),
    ],
)
def test_a_name_is_a_base_and_a_quote(coin: str, market: tuple[str, str]) -> None:
    assert MARKETS.market(coin) == market


def test_the_longest_quote_is_taken_whatever_the_order_of_the_list() -> None:
    markets = Markets(["USD", "DUSD", "BUSD"], "EUR")
    assert markets.market("BTCBUSD") == Market("BTC", "BUSD")
    assert markets.market("BTCUSD") == Market("BTC", "USD")


@pytest.mark.parametrize("coin", ["USDT", "-USDT", "/:USDT", "usdt"])
def test_a_base_is_never_empty(coin: str) -> None:
    assert MARKETS.market(coin) == Market(coin, "USD")


def test_a_shorter_quote_is_taken_where_the_longer_one_leaves_no_base() -> None:
    assert Markets(["BUSD", "USD"], "EUR").market("BUSD") == Market("B", "USD")


quotes = st.sampled_from(DEFAULTS.quote_assets)


@given(quotes, st.text(SEPARATORS, min_size=1, max_size=3), quotes)
def test_of_two_quotes_the_earlier_of_the_list_is_the_quote(
    one: str, separator: str, other: str
) -> None:
    base, quote = sorted((one, other), key=DEFAULTS.quote_assets.index, reverse=True)
    assert MARKETS.market(f"{one}{separator}{other}") == (base, quote)


@given(st.one_of(st.text(min_size=1, max_size=64), quotes.map("KRW-{}".format)))
def test_the_parts_come_from_the_name_and_neither_is_empty(coin: str) -> None:
    base, quote = MARKETS.market(coin)
    assert base
    assert quote
    if not coin.startswith(base):
        assert coin.startswith(quote)
        base, quote = quote, base
    rest = coin[len(base) :]
    assert rest.lstrip(SEPARATORS) == quote if rest else quote == "USD"
