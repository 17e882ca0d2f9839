"""Sessions of a browser: a cookie in place of a key. Pure.

The cookie's value is ``<id of the key>.<end, in s since 1970>.<HMAC>``. The HMAC is made with the
digest of the key, so every worker can check it, nobody who reads it learns the key, and it dies
with the key.
"""

import hashlib
import hmac
import re

from streaming.http.keys import Key, Keys

#: Browsers accept a cookie with this prefix only by HTTPS (or from this machine), for this host
#: alone, and never by JavaScript of another.
COOKIE = "__Host-key"
DURATION_S = 7 * 24 * 3600

_TOKEN = re.compile(r"([A-Za-z0-9-]{1,32})\.([0-9]{1,12})\.([0-9a-f]{64})")


def new_token(key: Key, now_s: float) -> str:
    """Return the value of the cookie for the owner of a key."""
    end_s = int(min(now_s + DURATION_S, key.expires_s))
    return f"{key.id}.{end_s}.{_sign(key, end_s)}"


def find_key(token: str, keys: Keys, now_s: float) -> Key | None:
    """Return the key for which a cookie was made, None if the cookie or the key is not valid."""
    found = _TOKEN.fullmatch(token)
    if not found:
        return None
    key = keys.get(found[1], now_s)
    end_s = int(found[2])
    if key is None or now_s >= end_s or not hmac.compare_digest(_sign(key, end_s), found[3]):
        return None
    return key


def _sign(key: Key, end_s: int) -> str:
    message = f"session.{key.id}.{end_s}".encode()
    return hmac.new(key.digest.encode(), message, hashlib.sha256).hexdigest()
