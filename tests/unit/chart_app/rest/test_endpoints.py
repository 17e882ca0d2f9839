from aiohttp import web

from chart_app.rest.endpoints import add_endpoint, spellings
from streaming.http.access import ReadOrigins


def test_a_path_is_spelled_with_a_second_slash_and_one_at_its_end() -> None:
    assert spellings("/udf/time") == ["/udf/time", "/udf/time/", "//udf/time", "//udf/time/"]


def test_no_route_is_a_pattern() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    web_app = web.Application()
    add_endpoint(web_app, ["/a", "/b"], handler, ReadOrigins("*"))
    assert len(web_app.router.resources()) == 2 * len(spellings(""))
    assert all(isinstance(it, web.PlainResource) for it in web_app.router.resources())
