"""``/metrics`` in the text format of Prometheus."""

from collections.abc import Callable, Iterable, Mapping

from aiohttp import web
from faust.types import TP
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class ConsumerLag(Collector):
    """Consumer lag: the records on each assigned partition that are not processed yet."""

    def __init__(self, lags: Callable[[], Mapping[TP, int]]) -> None:
        self._lags = lags
        REGISTRY.register(self)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the partitions are not known when the collector is registered."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Yield the gauge."""
        gauge = GaugeMetricFamily(
            "consumer_lag", "Records not done yet.", labels=["topic", "partition"]
        )
        for tp, lag in self._lags().items():
            gauge.add_metric([tp.topic, str(tp.partition)], lag)
        yield gauge


def add_routes(web_app: web.Application) -> None:
    """Add ``/metrics``."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    web_app.router.add_get("/metrics", metrics)
