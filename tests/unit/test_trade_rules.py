import json
import re
import struct
import sys
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_rules import (
    TRADE_MAX_BYTES,
    InvalidTrade,
    JSONNumber,
    NotJSON,
    TooLong,
    TradeMessage,
    as_integer,
    decode,
    encode,
    find_errors,
    has_illegal_characters,
    is_plain,
    parse,
    read_object,
    read_texts,
)
from trading_app.parsing import submission

FIELDS = {"price": "1", "numOfCoin": "1"}
names = (
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1)
    .map(lambda text: unicodedata.normalize("NFKC", text)[:64].strip())
    .filter(lambda name: not list(find_errors({**FIELDS, "coinName": name})))
)
amounts = st.decimals(
    min_value="1e-18", max_value="999999999999999999", allow_nan=False, allow_infinity=False
).filter(lambda number: len(number.as_tuple().digits) <= 38)
trade_ids = (
    st.none()
    | st.integers(-(10**60), 10**60)
    | st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
)
trades = st.builds(TradeMessage, names, amounts, amounts, trade_ids)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)

RULES = submission.Rules(("tradeData",), 0, "tradeData")
VALID = '{"coinName":"BTC","numOfCoin":0.25,"price":91234.5}'


def with_value(field: str, value: str) -> bytes:
    """Return a message in which one field has another value, given as JSON."""
    fields = {"coinName": '"BTC"', "numOfCoin": "0.25", "price": "91234.5", field: value}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}").encode()


def errors_of(value: bytes | None) -> dict[str, str]:
    """Return what is wrong with a message, by field."""
    with pytest.raises(InvalidTrade) as caught:
        decode(value)
    return {error["field"]: error["detail"] for error in caught.value.errors}


def test_a_message_is_compact_json_in_a_fixed_order() -> None:
    trade = TradeMessage("BTC", Decimal("0.25"), Decimal("91234.5"))
    assert encode(trade) == VALID.encode()
    trade = TradeMessage("BTC", Decimal("0.250"), Decimal("1E-7"), "a-1")
    assert encode(trade) == (b'{"coinName":"BTC","numOfCoin":0.250,"price":1E-7,"tradeId":"a-1"}')


@given(trades)
def test_what_is_encoded_is_decoded_to_the_same(trade: TradeMessage) -> None:
    again = decode(encode(trade))
    assert again == trade
    assert str(again.price) == str(trade.price), "every digit is kept"
    assert json.loads(encode(trade)).keys() >= {"coinName", "numOfCoin", "price"}


@given(st.binary())
def test_random_bytes_raise_nothing_but_invalid_trade(value: bytes) -> None:
    with pytest.raises(InvalidTrade):
        decode(value)


@given(
    st.dictionaries(st.sampled_from(["coinName", "price", "numOfCoin", "tradeId", "x"]), anything)
)
def test_random_objects_raise_nothing_but_invalid_trade(fields: dict[str, Any]) -> None:
    value = json.dumps(fields).encode()
    try:
        trade = decode(value)
    except InvalidTrade as error:
        assert all(it["detail"] for it in error.errors)  # noqa: PT017 - if it is raised
    else:
        assert decode(encode(trade)) == trade


json_numbers = amounts.map(lambda number: JSONNumber(str(number)))
submitted_numbers = (
    json_numbers | json_numbers.map(str) | st.text(max_size=8) | st.integers().map(str)
)


def as_json(fields: dict[str, Any]) -> bytes:
    """Write JSON in which a JSONNumber is a number, not a string."""
    texts = {
        name: value if isinstance(value, JSONNumber) else json.dumps(value)
        for name, value in fields.items()
    }
    return ("{" + ",".join(f'"{name}":{text}' for name, text in texts.items()) + "}").encode()


@given(
    st.fixed_dictionaries(
        {
            "topic": st.just("tradeData"),
            "coinName": names | st.text(max_size=70),
            "price": submitted_numbers,
            "numOfCoin": submitted_numbers,
        },
        optional={
            "tradeId": st.text(max_size=70) | st.integers().map(lambda it: JSONNumber(str(it)))
        },
    )
)
def test_what_http_accepts_the_consumer_accepts_and_finds_equal(fields: dict[str, Any]) -> None:
    rules = submission.Rules(("tradeData",), 0)
    try:
        by_form = submission.parse(fields, rules, 0)
    except InvalidTrade:
        with pytest.raises(InvalidTrade):
            submission.read_json(as_json(fields), rules, 0)
        return
    by_json = submission.read_json(as_json(fields), rules, 0)
    assert by_json == by_form
    assert decode(encode(by_json.trade)) == by_json.trade


#: JSON values as a field may have them, right and nearly right.
VALUES = [
    *("1", "0", "0.0", "-1", "1e-18", "9e17", "1e18", "1e-19", "1e999", "0.1000", "1." + "0" * 38),
    *("9" * 38, "9" * 39, '"1"', '" 1"', '"1_0"', '"1e3"', '"NaN"', "null", "true", "[]", "{}"),
    *(
        '"BTC"',
        '" BTC"',
        '""',
        '"a\\nb"',
        '"\\u0042"',
        '"\\ud800"',
        '"비트"',
        f'"{"x" * 64}"',
        f'"{"x" * 65}"',
    ),
    *("17", "-3", "1.0", "9" * 64, "-" + "9" * 63, "9" * 65, '"17"', '"a\\"b"'),
]
KEYS = ["coinName", "numOfCoin", "price", "tradeId", "more", "pri\\u0063e"]
GOOD = {"coinName": '"BTC"', "numOfCoin": "0.10", "price": "91234.5", "tradeId": "17"}
members = st.sampled_from(KEYS).flatmap(
    lambda key: st.tuples(st.just(key), st.sampled_from(VALUES) | st.just(GOOD.get(key, "1")))
)
#: A trade with some members put in the place of, or beside, its own.
messages = st.builds(
    lambda own, more: [*GOOD.items()][:own] + more + [*GOOD.items()][own + 1 :],
    st.integers(0, 4),
    st.lists(members, max_size=3),
)


@given(messages, st.sampled_from(["", " "]))
def test_the_fast_reader_finds_what_the_careful_one_does(
    members: list[tuple[str, str]], blank: str
) -> None:
    text = ",".join(f'"{key}"{blank}:{blank}{value}' for key, value in members)
    value = f"{{{text}}}".encode()
    try:
        careful = parse(read_object(value))
    except InvalidTrade as error:
        refused = error
        with pytest.raises(type(refused), match=f"^{re.escape(str(refused))}$"):
            decode(value)
    else:
        assert decode(value) == careful
        assert str(decode(value).price) == str(careful.price)


@pytest.mark.parametrize(
    "value",
    [
        VALID.encode(),
        b'{"price":"91234.5","numOfCoin":".25","coinName":"BTC"}',
        b'{"price":9.12345e4,"numOfCoin":"25E-2","coinName":"BTC"}',
        b' {"coinName" : "BTC", "numOfCoin": 0.25, "price": 91234.5, "more": {"a": [1]}} ',
        b'{"coinName":"\\u0042TC","numOfCoin":0.25,"price":"091234.50"}',
    ],
)
def test_numbers_may_be_strings_and_unknown_fields_are_passed_over(value: bytes) -> None:
    assert decode(value) == TradeMessage("BTC", Decimal("0.25"), Decimal("91234.5"))


@pytest.mark.parametrize(
    "number",
    ["true", "false", "null", "[]", "{}", '"NaN"', '"Infinity"', '"1_000"', '" 1"', '"1 "', '""',
     '"１２"', '"0x1"', '"1e"', '"٣"', '"1٣"', '"1.٣"', '".٣"', '"1e٣"', '"."', '"+"', '"-.e1"'],
)  # fmt: skip
@pytest.mark.parametrize("field", ["price", "numOfCoin"])
def test_what_is_no_number_is_refused(field: str, number: str) -> None:
    assert errors_of(with_value(field, number)) == {field: "must be a number"}


@pytest.mark.parametrize(
    "number",
    ["0", "-1", "0.0", "1e18", "9.9e-19", "1e999999999", "1e-999999999", "1" * 39, "1." + "0" * 38,
     '"1e999999999"', '"1E+999999999999999999999"', "9" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("field", ["price", "numOfCoin"])
def test_numbers_beyond_the_limits_are_refused(field: str, number: str) -> None:
    detail = errors_of(with_value(field, number))[field]
    assert detail == "must be at least 1e-18 and below 1e18, in at most 38 digits"


@pytest.mark.parametrize(
    "number", ["1e-18", "0.000000000000000001", "999999999999999999", "9" * 18 + "." + "9" * 20]
)
@pytest.mark.parametrize("field", ["price", "numOfCoin"])
def test_numbers_at_the_limits_are_accepted(field: str, number: str) -> None:
    assert str(getattr(decode(with_value(field, number)), field)) == str(Decimal(number))


@pytest.mark.parametrize("number", ["+1", "1.", "1e10", ".05", "5E+0", "0" * 199 + "1"])
def test_a_number_as_text_may_be_written_in_every_way(number: str) -> None:
    assert decode(with_value("price", f'"{number}"')).price == Decimal(number)


def test_a_number_as_text_has_at_most_200_characters() -> None:
    assert errors_of(with_value("price", '"' + "0" * 200 + '1"')).keys() == {"price"}


@pytest.mark.parametrize(
    "name",
    [
        '""',
        '" BTC"',
        '"BTC "',
        '"a\\nb"',
        '"a\\u0000"',
        '"\\u0085"',
        '"\\u2003a"',
        '"a\\u001fb"',
        '"~\u200b"',
        '"a\u00a0b"',
        '"e\u0301"',
        "7",
        "null",
        '"' + "x" * 65 + '"',
    ],
)
def test_names_that_break_the_rule_are_refused(name: str) -> None:
    assert errors_of(with_value("coinName", name)).keys() == {"coinName"}


def detail_of(name: str) -> str | None:
    """Return what is wrong with a coin's name."""
    error = next(find_errors({**FIELDS, "coinName": name}), None)
    return error["detail"] if error else None


#: By Unicode's DerivedCoreProperties.txt, version 16.
DEFAULT_IGNORABLE = [
    *(range(0x00AD, 0x00AE), range(0x034F, 0x0350), range(0x061C, 0x061D), range(0x115F, 0x1161)),
    *(range(0x17B4, 0x17B6), range(0x180B, 0x1810), range(0x200B, 0x2010), range(0x202A, 0x202F)),
    *(range(0x2060, 0x2070), range(0x3164, 0x3165), range(0xFE00, 0xFE10), range(0xFEFF, 0xFF00)),
    *(range(0xFFA0, 0xFFA1), range(0xFFF0, 0xFFF9), range(0x1BCA0, 0x1BCA4)),
    *(range(0x1D173, 0x1D17B), range(0xE0000, 0xE1000)),
]
BLANK_GLYPHS = {0x2800, 0x16FE4, 0x1D159}


def test_what_nobody_sees_is_in_no_name() -> None:
    hidden = {code for codes in DEFAULT_IGNORABLE for code in codes} | BLANK_GLYPHS
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        is_hidden = unicodedata.category(character)[0] in "CZ" and character != " "
        told = f"must have visible characters and the blank U+0020 only, and has U+{code:04X}"
        if is_hidden or code in hidden:
            assert detail_of(f"a{character}b") == told
        else:
            assert detail_of(f"a{character}b") != told


def test_a_name_has_one_spelling() -> None:
    told = "must be in Unicode's normalization form NFKC"
    for name in ("비트코인", "é", "ビット"):
        assert detail_of(name) is None
        assert detail_of(unicodedata.normalize("NFD", name)) == told
    for name in ("ＢＴＣ", "ﾋﾞｯﾄ", "BTC²", "ﬁ"):
        assert detail_of(name) == told


@given(st.text(max_size=70))
def test_a_name_that_is_taken_is_visible_and_normal(name: str) -> None:
    if detail_of(name) is None:
        assert unicodedata.normalize("NFKC", name) == name == name.strip()
        assert name.isprintable()
        assert not any(ord(it) in codes for it in name for codes in DEFAULT_IGNORABLE)


def test_the_length_of_a_name_and_its_blanks_are_told_first() -> None:
    told = "must be 1 to 64 characters, without surrounding blanks"
    for name in ("", " a", "a ", " ", "\u200b" * 65):
        assert detail_of(name) == told


def test_only_control_characters_and_surrogates_are_in_no_stored_name() -> None:
    illegal = {chr(code) for code in range(sys.maxunicode + 1) if has_illegal_characters(chr(code))}
    everything = map(chr, range(sys.maxunicode + 1))
    assert illegal == {it for it in everything if unicodedata.category(it) in {"Cc", "Cs"}}


@pytest.mark.parametrize("name", ["x" * 64, "é" * 64, "비트코인", "a b", "😀", "币安人生"])
def test_names_of_any_other_characters_are_accepted(name: str) -> None:
    assert decode(with_value("coinName", f'"{name}"')).coinName == name
    assert decode(with_value("coinName", json.dumps(name))).coinName == name


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff"])
@pytest.mark.parametrize("text", ["{}", "a{}", "{}é"])
def test_half_a_surrogate_pair_is_in_no_trade_id(half: str, text: str) -> None:
    value = with_value("tradeId", '"' + text.format(half) + '"')
    assert errors_of(value) == {
        "tradeId": "must be an integer, or text, of 1 to 64 characters",
    }


@pytest.mark.parametrize("character", ["\ud7ff", "\ue000", "😀"])
def test_what_stands_beside_the_surrogates_is_in_trade_ids(character: str) -> None:
    assert decode(with_value("tradeId", json.dumps(character))).tradeId == character


def test_half_a_surrogate_pair_is_refused() -> None:
    assert errors_of(b'{"coinName":"\\ud800","numOfCoin":"1","price":1}').keys() == {"coinName"}
    value = b'{"coinName":"a","numOfCoin":"1","price":1,"tradeId":"\\udfff"}'
    assert errors_of(value).keys() == {"tradeId"}


@pytest.mark.parametrize(
    "trade_id", ["17", "0", "-3", '"17"', '"a b"', '"' + "é" * 64 + '"', "9" * 64, "-" + "9" * 63]
)
def test_a_trade_id_is_text_or_an_integer(trade_id: str) -> None:
    expected = json.loads(trade_id)
    assert decode(with_value("tradeId", trade_id)).tradeId == expected
    other_fields = '{"coinName":"BTC","numOfCoin":"0.25","price":"91234.5","tradeId":'
    assert decode(f"{other_fields}{trade_id}}}".encode()).tradeId == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("-3", -3), ("007", 7), ("9" * 64, 10**64 - 1), ("-" + "9" * 63, 1 - 10**63)),
        *((it, None) for it in ("", "-", "+1", "1.0", "1e3", " 1", "1_0", "٣", "1" * 65, None, 1)),
    ],
)
def test_an_integer_is_a_text_of_ascii_digits(text: object, number: int | None) -> None:
    assert as_integer(text) == number


@pytest.mark.parametrize(
    "trade_id",
    [
        "1.0",
        "1e3",
        "true",
        "null",
        '""',
        "[]",
        '"' + "x" * 65 + '"',
        "9" * 65,
        "1" + "0" * 64,
        "-1" + "0" * 63,
        "9" * 5000,
    ],
)
def test_other_trade_ids_are_refused(trade_id: str) -> None:
    assert errors_of(with_value("tradeId", trade_id)).keys() == {"tradeId"}


def test_every_bad_field_is_named() -> None:
    errors = errors_of(b'{"coinName":"","price":"x","tradeId":[]}')
    assert list(errors) == ["coinName", "price", "numOfCoin", "tradeId"]
    assert errors["numOfCoin"] == "is missing"
    assert errors_of(with_value("coinName", "7")) == {"coinName": "must be text"}


@pytest.mark.parametrize(
    "value",
    [None, b"", b"null", b"[]", b"7", b'"text"', b"{", VALID.encode() + b"x", b"\xff", b'{"a":NaN}',
     b'{"coinName":"BTC","numOfCoin":1,"price":1,"price":1}', VALID.encode("utf-16"),
     b"\xef\xbb\xbf" + VALID.encode(), b"[" * 10_000, b'{"a":' * 3_000],
)  # fmt: skip
def test_what_is_no_json_object_is_refused_as_a_whole(value: bytes | None) -> None:
    with pytest.raises(NotJSON) as caught:
        decode(value)
    ((field, detail),) = [error.values() for error in caught.value.errors]
    assert field == ""
    assert detail == str(caught.value)
    assert detail.startswith("is not a JSON object: ")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "it is empty (a tombstone)"),
        (b"[]", "it is another type of value"),
        (b'{"a":' * 3_000, "it is nested too deeply"),
        (b'{"a":1,"a":1}', "a key is repeated"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
    ],
)
def test_why_it_is_no_json_object_is_told(value: bytes | None, reason: str) -> None:
    assert errors_of(value) == {"": f"is not a JSON object: {reason}"}


def test_a_trade_may_be_as_long_as_its_longest_fields_and_more() -> None:
    price = "1" + "0" * 17 + "." + "0" * 181
    fields = {"coinName": "😀" * 64, "numOfCoin": price, "price": price, "tradeId": "😀" * 64}
    escaped = {
        name: "".join(f"\\u{unit:04x}" for unit in struct.unpack(f">{len(data) // 2}H", data))
        for name, value in fields.items()
        if (data := value.encode("utf-16-be"))
    }
    value = "{" + ",".join(f'"{name}":"{text}"' for name, text in escaped.items()) + "}"
    assert 2 * len(value) < TRADE_MAX_BYTES


@pytest.mark.parametrize("read", [decode, lambda value: submission.read_json(value, RULES, 0)])
def test_a_longer_text_is_not_read(read: Callable[[bytes], Any]) -> None:
    longest = VALID.encode().ljust(TRADE_MAX_BYTES)
    read(longest)
    with pytest.raises(TooLong) as caught:
        read(longest + b" ")
    assert caught.value.errors == [{"field": "", "detail": "is longer than 65536 bytes"}]


def test_read_object_keeps_digits_and_tells_numbers_from_strings() -> None:
    fields = read_object(b'{"a":0.10,"b":"0.10"}')
    assert fields == {"a": "0.10", "b": "0.10"}
    assert isinstance(fields["a"], JSONNumber)
    assert not isinstance(fields["b"], JSONNumber)


def test_a_name_is_not_a_number() -> None:
    fields = {"coinName": JSONNumber("7"), "price": "1", "numOfCoin": "1"}
    assert [error["field"] for error in find_errors(fields)] == ["coinName"]


def test_the_message_of_an_error_names_all_fields() -> None:
    with pytest.raises(InvalidTrade) as caught:
        parse({"price": "1"})
    assert str(caught.value) == "coinName: is missing; numOfCoin: is missing"


#: What a trade's fields are at their limits, as :func:`encode` writes them.
COMMON_NUMBERS = [
    *("1", "10", "19", "0.5", "0.000000000000000001", "1.000000000000000001"),
    *("100000000000000000", "999999999999999999.999999999999999999"),
]
COMMON_IDS = [
    *("0", "1", "19", "-1", "-20", "9" * 63, "-" + "9" * 63),
    *('"a"', '"a b"', '"' + "x" * 64 + '"', '"é"', '"\u2028"'),
]


@pytest.mark.parametrize("number", COMMON_NUMBERS)
@pytest.mark.parametrize("field", ["price", "numOfCoin"])
def test_common_numbers_need_no_careful_reader(field: str, number: str) -> None:
    check_that_it_is_read_quickly(with_value(field, number))


@pytest.mark.parametrize("trade_id", COMMON_IDS)
def test_common_trade_ids_need_no_careful_reader(trade_id: str) -> None:
    check_that_it_is_read_quickly(with_value("tradeId", trade_id))


@pytest.mark.parametrize("name", ["B", "B C", "x" * 64, "é" * 64, "😀"])
def test_common_names_need_no_careful_reader(name: str) -> None:
    check_that_it_is_read_quickly(with_value("coinName", f'"{name}"'))


def check_that_it_is_read_quickly(value: bytes) -> None:
    """Check that both fast readers read a message."""
    assert is_plain(decode(value), value)
    assert read_texts([value]) is not None


@pytest.mark.parametrize("trade_id", [None, 7, 10**64 - 1, 1 - 10**63, "x"])
@pytest.mark.parametrize("amount", ["1e-18", "9" * 18 + "." + "9" * 20])
def test_the_quick_look_knows_how_many_quotes_there_are(
    trade_id: int | str | None, amount: str
) -> None:
    trade = TradeMessage("BTC", Decimal(amount), Decimal(amount), trade_id)
    value = encode(trade)
    assert is_plain(trade, value)
    assert is_plain(trade, value + b'""', 2)
    assert not is_plain(trade, value, 1)
    assert not is_plain(trade, value + b'"')


@pytest.mark.parametrize("amount", ["0", "9e-19", "1e18", "1." + "0" * 38])
def test_the_quick_look_leaves_numbers_beyond_the_limits_to_the_careful_reader(amount: str) -> None:
    for price, number in (("1", amount), (amount, "1")):
        trade = TradeMessage("BTC", Decimal(number), Decimal(price))
        assert not is_plain(trade, encode(trade))
