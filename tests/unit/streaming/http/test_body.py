import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streaming.http.body import BodyBudget, BodyError, read_body

LIMIT = 100


def test_a_budget_is_taken_and_given_back() -> None:
    budget = BodyBudget(10)
    budget.reserve(4)
    budget.reserve(6)
    with pytest.raises(BodyError) as caught:
        budget.reserve(1)
    assert caught.value.answer.status == 503
    assert caught.value.answer.headers["Retry-After"] == "1"
    budget.release(6)
    budget.reserve(5)


async def post(budget: BodyBudget, body: bytes) -> tuple[int, list[bytes]]:
    """Return the status of a POST whose body is read, and what was read."""
    read: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        try:
            read.append(await read_body(request, LIMIT, 60, budget))
        except BodyError as error:
            return error.answer
        return web.Response()

    web_app = web.Application()
    web_app.router.add_post("/", handle)
    async with TestClient(TestServer(web_app)) as client, client.post("/", data=body) as answer:
        return answer.status, read


async def test_a_body_is_taken_from_the_budget_which_is_the_readers_to_give_back() -> None:
    budget = BodyBudget(LIMIT)
    assert await post(budget, b"x" * 60) == (200, [b"x" * 60])
    with pytest.raises(BodyError):
        budget.reserve(41)
    budget.reserve(40)


async def test_a_body_that_is_refused_takes_nothing() -> None:
    budget = BodyBudget(LIMIT)
    assert (await post(budget, b"x" * (LIMIT + 1)))[0] == 413
    budget.reserve(LIMIT)
    assert (await post(budget, b"x"))[0] == 503
    budget.release(LIMIT)
    budget.reserve(LIMIT)
