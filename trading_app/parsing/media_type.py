"""Parses the Content-Type header. Pure.

aiohttp's parser is not used: it uses Python's email parser, which takes a second for 8 kB of
semicolons. Nor are Python's codecs: they cache every name that they are ever asked for.
"""

JSON = "application/json"
#: Python's aliases of UTF-8, also with a hyphen for the underscore.
UTF_8 = frozenset(
    {
        *("utf-8", "utf_8", "utf8", "u8", "utf", "cp65001"),
        *("utf8-ucs2", "utf8_ucs2", "utf8-ucs4", "utf8_ucs4"),
    }
)


def read_media_type(content_type: str) -> str:
    """Return the media type in lower case, "" if the charset is not UTF-8."""
    if content_type == JSON:
        return JSON  # the common case
    media_type, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"') or "utf-8"
        if name.strip().lower() == "charset" and charset.lower() not in UTF_8:
            return ""
    return media_type.strip().lower()
