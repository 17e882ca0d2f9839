from unittest.mock import AsyncMock

import pytest

import settings
from streaming.app import App
from streaming.kafka.consumer import Consumer


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


@pytest.fixture
async def our_consumer(app: App) -> Consumer:
    """Return the app's consumer, which is not started."""
    made = app.transport.create_consumer(
        AsyncMock(), on_partitions_revoked=AsyncMock(), on_partitions_assigned=AsyncMock()
    )
    assert isinstance(made, Consumer)
    return made
