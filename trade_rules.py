"""What a valid trade is, and the parsers of its text. Pure, and without Faust.

The message on the topic is compact JSON, keys in this order, numbers with the digits
that were sent::

    {"coinName":"BTC","numOfCoin":0.25,"price":91234.5,"tradeId":17}

The rules are stated once, in :func:`find_errors`; :func:`parse` applies them to any input. Two
fast paths cover the common case and fall back to it; property tests compare both with it:

- :func:`is_plain`, for a message that msgspec has decoded: 1.2 µs a trade instead of 5;
- :func:`read_texts`, for a thousand messages at once, by one regular expression: 0.5 µs a trade.

Errors::

    InvalidTrade            some fields break a rule; ``errors`` lists them all
      + NotJSON             there are no fields: the text is not one JSON object
      + TooLong             the text is too long to be parsed
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal, Rounded
from typing import Any, Literal, NoReturn, TypedDict

import msgspec

COIN_NAME_MAX_CHARS = 64
TRADE_ID_MAX_CHARS = 64
NUMBER_MAX_DIGITS = 38  # what NUMERIC(38, …) columns hold
#: Of the text of one trade, unknown fields included. The known fields at their longest, each
#: character escaped, take 6 kB. The parser that finds every error takes up to 0.4 µs a byte.
TRADE_MAX_BYTES = 64 * 1024


class FieldError(TypedDict):
    """An error in one field; ``field`` is "" for an error in the message as a whole."""

    field: str
    detail: str


#: Of a valid name that COINS does not name.
COIN_NOT_TAKEN: FieldError = {
    "field": "coinName",
    "detail": "is not one of the coins that are taken here (COINS)",
}


class InvalidTrade(ValueError):
    """The trade breaks a rule."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__(errors)

    def __str__(self) -> str:
        return "; ".join(
            f"{error['field']}: {error['detail']}" if error["field"] else error["detail"]
            for error in self.errors
        )


class NotJSON(InvalidTrade):
    """The text is not one JSON object."""

    def __init__(self, detail: str) -> None:
        super().__init__([{"field": "", "detail": f"is not a JSON object: {detail}"}])


class TooLong(InvalidTrade):
    """The text of one trade is longer than :data:`TRADE_MAX_BYTES`."""

    def __init__(self) -> None:
        super().__init__([{"field": "", "detail": f"is longer than {TRADE_MAX_BYTES} bytes"}])


class TradeMessage(msgspec.Struct, gc=False, omit_defaults=True):
    """A trade as it is encoded on the topic. msgspec checks the types only, not the rules.

    coinName:  1 to 64 characters, see :func:`_is_coin_name`.
    numOfCoin: the amount traded, exact.
    price:     the price of one coin, exact.
    tradeId:   the sender's own identifier: text of 1 to 64 characters, or an integer.
    """

    coinName: str
    numOfCoin: Decimal
    price: Decimal
    tradeId: str | int | None = None


#: Encodes a valid trade as the value of a record.
def trade_alone(message: TradeMessage) -> TradeMessage:
    """Return the trade of a message that holds other fields as well."""
    return TradeMessage(message.coinName, message.numOfCoin, message.price, message.tradeId)


encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(TradeMessage).decode


def decode(value: bytes | None) -> TradeMessage:
    """Decode the value of a record.

    Numbers may be JSON numbers or numeric strings, unknown fields are ignored.
    Raises :exc:`InvalidTrade`, and nothing else, whatever the bytes are.
    """
    if value is None:
        raise NotJSON("it is empty (a tombstone)")
    if len(value) > TRADE_MAX_BYTES:
        raise TooLong
    try:
        message = _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return parse(read_object(value))  # accepts numeric strings, and names every bad field
    return message if is_plain(message, value) else parse(read_object(value))


#: The fields of a trade as text: coin name, amount, price, tradeId if it is an integer, tradeId
#: if it is text. A missing one is "".
Texts = tuple[str, str, str, str, str]


def read_texts(values: Sequence[bytes | None]) -> list[Texts] | None:
    """Split messages into fields, if all have the form that :func:`encode` writes commonly.

    Return None if any has not: then each must be decoded by :func:`decode`.
    """
    try:
        lines = b"\n".join(values).decode()  # type: ignore[arg-type]
    except (TypeError, UnicodeDecodeError):
        return None
    found: list[Texts] = _find_texts(lines)
    # As many matches as lines: each line is a trade. As many as messages: each is one line.
    if len(found) == len(values) == lines.count("\n") + 1 and all(
        map(_is_coin_name, {texts[0] for texts in found})
    ):
        return found
    return None


def is_plain(message: TradeMessage, value: bytes, more_quotes: int = 0) -> bool:
    """Return whether a message that msgspec has decoded certainly obeys all rules.

    If False, it must be checked by :func:`parse`. ``value`` is the JSON it was decoded from,
    ``more_quotes`` the number of quotes in it that belong to fields other than the trade's.
    """
    price = message.price
    amount = message.numOfCoin
    trade_id = message.tradeId
    # msgspec accepts "1_000" and " 1" as numbers, null as no id, and keeps the last of a repeated
    # key. If the only quotes are those of our keys, the name and a text id, none can occur.
    quotes = 8 + more_quotes
    if trade_id is not None and _is_trade_id(trade_id):
        quotes += 4 if isinstance(trade_id, str) else 2
    return (
        value.count(b'"') == quotes
        and _is_coin_name(message.coinName)
        and _AMOUNT_MIN <= price < _AMOUNT_END
        and _AMOUNT_MIN <= amount < _AMOUNT_END
        # A message this short cannot hold a number with too many digits.
        and (len(value) <= _SHORT_BYTES or (_has_few_digits(price) and _has_few_digits(amount)))
    )


def read_object(value: bytes) -> dict[str, Any]:
    """Parse one JSON object without losing digits: numbers are returned as :class:`JSONNumber`.

    Raises :exc:`NotJSON`, also for NaN, Infinity and a repeated key.
    """
    try:
        fields = _JSON.decode(value.decode())
    except RecursionError:
        raise NotJSON("it is nested too deeply") from None
    except ValueError as error:
        raise NotJSON(str(error)) from None
    if not isinstance(fields, dict):
        raise NotJSON("it is another type of value")
    return fields


class JSONNumber(str):
    """The text of a JSON number, as opposed to that of a JSON string."""

    __slots__ = ()


def parse(fields: Mapping[str, Any]) -> TradeMessage:
    """Return the trade that the fields of a JSON object or a form describe.

    Raises :exc:`InvalidTrade` with an error for every bad field.
    """
    if errors := list(find_errors(fields)):
        raise InvalidTrade(errors)
    return build(fields)


def build(fields: Mapping[str, Any]) -> TradeMessage:
    """Return the trade of fields in which :func:`find_errors` finds no error."""
    trade_id = fields.get("tradeId")
    return TradeMessage(
        fields["coinName"],
        Decimal(fields["numOfCoin"]),
        Decimal(fields["price"]),
        int(trade_id) if isinstance(trade_id, JSONNumber) else trade_id,
    )


def find_errors(fields: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield an error for every bad field of a trade."""
    for field, check in _CHECKS.items():
        if field not in fields:
            if field != "tradeId":
                yield {"field": field, "detail": "is missing"}
        elif detail := check(fields[field]):
            yield {"field": field, "detail": detail}


def as_integer(value: Any) -> int | None:
    """Return the integer value of a JSON number or of a string of ASCII digits, else None."""
    if isinstance(value, str) and len(value) <= TRADE_ID_MAX_CHARS and _INTEGER(value):
        return int(value)
    return None


def has_illegal_characters(name: str) -> bool:
    """Return whether a text has characters that are in no coin's name, not in an old store either.

    Those are control characters, and lone surrogates, which UTF-8 cannot encode. What a new name
    may hold is stricter, see :func:`_is_coin_name`.
    """
    return _ILLEGAL_IN_NAMES(name) is not None


_ILLEGAL_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_INTEGER = re.compile(r"-?[0-9]+").fullmatch
# No two adjacent parts match the same character: a text can match in only one way.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_TRADE_ID_START = -(10 ** (TRADE_ID_MAX_CHARS - 1))  # the minus sign counts as a character
# No possessive quantifiers: some releases of Python 3.11 get them wrong ("1." matched).
_ABOVE_0 = r"(?![0.]+[,}])(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?"
_STRING = r'"([^"\\\x00-\x1f]{1,64})"'
_find_texts = re.compile(
    rf'^\{{"coinName":{_STRING}'
    rf',"numOfCoin":({_ABOVE_0}),"price":({_ABOVE_0})'
    rf'(?:,"tradeId":(?:(0|-?[1-9][0-9]{{0,62}})|{_STRING}))?\}}$',
    re.MULTILINE,
).findall
_TRADE_ID_END = 10**TRADE_ID_MAX_CHARS
_AMOUNT_MIN = Decimal("1e-18")  # the smallest unit of common coins
_AMOUNT_END = Decimal("1e18")
_WITHIN_DIGITS = Context(prec=NUMBER_MAX_DIGITS, traps=[Rounded])
_NUMBER_MAX_CHARS = 200  # no number within the limits needs more
_SHORT_BYTES = len('{"coinName":"","numOfCoin":1,"price":}') + NUMBER_MAX_DIGITS


#: What nobody sees, but that Python takes for printable: the rest of Unicode's
#: Default_Ignorable_Code_Point (DerivedCoreProperties.txt of Unicode 16: fillers, variation
#: selectors, the combining grapheme joiner), then three whose glyph is blank.
_INVISIBLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff"
    r"\u2800\U00016fe4\U0001d159]"
).search
#: One spelling a name: UTS #39 keeps characters that it changes (fullwidth letters, say) out of
#: identifiers.
_NORMAL_FORM: Literal["NFKC"] = "NFKC"


def _is_coin_name(name: str) -> bool:
    """Return whether a name is as long as it may be, and is what it looks like.

    Printable are all characters but those of the categories C and Z, with the blank U+0020.
    """
    return (
        0 < len(name) <= COIN_NAME_MAX_CHARS
        and name.isprintable()
        and name[0] != " "
        and name[-1] != " "
        and (
            name.isascii()
            or (not _INVISIBLE(name) and unicodedata.is_normalized(_NORMAL_FORM, name))
        )
    )


def _has_few_digits(number: Decimal) -> bool:
    try:
        _WITHIN_DIGITS.plus(number)
    except Rounded:
        return False
    return True


def _is_trade_id(trade_id: Any) -> bool:
    if isinstance(trade_id, str):
        return 0 < len(trade_id) <= TRADE_ID_MAX_CHARS and (
            trade_id.isascii()
            or not any("\ud800" <= character <= "\udfff" for character in trade_id)
        )
    return bool(_TRADE_ID_START < trade_id < _TRADE_ID_END)


def _check_coin_name(value: Any) -> str | None:
    if not isinstance(value, str) or isinstance(value, JSONNumber):
        return "must be text"
    if _is_coin_name(value):
        return None
    if not 0 < len(value) <= COIN_NAME_MAX_CHARS or " " in {value[0], value[-1]}:
        return f"must be 1 to {COIN_NAME_MAX_CHARS} characters, without surrounding blanks"
    for character in value:
        if not character.isprintable() or _INVISIBLE(character):
            code = f"U+{ord(character):04X}"
            return f"must have visible characters and the blank U+0020 only, and has {code}"
    return f"must be in Unicode's normalization form {_NORMAL_FORM}"


def _check_amount(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a number"
    if len(value) <= _NUMBER_MAX_CHARS:
        if not _NUMBER(value):
            return "must be a number"
        try:
            number = Decimal(value)
            # The limits are checked first: arithmetic on 1e999999999 takes all memory.
            if _AMOUNT_MIN <= number < _AMOUNT_END and (
                len(value) <= NUMBER_MAX_DIGITS or _has_few_digits(number)
            ):
                return None
        except ArithmeticError:
            pass  # the exponent is beyond Decimal's own limit
    return f"must be at least 1e-18 and below 1e18, in at most {NUMBER_MAX_DIGITS} digits"


def _check_trade_id(value: Any) -> str | None:
    if isinstance(value, JSONNumber):
        valid = as_integer(value) is not None
    else:
        valid = isinstance(value, str) and _is_trade_id(value)
    if valid:
        return None
    return f"must be an integer, or text, of 1 to {TRADE_ID_MAX_CHARS} characters"


_CHECKS = {
    "coinName": _check_coin_name,
    "price": _check_amount,
    "numOfCoin": _check_amount,
    "tradeId": _check_trade_id,
}


def _reject_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key is repeated")
    return fields


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_JSON = json.JSONDecoder(
    parse_float=JSONNumber,
    parse_int=JSONNumber,
    parse_constant=_reject_constant,
    object_pairs_hook=_reject_repeated_keys,
)
