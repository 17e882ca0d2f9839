import asyncio
import gzip
import time
from collections.abc import Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from streaming.http import compression
from streaming.http.compression import MAX_INLINE_BYTES, MIN_BYTES, SharedBody, accepts_gzip


async def sent(body: bytes, accepted: str | None = "gzip") -> web.Response:
    """Return the response with a body as a client gets it that accepts an encoding."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    response = web.Response(body=body)
    await compression.compress(make_mocked_request("GET", "/", headers=headers), response)
    return response


@pytest.mark.parametrize(
    "header",
    [
        *("gzip", "GZIP", "gzip, deflate", "br, gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1"),
        *("gzip;q=0.001", "gzip ; q=1", "deflate,gzip"),
    ],
)
def test_who_names_gzip_asks_for_it(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize(
    "header",
    [
        *("", "br", "deflate", "identity", "*", "gzipped", "x-gzip-not", "gzip;q=0", "gzip; q=0.0"),
        *("br, gzip;q=0.000", "q=gzip", ";gzip", ","),
    ],
)
def test_nobody_else_does(header: str) -> None:
    assert not accepts_gzip(header)


def test_a_long_header_is_read_at_once_and_not_many_are_remembered() -> None:
    before = time.process_time()
    for number in range(1000):
        assert not accepts_gzip(f"{number}" + ",;" * 4000)
    assert time.process_time() - before < 5
    assert accepts_gzip.cache_info().currsize <= compression.CACHED_DECISIONS_MAX


@pytest.mark.parametrize("size", [MIN_BYTES + 1, MAX_INLINE_BYTES, MAX_INLINE_BYTES + 1])
@pytest.mark.parametrize("kind", [bytes, SharedBody])
async def test_a_long_body_is_compressed(size: int, kind: Callable[[bytes], bytes]) -> None:
    body = kind(b"[1]" * size)[:size]
    response = await sent(kind(body))
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert isinstance(response.body, bytes)
    assert gzip.decompress(response.body) == body
    assert len(response.body) < size / 10


@pytest.mark.parametrize(
    ("size", "accepted"), [(MIN_BYTES, "gzip"), (10_000, None), (10_000, "br")]
)
async def test_a_short_body_or_one_for_others_stays_as_it_is(
    size: int, accepted: str | None
) -> None:
    response = await sent(b"x" * size, accepted)
    assert response.body == b"x" * size
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding", "for those who keep it all the same"


async def test_what_others_have_put_into_vary_stays() -> None:
    response = web.Response(body=b"", headers={"Vary": "Origin"})
    await compression.compress(make_mocked_request("GET", "/"), response)
    assert response.headers.getall("Vary") == ["Origin, Accept-Encoding"]


async def test_a_shared_body_is_compressed_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = compression.gzipped

    def gzipped(body: bytes) -> bytes:
        calls.append(len(body))
        return original(body)

    monkeypatch.setattr(compression, "gzipped", gzipped)
    body = SharedBody(b"[1]" * MAX_INLINE_BYTES)
    first, *others = await asyncio.gather(*(sent(body) for _ in range(20)))
    assert calls == [len(body)]
    assert all(it.body is first.body for it in others)


async def test_who_leaves_does_not_end_the_compression_for_the_others() -> None:
    body = SharedBody(b"[1]" * MAX_INLINE_BYTES)
    leaving, staying = (asyncio.create_task(sent(body)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    response = await staying
    assert leaving.cancelled()
    assert response.headers["Content-Encoding"] == "gzip"
