from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streaming.http.body import BodyError, read_body
from streaming.http.shares import Shares

LIMIT = 100
CLIENT = "a"


async def post(shares: Shares, body: bytes) -> tuple[web.Response | None, list[bytes]]:
    """Return the answer to a POST whose body is refused, and else what was read."""
    read: list[bytes] = []
    refused: list[web.Response] = []

    async def handle(request: web.Request) -> web.Response:
        try:
            read.append(await read_body(request, LIMIT, 60, shares.of(CLIENT)))
        except BodyError as error:
            refused.append(error.answer)
            return error.answer
        return web.Response()

    web_app = web.Application()
    web_app.router.add_post("/", handle)
    async with TestClient(TestServer(web_app)) as client, client.post("/", data=body) as answer:
        assert answer.status == (refused[0].status if refused else 200)
        return next(iter(refused), None), read


async def test_a_body_is_taken_from_the_share_which_is_the_readers_to_give_back() -> None:
    shares = Shares(4 * LIMIT)
    assert await post(shares, b"x" * 60) == (None, [b"x" * 60])
    assert not shares.take(CLIENT, 41)
    assert shares.take(CLIENT, 40)


async def test_a_body_that_is_refused_takes_nothing() -> None:
    shares = Shares(4 * LIMIT)
    refused, _ = await post(shares, b"x" * (LIMIT + 1))
    assert refused is not None
    assert refused.status == 413
    assert shares.take(CLIENT, LIMIT)
    refused, _ = await post(shares, b"x")
    assert refused is not None
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    shares.give_back(CLIENT, LIMIT)
    assert shares.take(CLIENT, LIMIT)
