"""OpenBB Workspace's ``/widgets.json``: its advanced chart, on our UDF.

https://docs.openbb.co/workspace/custom-backend/Widgets/advanced_charting
"""

from typing import Any

from aiohttp import web

from chart_app.rest import udf
from chart_app.rest.endpoints import add_endpoint
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import StoreReader
from streaming.http.access import ReadOrigins
from streaming.http.responses import json_response

PATH = "/widgets.json"
#: How often the chart asks for the newest bars.
UPDATE_INTERVAL_MS = 5000
#: Those of the live page.
UP_COLOR, DOWN_COLOR = "#2ebd85", "#f6697a"


def add_routes(web_app: web.Application, reader: StoreReader, origins: ReadOrigins) -> None:
    """Add the route."""

    async def widgets_json(_: web.Request) -> web.Response:
        try:
            coins = await reader.coins()
        except StoreUnavailable:
            return udf.error_response(udf.UNAVAILABLE, 503)
        return json_response(widgets(coins[0].name if coins else ""))

    add_endpoint(web_app, [PATH], widgets_json, origins)


def widgets(coin: str) -> dict[str, Any]:
    """Return the widgets, by id. The chart begins with a coin."""
    return {
        "trade_streaming_chart": {
            "name": "Trades",
            "description": "Candles of every coin whose trades are streamed, for any interval.",
            "category": "Crypto",
            "type": "advanced_charting",
            "endpoint": udf.ROOT,
            "gridData": {"w": 20, "h": 20},
            "data": {
                "defaultSymbol": coin,
                "updateFrequency": UPDATE_INTERVAL_MS,
                "chartConfig": {
                    **dict.fromkeys(("upColor", "borderUpColor", "wickUpColor"), UP_COLOR),
                    **dict.fromkeys(("downColor", "borderDownColor", "wickDownColor"), DOWN_COLOR),
                },
            },
        }
    }
