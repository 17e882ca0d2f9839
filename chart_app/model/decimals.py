"""Exact decimals."""

from decimal import Context, Decimal, Inexact, InvalidOperation

ZERO = Decimal(0)
#: Has room for every digit of a sum and traps Inexact: Python's default context silently rounds
#: to 28 digits, which makes a sum depend on its order. The product of a price and an amount
#: has up to 36 digits before the point and, where both are near 10^-18 and have 38 digits, 110
#: after it. A sum of 10^20 of the largest and smallest fits.
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation])


def plain(number: Decimal) -> str:
    """Return the digits of a number without an exponent."""
    text = str(number)
    return f"{number:f}" if "E" in text else text


def padded(text: str, places: int) -> str:
    """Return plain digits with at least so many decimal places, by zeros at the end."""
    missing = places - count_places(text)
    if missing <= 0:
        return text
    return f"{text}{'' if '.' in text else '.'}{'0' * missing}"


def count_places(text: str) -> int:
    """Return how many decimal places plain digits have."""
    return len(text) - 1 - text.find(".") if "." in text else 0
