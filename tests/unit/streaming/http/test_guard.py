import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streaming.http.access import Access, Refusal
from streaming.http.clients import Clients
from streaming.http.guard import Guard
from streaming.http.responses import json_response


def form(_: web.Request, refusal: Refusal) -> web.Response:
    return json_response({"reason": refusal.detail}, refusal.status)


@pytest.fixture
async def client() -> Any:
    """Return a client of a server whose every handler fails, behind a guard."""

    async def fail(request: web.Request) -> web.Response:
        if request.query:
            raise web.HTTPConflict
        raise ZeroDivisionError

    guarded = Guard(Access(["localhost"], ["*"]), Clients(), {"api": form})(fail)
    web_app = web.Application()
    web_app.router.add_get("/{path:.*}", guarded)
    async with TestClient(TestServer(web_app)) as client:
        yield client


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v3/klines", "//api/v3", "///api"])
@pytest.mark.parametrize(("query", "status"), [("", 500), ("?a", 409)])
async def test_what_fails_under_a_path_has_its_form(
    client: TestClient[Any, Any], path: str, query: str, status: int
) -> None:
    url = client.make_url("/").with_path(path, encoded=True)
    async with client.session.get(f"{url}{query}") as answer:
        assert answer.status == status
        assert json.loads(await answer.text()).keys() == {"reason"}


@pytest.mark.parametrize("path", ["/", "/apiary", "/a/api", "//a//api"])
async def test_what_fails_elsewhere_is_a_problem(client: TestClient[Any, Any], path: str) -> None:
    url = client.make_url("/").with_path(path, encoded=True)
    async with client.session.get(url) as answer:
        assert answer.status == 500
        assert answer.content_type == "application/problem+json"
        assert (await answer.json())["status"] == 500
