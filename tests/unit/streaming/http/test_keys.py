import hmac
import math
import re

import pytest

from streaming.http.keys import (
    FILE_MAX_BYTES,
    KEYS_MAX,
    InvalidFormat,
    InvalidKeys,
    Key,
    Scope,
    digest_of,
    line_of,
    new_key,
    parse,
    read_id,
)

DIGEST = "0123456789abcdef" * 4
LINE = f"feeder {DIGEST} write"
DAY_2027_S = 1_801_353_600  # 2027-01-31


def the_key(line: str) -> Key:
    """Return the key that a line describes."""
    found = parse(line.encode())
    assert len(found) == 1
    key = found.get("feeder", 0)
    assert key
    return key


def test_a_key_has_256_random_bits() -> None:
    made = {new_key("feeder-1") for _ in range(100)}
    assert len(made) == 100
    for key in made:
        assert re.fullmatch(r"ts_feeder-1_[A-Za-z0-9_-]{43}", key)
        assert read_id(key) == "feeder-1"


@pytest.mark.parametrize("key_id", ["", "a_b", "a b", "a" * 33, "é", "a\n", "a.b"])
def test_an_id_is_short_and_plain(key_id: str) -> None:
    with pytest.raises(InvalidKeys, match="an id has 1 to 32"):
        new_key(key_id)
    with pytest.raises(InvalidKeys):
        parse(f"{key_id or '_'} {DIGEST} write".encode())


def test_a_line_has_all_that_is_known_of_a_key() -> None:
    assert the_key(LINE) == Key("feeder", DIGEST, frozenset({Scope.WRITE}), (), 0, math.inf)
    options = "coins=BTC*,비트코인 rate=12.5 expires=2027-01-31"
    assert the_key(f"{LINE},backdate {options}") == Key(
        "feeder",
        DIGEST,
        frozenset({Scope.WRITE, Scope.BACKDATE}),
        ("BTC*", "비트코인"),
        12.5,
        DAY_2027_S,
    )
    assert the_key(f"feeder\t{DIGEST}  read,ops\r\n").scopes == {Scope.READ, Scope.OPS}


def test_comments_and_empty_lines_are_skipped() -> None:
    assert len(parse(b"")) == 0
    assert the_key(f"\ufeff# keys\n\n  # of us\n{LINE} # until autumn\n \n").id == "feeder"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("feeder", "needs an id, a SHA-256 and scopes"),
        (f"feeder {DIGEST}", "needs an id, a SHA-256 and scopes"),
        (f"feeder {DIGEST[1:]} write", "second word"),
        (f"feeder {DIGEST.upper()} write", "second word"),
        (f"feeder {DIGEST} write,", "scopes are"),
        (f"feeder {DIGEST} Write", "scopes are"),
        (f"feeder {DIGEST} all", "scopes are"),
        (f"{LINE} until=2027-01-31", "options are"),
        (f"{LINE} read", "options are"),
        (f"{LINE} rate", "options are"),
        (f"{LINE} rate=1 rate=2", "rate= is given twice"),
        *(
            (f"{LINE} rate={it}", "rate= must be")
            for it in ("0", "-1", "nan", "1e9", "", "٣", "1_0")
        ),
        *(
            (f"{LINE} expires={it}", "expires= must be")
            for it in ("", "2027-02-30", "20270131", "2027-1-31", "2027-W01-1", "soon")
        ),
        (f"{LINE} coins=", "coins= has"),
        (f"{LINE} coins=BTC,,ETH", "coins= has"),
        (f"{LINE} coins=" + "a" * 65, "coins= has"),
        (f"{LINE} coins=" + ",".join("a" * 65), "coins= has"),
    ],
)
def test_what_is_not_a_key_is_told_with_its_line(line: str, why: str) -> None:
    with pytest.raises(InvalidKeys, match=f"^line 3: .*{why}"):
        parse(f"# one\nother {DIGEST} ops\n{line}\n".encode())


def test_an_error_repeats_nothing_of_the_line() -> None:
    key = new_key("feeder")
    secret = key[-43:]
    for line in (
        key,
        f"feeder {key} write",
        f"{key} {DIGEST} write",
        f"{LINE} {key}",
        f"{LINE},{key}",
    ):
        with pytest.raises(InvalidKeys) as caught:
            parse(line.encode())
        assert secret not in str(caught.value)


def test_two_keys_with_one_id_are_none() -> None:
    with pytest.raises(InvalidKeys, match="line 2: another key has this id"):
        parse(f"{LINE}\n{LINE}".encode())


def test_a_file_is_bounded() -> None:
    with pytest.raises(InvalidKeys, match="larger"):
        parse(b" " * (FILE_MAX_BYTES + 1))
    lines = [f"k{number} {DIGEST} read" for number in range(KEYS_MAX + 1)]
    assert len(parse("\n".join(lines[1:]).encode())) == KEYS_MAX
    with pytest.raises(InvalidKeys, match="more than"):
        parse("\n".join(lines).encode())
    with pytest.raises(InvalidKeys, match="UTF-8"):
        parse(b"\xff")


def test_a_key_is_found_by_its_text() -> None:
    one, other = new_key("one"), new_key("other")
    found = parse("\n".join([line_of(one, "write", {}), line_of(other, "read", {})]).encode())
    for text, key_id in ((one, "one"), (other, "other")):
        key = found.find(text, 0)
        assert key
        assert key.id == key_id
        assert key.digest == digest_of(text)
    assert found.find(new_key("one"), 0) is None
    assert found.find(new_key("third"), 0) is None
    assert found.find(one[:-1] + ("A" if one[-1] != "A" else "B"), 0) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ts_",
        "ts_a_short",
        "TS_a_" + "a" * 43,
        "ts__" + "a" * 43,
        "ts_a_" + "é" * 43,
        "x" * 8000,
    ],
)
def test_what_is_not_in_the_form_of_a_key_is_told(text: str) -> None:
    with pytest.raises(InvalidFormat):
        parse(LINE.encode()).find(text, 0)
    with pytest.raises(InvalidFormat):
        read_id(f"{text}\n")


def test_a_key_expires_when_its_day_begins() -> None:
    key = new_key("feeder")
    found = parse(line_of(key, "write", {"expires": "2027-01-31"}).encode())
    assert found.find(key, DAY_2027_S - 0.001)
    assert found.find(key, DAY_2027_S) is None
    assert found.get("feeder", DAY_2027_S - 0.001)
    assert found.get("feeder", DAY_2027_S) is None


def test_a_key_is_for_some_coins_or_for_all() -> None:
    assert the_key(LINE).may_write("DOGE")
    key = the_key(f"{LINE} coins=BTC*,ETH")
    assert [key.may_write(coin) for coin in ("BTC-USD", "ETH", "ETH-USD", "btc")] == [
        *(True, True),
        *(False, False),
    ]


def test_the_line_of_a_key_is_read_as_it_was_meant() -> None:
    key = new_key("feeder")
    line = line_of(key, "write,read", {"coins": "BTC*", "rate": "5"})
    assert key[-43:] not in line
    found = the_key(line)
    assert found.scopes == {Scope.WRITE, Scope.READ}
    assert (found.coins, found.trades_per_s) == (("BTC*",), 5)
    for options in ({"coins": "a b"}, {"coins": "a#b"}, {"rate": "many"}, {"rate": "1\nx"}):
        with pytest.raises(InvalidKeys):
            line_of(key, "write", options)


def test_an_unknown_id_takes_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    text = new_key("feeder")
    known, unknown = parse(LINE.encode()), parse(b"")
    assert known.find(text, 0) is unknown.find(text, 0) is None
    assert [len(other) for _, other in compared] == [64, 64]
    assert {one for one, _ in compared} == {digest_of(text)}
