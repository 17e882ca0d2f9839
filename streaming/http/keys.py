"""Keys: who presents one may do what its scopes say. Pure.

A key is ``ts_<id>_<secret>``; its secret is 256 random bits in base64url. The file of keys has a
line for each, with the SHA-256 of the key and never the key itself::

    # id  SHA-256 in hex  scopes  options
    feeder 9f86d081884c7d65…  write,backdate  coins=BTC*,ETH* rate=500 expires=2027-01-31
"""

import hashlib
import hmac
import math
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from streaming import globs

SECRET_BYTES = 32
#: More than the largest file of keys, with comments.
FILE_MAX_BYTES = 256 * 1024
KEYS_MAX = 1000
COINS_MAX = 64
COIN_GLOB_MAX_CHARS = 64

_ID = re.compile(r"[A-Za-z0-9-]{1,32}")
_KEY = re.compile(r"ts_([A-Za-z0-9-]{1,32})_[A-Za-z0-9_-]{43}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: What the key of an unknown id is compared with: no text has this digest.
_NO_DIGEST = "-" * 64


class Scope(StrEnum):
    """What a key allows."""

    #: Send trades.
    WRITE = "write"
    #: Send trades that are older than the program allows others to send.
    BACKDATE = "backdate"
    #: Read market data, where that is not public.
    READ = "read"
    #: Read metrics, and why the program is not ready.
    OPS = "ops"


class InvalidKeys(ValueError):
    """The file of keys, or an option of a key, is not valid; the message contains no secret."""


class InvalidFormat(ValueError):
    """A text is not in the form of a key."""


class Key(NamedTuple):
    """A key as the file has it."""

    id: str
    #: SHA-256 of the key, in hex.
    digest: str
    scopes: frozenset[Scope]
    #: Globs of the coins whose trades it may send; empty: all.
    coins: tuple[str, ...] = ()
    #: Trades that it may send a second; 0: any number.
    trades_per_s: float = 0
    #: From when on it is not valid, in s since 1970.
    expires_s: float = math.inf

    def may_write(self, coin: str) -> bool:
        """Return whether it may send trades of a coin."""
        return not self.coins or globs.matches_any(self.coins, coin)


class Keys:
    """The keys of a file, by id."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._by_id: Mapping[str, Key] = {key.id: key for key in keys}

    def __len__(self) -> int:
        """Return how many there are, also expired ones."""
        return len(self._by_id)

    def get(self, key_id: str, now_s: float) -> Key | None:
        """Return the key with an id, None if there is none or it has expired."""
        key = self._by_id.get(key_id)
        return key if key and now_s < key.expires_s else None

    def find(self, text: str, now_s: float) -> Key | None:
        """Return the key that a text is, None if it is unknown or has expired.

        It takes the same time for all texts. Raises :exc:`InvalidFormat`.
        """
        key = self._by_id.get(read_id(text))
        is_equal = hmac.compare_digest(digest_of(text), key.digest if key else _NO_DIGEST)
        return key if key and is_equal and now_s < key.expires_s else None


def read_id(text: str) -> str:
    """Return the id that a key names. Raises :exc:`InvalidFormat`."""
    found = _KEY.fullmatch(text)
    if not found:
        raise InvalidFormat
    return found[1]


def digest_of(text: str) -> str:
    """Return the SHA-256 of a key, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_key(key_id: str) -> str:
    """Return a new random key. Raises :exc:`InvalidKeys` if the id is not valid."""
    check_id(key_id)
    return f"ts_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"


def line_of(key: str, scopes: str, options: Mapping[str, str]) -> str:
    """Return the line of a key in the file. Raises :exc:`InvalidKeys`."""
    given = [f"{name}={value}" for name, value in options.items()]
    line = " ".join([read_id(key), digest_of(key), scopes, *given])
    _parse_line(line.split())
    return line


def check_id(key_id: str) -> None:
    """Raise :exc:`InvalidKeys` if an id is not valid."""
    if not _ID.fullmatch(key_id):
        raise InvalidKeys("an id has 1 to 32 of the characters A-Z, a-z, 0-9 and -")


def parse(content: bytes) -> Keys:
    """Return the keys of a file. Raises :exc:`InvalidKeys`, which names the line."""
    if len(content) > FILE_MAX_BYTES:
        raise InvalidKeys(f"the file is larger than {FILE_MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidKeys("the file is not in UTF-8") from None
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            key = _parse_line(words)
        except InvalidKeys as error:
            raise InvalidKeys(f"line {number}: {error}") from None
        if key.id in keys:
            raise InvalidKeys(f"line {number}: another key has this id")
        keys[key.id] = key
        if len(keys) > KEYS_MAX:
            raise InvalidKeys(f"there are more than {KEYS_MAX} keys")
    return Keys(keys.values())


def _parse_line(words: list[str]) -> Key:
    if len(words) < 3:
        raise InvalidKeys("a key needs an id, a SHA-256 and scopes")
    key_id, digest, scopes, *options = words
    check_id(key_id)
    if not _DIGEST.fullmatch(digest):
        raise InvalidKeys("the second word must be a SHA-256, in 64 hex digits of lower case")
    values: dict[str, tuple[str, ...] | float] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or name not in _OPTIONS:
            raise InvalidKeys("options are coins=…, rate=… and expires=…")
        field, read = _OPTIONS[name]
        if field in values:
            raise InvalidKeys(f"{name}= is given twice")
        values[field] = read(value)
    return Key(key_id, digest, _read_scopes(scopes), **values)  # type: ignore[arg-type]


def _read_scopes(text: str) -> frozenset[Scope]:
    try:
        return frozenset(map(Scope, text.split(",")))
    except ValueError:
        known = ", ".join(Scope)
        raise InvalidKeys(f"scopes are, separated by commas: {known}") from None


def _read_coins(text: str) -> tuple[str, ...]:
    coins = tuple(text.split(","))
    is_short = len(coins) <= COINS_MAX and all(1 <= len(it) <= COIN_GLOB_MAX_CHARS for it in coins)
    if not is_short or "#" in text:
        raise InvalidKeys(
            f"coins= has at most {COINS_MAX} patterns of 1 to {COIN_GLOB_MAX_CHARS} characters "
            "other than blanks and #, separated by commas"
        )
    return coins


def _read_rate(text: str) -> float:
    if not _RATE.fullmatch(text) or not float(text):
        raise InvalidKeys("rate= must be a number above 0, of trades a second")
    return float(text)


def _read_expiry(text: str) -> float:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError  # noqa: TRY301 - one message for both
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidKeys("expires= must be a date such as 2027-01-31") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


#: The field of :class:`Key` for each option, and what reads it.
_OPTIONS: Mapping[str, tuple[str, Callable[[str], tuple[str, ...] | float]]] = {
    "coins": ("coins", _read_coins),
    "rate": ("trades_per_s", _read_rate),
    "expires": ("expires_s", _read_expiry),
}
