"""What a stranger sends takes time in proportion to its length, at its worst.

Each reader of a stranger's input is given its worst texts at two sizes, one eight times the
other. Work that grows with the length takes eight times as long, work that grows with its square
64 times; the bound is between the two, far from both.
"""

import asyncio
import contextlib
import io
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

import trade_rules
from chart_app.live import messages
from chart_app.market import parameters
from chart_app.market.parameters import BadRequest
from chart_app.model import decoder
from chart_app.rest.udf import Feed
from chart_app.websocket import requests, streams
from streaming import logs
from trading_app.parsing import form, media_type, submission, trade_file, trade_list
from trading_app.parsing.submission import Rules

RULES = Rules(("tradeData",), 3_600_000, "tradeData")
FACTOR = 8
#: How many times as long the longer text may take: 8 is right, 64 is what is looked for.
MAX_RATIO = 24
ROUNDS = 3
#: Of the longer text, about. It takes up to 0.05 s, and where the square counts, minutes.
LENGTH = 80_000
MAX_S = 5.0
#: What takes no more is as good as nothing: no square of the length is in it.
NOTHING_S = 0.02

#: Returns a text of about this length.
Make = Callable[[int], str]
Read = Callable[[str], Any]


class Case(NamedTuple):
    """A reader, and one of its worst texts."""

    name: str
    read: Read
    make: Make


def repeated(part: str, before: str = "", after: str = "") -> Make:
    """Return what makes a text of nothing but a part, with something around it."""
    return lambda length: before + part * (length // len(part)) + after


def inside(make: Make, before: str, after: str) -> Make:
    """Return what makes a text with something around it."""
    return lambda length: before + make(length) + after


#: JSON values.
VALUES: dict[str, Make] = {
    "digits": repeated("9"),
    "digits and a letter": repeated("1", '"', 'x"'),
    "digits, a point, digits": lambda length: f'"{"1" * (length // 2)}.{"1" * (length // 2)}x"',
    "an exponent": repeated("9", '"1e', '"'),
    "exponents": repeated("1e1", '"', '"'),
    "zeros behind the point": repeated("0", "0.", "1"),
    "points": repeated(".", '"', '"'),
    "signs": repeated("+-", '"', '"'),
    "backslashes": repeated("\\\\", '"', '"'),
    "escapes": repeated("\\u0000", '"', '"'),
    "letters": repeated("ß", '"', '"'),
    "blanks": repeated(" ", '"', '"'),
    "unclosed text": repeated("a", '"'),
    "arrays in arrays": repeated("["),
    "objects in objects": repeated('{"a":'),
    "empty arrays": repeated("[],", "[", "1]"),
    "integers": repeated("1,", "[", "1]"),
    "different keys": lambda length: "{" + ",".join(f'"{n:x}":1' for n in range(length // 9)) + "}",
    "the same key": repeated('"a":1,', "{", '"a":1}'),
}
#: Before and after a value: each field of a trade, and one that is none.
FIELDS = {
    name: (f'{{"{name}":', "}")
    for name in ("price", "coinName", "tradeId", "timestamp", "topic", "unknown")
}
OURS = '{"coinName":"%s","numOfCoin":%s,"price":%s}'
OURS_BEGINS = '{"coinName":"a","numOfCoin":'
#: Messages on the topic; NUL stands for the end of one.
MESSAGES = {
    "braces": "{",
    "line ends": "\n",
    "quotes": '"',
    "zeros": "0",
    "zeros and points": "0.",
    "openings": OURS_BEGINS,
    "letters": "x",
    "ours": OURS % ("a", "1", "1") + "\0",
    "half of ours": OURS_BEGINS + "\0",
    "zero prices": OURS % ("a", "1", "0.000000000000000000") + "\0",
    "long names": OURS % ("é" * 64, "1", "1") + "\0",
    "long numbers": OURS % ("a", "1" * 18 + "." + "1" * 18, "0." + "0" * 19) + "\0",
    "long ids": (OURS % ("a", "1", "1"))[:-1] + ',"tradeId":' + "9" * 63 + "x}\0",
}
FORMS = {
    "percent signs": "%",
    "escapes": "%41",
    "bad escapes": "%ff",
    "blanks": "+",
    "fields": "a=1&",
    "separators": "&",
    "equals signs": "=",
    "digits": "1",
}
FILES = {
    "commas": ",",
    "quotes": '"',
    "quotes and commas": '"",',
    "line ends": "\n",
    "returns": "\r",
    "digits": "1",
    "letters": "x",
    "blanks": " ",
    "signs": "+-",
    "points": ".",
    "rows": "a,1,1,1,1\n",
    "bad rows": "\x1b,x,y,z,\n",
    "open quotes": '"\n',
    "times": "2020-01-01T",
    "exponents": "1e9",
}
COLUMNS = "symbol,price,amount,timestamp,id\n"
TYPES = {
    "semicolons": ";",
    "quotes": '"',
    "equals signs": "=",
    "parameters": ";a=b",
    "charsets": ";charset=utf-8",
    "quotes in parameters": ';"',
    "stars": ";a*1=b",
    "blanks": " ;",
    "backslashes": '\\"',
}
TEXTS = {
    "at signs": "@",
    "underscores": "_",
    "names": "a@trade",
    "klines": "@kline_1m",
    "escapes": "\x1b",
    "digits": "1",
    "letters": "ß",
    "signs": "-",
    "halves": "\ud800",
    "blanks": " ",
    "turns": "\u202e",
    "line ends": "\n",
}


def as_bytes(read: Callable[[bytes], Any]) -> Read:
    """Return a reader that is given text."""
    return lambda text: read(text.encode())


def read_carefully(value: bytes) -> Any:
    """Read JSON as the careful reader does, but for the bound of its length."""
    return submission.parse(trade_rules.read_object(value), RULES, 0)


def read_record(value: bytes) -> Any:
    """Read a record of the topic."""
    return decoder.decode(0, [cast(Any, SimpleNamespace(value=value, timestamp=0, offset=0))])


def read_messages(values: bytes) -> Any:
    """Read the messages of a batch at once."""
    return trade_rules.read_texts(values.split(b"\0"))


def read_items(split: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return the reader of many trades."""
    return lambda body: trade_list.Bulk().read(split(body), RULES, 0)


def read_form(body: bytes) -> Any:
    """Read a form."""
    return submission.parse(form.read_form(body), RULES, 0)


def read_file(text: str) -> Any:
    """Read a CSV file."""
    return sum(1 for _ in trade_file.read(trade_file.lines_of(io.StringIO(text))))


def search(text: str) -> Any:
    """Search for coins, of which there is one."""

    async def coins() -> list[Any]:
        return [SimpleNamespace(name="BTC")]

    feed = Feed(cast(Any, SimpleNamespace(coins=coins)))
    return asyncio.run(feed.search(cast(Any, SimpleNamespace(query={"query": text}))))


def cases() -> Iterator[Case]:
    """Yield all readers with all that each may be given."""
    for what, value in VALUES.items():
        for field, around in FIELDS.items():
            yield Case(f"{field}: {what}", as_bytes(read_carefully), inside(value, *around))
        trade = inside(value, '{"coinName":"a","numOfCoin":1,"price":', "}")
        yield Case(f"record: {what}", as_bytes(read_record), trade)
        lines, items = read_items(trade_list.split_lines), read_items(trade_list.split_array)
        yield Case(f"line: {what}", as_bytes(lines), inside(trade, "", "\n"))
        yield Case(f"item: {what}", as_bytes(items), inside(trade, "[", "]"))
        yield Case(f"array: {what}", as_bytes(items), value)
        yield Case(f"request: {what}", requests.parse, value)
        params = inside(value, '{"method":"SUBSCRIBE","params":', "}")
        yield Case(f"params: {what}", requests.parse, params)
        yield Case(f"symbols: {what}", lambda it: parameters.symbols({"symbols": it}), value)
        trades = inside(value, '{"trades":', "}")
        yield Case(f"live message: {what}", as_bytes(messages.decode), trades)
    for what, part in MESSAGES.items():
        yield Case(f"messages: {what}", as_bytes(read_messages), repeated(part))
        begun = repeated(part, OURS_BEGINS)
        yield Case(f"begun messages: {what}", as_bytes(read_messages), begun)
    for what, part in FORMS.items():
        yield Case(f"form: {what}", as_bytes(read_form), repeated(part, "price="))
        yield Case(f"form's end: {what}", as_bytes(read_form), repeated(part, "price=1", "x"))
    for what, part in FILES.items():
        yield Case(f"file: {what}", read_file, repeated(part, COLUMNS))
        yield Case(f"file's head: {what}", read_file, repeated(part))
        for column in range(COLUMNS.count(",") + 1):
            cell = repeated(part, COLUMNS + "1," * column, ",1" * 4 + "\n")
            yield Case(f"file's column {column}: {what}", read_file, cell)
    for what, part in TYPES.items():
        yield Case(f"type: {what}", media_type.read_media_type, repeated(part, "a/b"))
    for what, part in TEXTS.items():
        text = repeated(part)
        yield Case(f"stream: {what}", streams.parse, text)
        yield Case(f"symbol: {what}", lambda it: parameters.symbol({"symbol": it}), text)
        yield Case(f"integer: {what}", lambda it: parameters.integer({"n": it}, "n"), text)
        yield Case(f"interval: {what}", lambda it: parameters.interval({"interval": it}), text)
        yield Case(f"search: {what}", search, text)
        yield Case(f"log: {what}", logs.escape, text)


def cpu_s(read: Read, text: str) -> float:
    """Return the least CPU time (s) of some rounds of reading."""
    least = MAX_S
    for _ in range(ROUNDS):
        start = time.process_time()
        with contextlib.suppress(ValueError, BadRequest, requests.BadRequest, RecursionError):
            read(text)
        least = min(least, time.process_time() - start)
        if least >= MAX_S:
            break
    return least


@pytest.mark.parametrize("case", [*cases()], ids=lambda case: case.name)
def test_eight_times_the_length_takes_about_eight_times_as_long(case: Case) -> None:
    shorter_s = cpu_s(case.read, case.make(LENGTH // FACTOR))
    assert shorter_s < MAX_S, "the longer text might take hours"
    longer_s = cpu_s(case.read, case.make(LENGTH))
    assert longer_s < max(NOTHING_S, MAX_RATIO * shorter_s)
