import logging
import time

from streaming.http.keys import new_key
from streaming.logs import JSONFormatter, TextFormatter
from streaming.redaction import redact

#: For what takes some ms; minutes if the time grew with the square of the length.
LIMIT_S = 5.0


def test_of_a_key_the_id_is_left() -> None:
    key = new_key("feeder-1")
    assert redact(f'InvalidHeader("X-MBX-APIKEY: {key}")') == (
        'InvalidHeader("X-MBX-APIKEY: ts_feeder-1_…")'
    )
    assert redact(f"{key},{key}") == "ts_feeder-1_…,ts_feeder-1_…"
    assert redact(key[:-20]) == "ts_feeder-1_…"
    assert redact(f"{key}and more") == "ts_feeder-1_… more"


def test_other_text_stays() -> None:
    for text in ("", "charts_and_more", "ts_", "lots_of_things", "ts_a_b", "the tests_run_on"):
        assert redact(text) == text


def test_no_line_of_the_log_has_a_key() -> None:
    key = new_key("feeder")
    error = ValueError(key)
    record = logging.LogRecord(
        "a", logging.ERROR, "", 0, "key %r", (key,), (ValueError, error, None)
    )
    for formatter in (TextFormatter(), JSONFormatter()):
        line = formatter.format(record)
        assert line.count("ts_feeder_") == 2
        assert key not in line


def test_the_worst_case_is_linear() -> None:
    start = time.process_time()
    for text in (
        "ts_" * 300_000,
        "ts_a_" * 200_000,
        "ts_" + "a" * 1_000_000,
        "ts_a_" + "_" * 10**6,
    ):
        redact(text)
    assert time.process_time() - start < LIMIT_S
