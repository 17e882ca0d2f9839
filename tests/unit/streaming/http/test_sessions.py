from streaming.http.keys import Key, Keys, line_of, new_key, parse
from streaming.http.sessions import DURATION_S, find_key, new_token

NOW_S = 1_800_000_000.5


def make(key_id: str = "reader", **options: str) -> tuple[Keys, Key]:
    """Return the keys of a file with one key, and that."""
    found = parse(line_of(new_key(key_id), "read", options).encode())
    key = found.get(key_id, NOW_S)
    assert key
    return found, key


def test_a_token_stands_for_its_key_for_a_time() -> None:
    keys, key = make()
    token = new_token(key, NOW_S)
    assert find_key(token, keys, NOW_S) == key
    assert find_key(token, keys, NOW_S + DURATION_S - 1) == key
    assert find_key(token, keys, NOW_S + DURATION_S) is None


def test_a_token_says_nothing_of_the_key() -> None:
    _, key = make()
    assert key.digest not in new_token(key, NOW_S)


def test_a_token_lasts_no_longer_than_its_key() -> None:
    keys, key = make(expires="2027-01-16")  # 15 min after NOW_S
    token = new_token(key, NOW_S)
    assert find_key(token, keys, key.expires_s - 1) == key
    assert find_key(token, keys, key.expires_s) is None


def test_a_token_dies_with_its_key() -> None:
    keys, key = make()
    token = new_token(key, NOW_S)
    assert find_key(token, Keys(), NOW_S) is None
    assert find_key(token, make()[0], NOW_S) is None  # another key with the same id
    assert find_key(token, keys, NOW_S) == key


def test_nobody_makes_a_token_or_a_longer_one() -> None:
    keys, key = make()
    key_id, end, mac = new_token(key, NOW_S).split(".")
    for token in (
        f"{key_id}.{int(end) + 1}.{mac}",
        f"other.{end}.{mac}",
        f"{key_id}.{end}.{'0' * 64}",
        f"{key_id}.{end}.",
        f"{key_id}.{end}.{mac}0",
        f"{key_id}.-1.{mac}",
        f"{key_id}.{'9' * 5000}.{mac}",
        f"{key_id}.١.{mac}",
        *("", ".", "..", "é", key.digest, "x" * 8000),
    ):
        assert find_key(token, keys, NOW_S) is None
