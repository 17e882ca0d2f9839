"""Why a record is not stored as a trade, and goes to the dead-letter topic instead."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from chart_app.model.decimals import plain
from chart_app.model.trades import Trades


class Reason(StrEnum):
    """The kinds of reasons, as they are counted.

    invalid:    it is not a trade.
    coin:       its coin is not one of ``COINS``.
    max_coins:  its coin is new, and the store has ``MAX_COINS`` already.
    case:       its coin is new, and differs from a stored one only in case.
    conflict:   its coin has another trade with its ``tradeId``.
    """

    INVALID = "invalid"
    COIN = "coin"
    MAX_COINS = "max_coins"
    CASE = "case"
    CONFLICT = "conflict"


class Refusal(NamedTuple):
    """Why a record is refused; ``detail`` is for who reads the dead letter."""

    reason: Reason
    detail: str


def refuse_coins(
    coins: Iterable[str], known: Mapping[str, str], count: int, max_coins: float
) -> dict[str, Refusal]:
    """Return the new coins that are not to be stored, given how many are stored.

    ``known`` has the stored coins that differ from a new one at most in case, by their case-folded
    names. Of new coins the first ones count.
    """
    taken = dict(known)
    refused = {}
    for coin in coins:
        folded = coin.casefold()
        if folded in taken:
            detail = f"coinName: differs only in case from {taken[folded]}, which is another coin"
            refused[coin] = Refusal(Reason.CASE, detail)
        elif count >= max_coins:
            detail = f"coinName: is new, and there are {max_coins} coins already (MAX_COINS)"
            refused[coin] = Refusal(Reason.MAX_COINS, detail)
        else:
            count += 1
            taken[folded] = coin
    return refused


#: Price and amount of trades, by coin and sender's id.
Numbers = Mapping[tuple[str, str | None], tuple[Decimal, Decimal]]


def find_conflicts(trades: Trades, stored: Numbers) -> dict[int, Refusal]:
    """Return, by their ids, the trades whose senders' ids are those of others.

    The same price and amount is a repetition, whatever the time: a trade that is sent again
    without one is of another time.
    """
    found = {}
    columns = (trades.ids, trades.coins, trades.sender_ids, trades.prices, trades.amounts)
    for id_, coin, sender_id, *numbers in zip(*columns, strict=True):
        price, amount = stored.get((coin, sender_id), numbers)
        if [price, amount] != numbers:
            detail = (
                "tradeId: is that of another trade of this coin, "
                f"of price {plain(price)} and numOfCoin {plain(amount)}"
            )
            found[id_] = Refusal(Reason.CONFLICT, detail)
    return found
