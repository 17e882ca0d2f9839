"""The type of a body, as its header says. Pure.

Not by aiohttp: Python's parser of mail, which that asks, takes a second for 8 kB of semicolons.
Nor by Python's codecs: those keep every name that they have ever been asked for.
"""

JSON = "application/json"
#: The names of UTF-8 that Python knows, and those with a hyphen that it takes for the same.
UTF_8 = frozenset(
    {
        *("utf-8", "utf_8", "utf8", "u8", "utf", "cp65001"),
        *("utf8-ucs2", "utf8_ucs2", "utf8-ucs4", "utf8_ucs4"),
    }
)


def read_media_type(content_type: str) -> str:
    """Return the type in lower case, "" for a body that is not in UTF-8."""
    if content_type == JSON:
        return JSON  # the common case
    media_type, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"') or "utf-8"
        if name.strip().lower() == "charset" and charset.lower() not in UTF_8:
            return ""
    return media_type.strip().lower()
