import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from aiokafka.errors import NotLeaderForPartitionError, TopicAuthorizationFailedError
from hypothesis import given
from hypothesis import strategies as st

from streaming.logs import (
    FLOOD_INTERVAL_S,
    FLOOD_LINES,
    FloodFilter,
    JSONFormatter,
    RepeatFilter,
    RetryFilter,
    TextFormatter,
    config,
    escape,
    info_many,
)

MESSAGES = ["first", "second"]
FIELDS = [{"price": Decimal("1.50")}, {"price": Decimal(2)}]


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Return a logger of its own, at INFO."""
    logger = logging.Logger("test.trades", logging.INFO)  # noqa: LOG001 - of its own
    yield logger
    logger.handlers.clear()


def listen(logger: logging.Logger, formatter: logging.Formatter) -> io.StringIO:
    """Add a handler that writes to the stream returned."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    return stream


def test_many_are_logged_as_one_by_one(logger: logging.Logger) -> None:
    stream = listen(logger, TextFormatter())
    info_many(logger, MESSAGES, lambda: FIELDS)
    for message in MESSAGES:
        logger.info(message)
    lines = [line.split(" ", 1) for line in stream.getvalue().splitlines()]
    assert [text for _, text in lines] == ["INFO test.trades first", "INFO test.trades second"] * 2


def test_many_as_json_have_their_fields(logger: logging.Logger) -> None:
    stream = listen(logger, JSONFormatter())
    info_many(logger, MESSAGES, lambda: FIELDS)
    first, _ = stream.getvalue().splitlines()
    entry = json.loads(first, parse_float=str)
    assert entry.pop("time").endswith("Z")
    assert entry == {"level": "INFO", "logger": "test.trades", "message": "first", "price": "1.50"}


def test_a_handler_that_is_not_ours_gets_record_by_record(logger: logging.Logger) -> None:
    ours = listen(logger, TextFormatter())
    theirs = listen(logger, logging.Formatter("%(name)s|%(message)s"))
    info_many(logger, MESSAGES, lambda: FIELDS)
    assert theirs.getvalue() == "test.trades|first\ntest.trades|second\n"
    assert ours.getvalue().count("\n") == 2


def test_nothing_is_computed_or_written_above_the_level(logger: logging.Logger) -> None:
    stream = listen(logger, JSONFormatter())
    logger.setLevel(logging.WARNING)
    info_many(logger, MESSAGES, lambda: pytest.fail("not needed"))
    assert stream.getvalue() == ""


def test_a_traceback_cannot_be_taken_for_other_lines() -> None:
    logger = logging.Logger("test")  # noqa: LOG001 - of its own
    stream = listen(logger, TextFormatter())
    try:
        int("one\ntwo")
    except ValueError:
        logger.exception("it\nfailed")
    first, *more = stream.getvalue().splitlines()
    assert first.endswith("ERROR test it")
    assert all(line.startswith("  ") for line in more)


def test_json_holds_a_traceback_in_one_line() -> None:
    logger = logging.Logger("test")  # noqa: LOG001 - of its own
    stream = listen(logger, JSONFormatter())
    try:
        int("why")
    except ValueError:
        logger.exception("it failed")
    entry = json.loads(stream.getvalue())
    assert entry["message"] == "it failed"
    assert "ValueError: invalid literal" in entry["exception"]


def test_repeats_of_the_libraries_are_held_back_for_a_while() -> None:
    now = 0.0
    no_repeats = RepeatFilter(lambda: now)

    def passes(name: str, level: int = logging.ERROR, message: str = "away") -> bool:
        return no_repeats.filter(logging.LogRecord(name, level, "", 0, message, (), None))

    assert passes("aiokafka.client")
    assert not passes("aiokafka.client")
    assert passes("aiokafka.client", message="another")
    assert passes("chart_app")
    assert passes("chart_app")
    assert passes("aiokafka.client", logging.INFO)
    now = 10.0
    assert passes("aiokafka.client")


@pytest.mark.parametrize(
    ("name", "error", "level"),
    [
        ("aiokafka.consumer.fetcher", NotLeaderForPartitionError(), "WARNING"),
        ("aiokafka.consumer.fetcher", TopicAuthorizationFailedError(), "ERROR"),
        ("aiokafka.consumer.fetcher", "what?", "ERROR"),
        ("chart_app.live.feed", NotLeaderForPartitionError(), "ERROR"),
    ],
)
def test_what_aiokafka_tries_again_is_a_warning(name: str, error: object, level: str) -> None:
    message = "Failed fetch offsets from %s: %s"
    record = logging.LogRecord(name, logging.ERROR, "", 0, message, (1, error), None)
    assert RetryFilter().filter(record)
    assert f" {level} {name} Failed fetch" in TextFormatter().format(record)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_configuration_is_one_that_logging_takes(form: str) -> None:
    logging.config.DictConfigurator(config("INFO", form))
    assert config("DEBUG", form)["loggers"].keys() == {"aiokafka.conn"}
    assert config("ERROR", form)["loggers"] == {}, "nothing below ERROR is let through"


ANYTHING = st.text(st.characters(categories=None), max_size=20) | st.sampled_from(
    [
        "\x1b[2J",
        "a\rb",
        "\x9b1m",
        "\u2028",
        "\u202e",
        "\ud800",
        "\x00",
        "\x85",
        "비트\x7f",
        "\u2069",
    ]
)
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@given(ANYTHING, st.lists(ANYTHING, max_size=3), st.booleans())
def test_no_line_holds_what_a_terminal_would_act_on(
    text: str, many: list[str], as_json: bool
) -> None:
    logger = logging.Logger("test")  # noqa: LOG001 - of its own
    stream = listen(logger, JSONFormatter() if as_json else TextFormatter())
    logger.warning("%s failed", text)
    logger.error(text, exc_info=ValueError(text))
    info_many(logger, [escape(it) for it in many], lambda: [{"coinName": it} for it in many])
    written = stream.getvalue()
    assert not RAW.search(written)
    written.encode()
    lines = written.split("\n")[:-1]
    if as_json:
        assert [json.loads(line)["logger"] for line in lines] == ["test"] * (2 + len(many))
    else:
        heads = [line for line in lines if not line.startswith("  ")]
        assert len(heads) == 2 + len(many)
        assert all(" test " in line for line in heads)


def test_what_is_hidden_is_written_as_an_escape() -> None:
    assert escape("a\x1b[2J\r\x9b\u202e\ud800 é비") == r"a\x1b[2J\r\x9b\u202e\ud800 é비"
    logger = logging.Logger("test")  # noqa: LOG001 - of its own
    stream = listen(logger, JSONFormatter())
    logger.warning("a\x1b\x9b\u202e")
    assert r"a\u001b\u009b\u202e" in stream.getvalue()
    assert json.loads(stream.getvalue())["message"] == "a\x1b\x9b\u202e"


def test_a_flood_of_refusals_is_logged_in_part() -> None:
    now = 0.0
    at_most = FloodFilter(lambda: now)

    def logged(name: str = "access") -> str | None:
        record = logging.LogRecord(name, logging.WARNING, "", 0, "refused %s", ("x",), None)
        return record.getMessage() if at_most.filter(record) else None

    assert [logged() for _ in range(FLOOD_LINES)] == ["refused x"] * FLOOD_LINES
    assert [logged() for _ in range(7)] == [None] * 7
    assert logged("another") == "refused x"
    now = FLOOD_INTERVAL_S
    assert logged() == "refused x (after 7 lines that are not logged)"
    assert logged() == "refused x"
    now = 3 * FLOOD_INTERVAL_S
    assert logged() == "refused x"
