from codecs import lookup
from encodings.aliases import aliases

import pytest

from trading_app.parsing.media_type import UTF_8, read_media_type


@pytest.mark.parametrize(
    "header",
    [
        *("application/json", "Application/JSON", " application/json ; charset=utf-8"),
        *("application/json;charset=UTF-8", 'application/json; Charset="Utf8"'),
        *("application/json; charset=", "application/json; profile=a", "application/json;"),
    ],
)
def test_the_type_is_read_without_regard_to_case_and_parameters(header: str) -> None:
    assert read_media_type(header) == "application/json"


@pytest.mark.parametrize(
    "charset", ["utf-16", "latin-1", "x" * 1000, "utf-8-sig", "utf-8x", "'utf-8'"]
)
def test_a_body_in_another_charset_has_no_type(charset: str) -> None:
    assert read_media_type(f"application/json; charset={charset}") == ""
    assert read_media_type(f"application/json; charset=utf-8; charset={charset}") == ""


def test_all_names_that_python_has_for_utf_8_are_known() -> None:
    assert {name for name, codec in aliases.items() if codec == "utf_8"} < UTF_8
    assert {lookup(name).name for name in UTF_8} == {"utf-8"}


def test_no_header_is_no_type() -> None:
    assert read_media_type("") == ""
