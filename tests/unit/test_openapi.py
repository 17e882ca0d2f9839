"""The OpenAPI documents."""

import tomllib
from typing import Any

import pytest
from openapi_spec_validator import validate

import chart_app.rest.openapi
import trading_app.endpoints.openapi
from chart_app.websocket import api, requests, send_queue, server, streams
from chart_app.websocket.description import DESCRIPTION
from settings import Settings
from tests.programs import ROOT

DOCUMENTS = {
    "trading_app": trading_app.endpoints.openapi.document(Settings()),
    "chart_app": chart_app.rest.openapi.document(DESCRIPTION),
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_document_is_valid_openapi(document: dict[str, object]) -> None:
    validate(document)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_its_version_is_the_programs(document: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert document["info"]["version"] == project["version"]


def test_the_websocket_is_described_in_full() -> None:
    description = DOCUMENTS["chart_app"]["info"]["description"]
    for text in (
        *requests.METHODS,
        *api.METHODS,
        *streams.Kind,
        *streams.OF_ALL_COINS,
        "/ws/",
        "/stream?streams=",
        "/ws-api/v3",
    ):
        assert text in description
    for number in (
        requests.MAX_STREAMS,
        server.PING_INTERVAL_S,
        send_queue.MAX_WAITING_BYTES,
    ):
        assert f"{number:,}" in description


def test_every_answer_of_the_contract_is_documented() -> None:
    paths = DOCUMENTS["trading_app"]["paths"]
    one = {"201", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert set(paths["/send-trading-data"]["post"]["responses"]) == one
    assert set(paths["/trades"]["post"]["responses"]) == {*one, "207"}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_where_a_key_may_be_needed_is_documented(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {it["type"] for it in schemes.values()} == {"http", "apiKey"}
    assert document["security"] == [*({name: []} for name in schemes), {}]
    for path, page in document["paths"].items():
        for operation in page.values():
            is_open = path in {"/healthz", "/readyz"}
            assert ("security" in operation) is is_open, path
            assert ({"401", "403"} <= operation["responses"].keys()) is not is_open, path
