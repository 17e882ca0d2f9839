import pytest

import settings
from streaming.app import App


@pytest.fixture
async def app() -> App:
    """Return an app that is not started."""
    loaded = settings.load()
    return App(
        "test",
        origin=__name__,
        settings=loaded,
        port=loaded.chart_port,
        port_setting="CHART_PORT",
        topics=[],
    )
