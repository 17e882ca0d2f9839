import logging

import pytest

from streaming.trouble import Trouble

logger = logging.getLogger("test.trouble")


def test_trouble_is_logged_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    trouble = Trouble(logger, "all is well")
    for reason in (None, "one", "one", "another", None, None, "one"):
        trouble.note(reason)
        assert trouble.check() == reason
    assert caplog.messages == ["one", "all is well", "one"]


def test_trouble_of_which_it_is_unknown_whether_it_is_over_is_forgotten_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    trouble = Trouble(logger, "all is well")
    trouble.note("one")
    trouble.clear()
    assert trouble.check() is None
    trouble.note(None)
    trouble.note("two")
    assert caplog.messages == ["one", "two"]


def test_the_trouble_at_the_beginning_is_told_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    trouble = Trouble(logger, "all is well", "not yet", level=logging.WARNING)
    assert trouble.check() == "not yet"
    assert caplog.messages == []
    trouble.note("refused")
    trouble.note(None)
    assert [it.levelname for it in caplog.records] == ["WARNING", "INFO"]
