"""What begins first, and what runs in one process, where several run tests (``pytest -n``)."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: The longest first, so that none of them is what all others wait for in the end. A test that
#: stands here by its name runs where there is room; the other tests of a file run in one
#: process, and share what the file's fixtures start.
LONGEST = (
    "tests/acceptance/test_fresh_machine.py",
    "tests/integration/test_strict_clients.py",
    "tests/integration/test_migrations.py",
    "tests/integration/test_exactly_once.py::test_every_trade_counts_once_and_is_told_whatever_dies",
    "tests/integration/test_void.py",
    "tests/integration/test_exactly_once.py::test_every_trade_counts_once_and_is_told_where_trades_are_not_stored",
    "tests/integration/test_websocket.py",
    "tests/integration/test_many_coins.py",
    "tests/integration/test_openapi.py",
    "tests/integration/test_exactly_once.py",
    "tests/integration/test_void_live.py",
    "tests/browser/test_coins.py",
    "tests/integration/test_history.py",
    "tests/integration/test_no_loss.py",
    "tests/integration/test_audit.py",
    "tests/integration/test_acls.py",
    "tests/browser/test_indicators.py",
    "tests/browser/test_screenshots.py",
    "tests/integration/test_trades_faults.py",
    "tests/integration/test_slow_readers.py",
    "tests/browser/test_truth.py",
    "tests/integration/test_run.py",
    "tests/browser/test_site.py",
    "tests/integration/test_security.py",
    "tests/integration/test_keys.py",
    "tests/integration/test_start_and_stop.py",
    "tests/integration/test_secrets.py",
    "tests/browser/test_login.py",
    "tests/integration/test_connections.py",
    "tests/browser/test_drawings.py",
    "tests/browser/test_settings.py",
    "tests/integration/test_refused_trades.py",
    "tests/integration/test_bounds.py",
    "tests/browser/test_chart.py",
    "tests/integration/test_rest.py",
    "tests/integration/test_honest_gaps.py",
    "tests/unit/chart_app/websocket/test_connection.py",
    "tests/unit/streaming/http/test_connections.py",
    "tests/unit/test_layout.py",
    "tests/integration/test_live_topic.py",
    "tests/unit/test_trade_rules.py",
    "tests/integration/test_fuzzing.py",
    "tests/integration/test_numbers.py",
    "tests/browser/test_candles.py",
    "tests/integration/test_install.py",
    "tests/integration/test_rebuild.py",
    "tests/unit/test_worst_cases.py",
    "tests/unit/chart_app/model/test_candles.py",
)
LAST = "tests/unit/"  # they are short: they fill what is left


class LongestFirst(LoadScopeScheduling):
    """Hands out files, and the long tests one by one, in the order in which they were found."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # or the files with the most tests come first
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if name(nodeid) in LONGEST else file(nodeid)


def name(nodeid: str) -> str:
    """Return a test's name, without its parameters."""
    return nodeid.partition("[")[0]


def file(nodeid: str) -> str:
    """Return the file of a test."""
    return nodeid.partition("::")[0]


def place(nodeid: str) -> int:
    """Return a number that is smaller for what is to begin earlier."""
    for unit in (name(nodeid), file(nodeid)):
        if unit in LONGEST:
            return LONGEST.index(unit)
    return len(LONGEST) + nodeid.startswith(LAST)
