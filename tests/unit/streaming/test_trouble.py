import logging

import pytest

from streaming.trouble import Trouble

logger = logging.getLogger("test.trouble")


def test_trouble_is_logged_when_it_comes_changes_and_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    trouble = Trouble(logger, "all is well")
    for reason in (None, "one", "one", "another", None, None):
        trouble.note(reason)
        assert trouble.check() == reason
    assert caplog.messages == ["one", "another", "all is well"]


def test_the_trouble_at_the_beginning_is_told_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    trouble = Trouble(logger, "all is well", "not yet", level=logging.WARNING)
    assert trouble.check() == "not yet"
    trouble.note("not yet")
    assert caplog.messages == []
    trouble.note("refused")
    trouble.note(None)
    assert [it.levelname for it in caplog.records] == ["WARNING", "INFO"]
