import json
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from chart_app.rest import binance
from streaming.http.access import Cause, Refusal


@pytest.mark.parametrize(
    ("status", "cause", "code"),
    [
        (421, Cause.ADDRESS, -1002),
        (403, Cause.ADDRESS, -1002),
        (401, Cause.NO_KEY, -2014),
        (401, Cause.KEY, -2015),
        (403, Cause.KEY, -2015),
        (404, Cause.FAILURE, -1020),
        (405, Cause.FAILURE, -1020),
        (413, Cause.FAILURE, -1000),
        (500, Cause.FAILURE, -1000),
    ],
)
def test_each_error_has_binances_code(status: int, cause: Cause, code: int) -> None:
    request = make_mocked_request("GET", "/api/v3/ping")
    response: Any = binance.error_form(request, Refusal(status, "why", cause))
    assert response.status == status
    assert json.loads(response.body) == {"code": code, "msg": "why"}
    assert response.headers["Cache-Control"] == "no-store"
