from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY, generate_latest

from trading_app.endpoints.metrics import ResponseMetrics


@pytest.fixture
def answers() -> Iterator[ResponseMetrics]:
    """Return metrics that are taken out of the registry again."""
    collector = ResponseMetrics("test_http", "/test")
    yield collector
    REGISTRY.unregister(collector)


def test_answers_are_counted_by_status_and_time(answers: ResponseMetrics) -> None:
    answers.count(201, 0.0005)
    answers.count(201, 0.001)
    answers.count(503, 5.5)
    answers.count(503, 60)
    lines = generate_latest().decode().splitlines()
    assert 'test_http_answers_total{status="201"} 2.0' in lines
    assert 'test_http_answers_total{status="503"} 2.0' in lines
    assert 'test_http_seconds_bucket{le="0.001"} 2.0' in lines
    assert 'test_http_seconds_bucket{le="5.0"} 2.0' in lines
    assert 'test_http_seconds_bucket{le="10.0"} 3.0' in lines
    assert 'test_http_seconds_bucket{le="+Inf"} 4.0' in lines
    assert "test_http_seconds_count 4.0" in lines
    assert "test_http_seconds_sum 65.5015" in lines


def test_the_metrics_have_their_types(answers: ResponseMetrics) -> None:
    answers.count(201, 1)
    text = generate_latest().decode()
    assert "# TYPE test_http_answers_total counter" in text
    assert "# TYPE test_http_seconds histogram" in text
