"""Keys in texts that are logged: all but the id is left out."""

import re

#: A key, or the beginning of one.
_KEY = re.compile(r"ts_([A-Za-z0-9-]{1,32})_[A-Za-z0-9_-]{8,}")


def redact(text: str) -> str:
    """Return a text without the secrets of the keys in it."""
    return _KEY.sub(r"ts_\1_…", text) if "ts_" in text else text
