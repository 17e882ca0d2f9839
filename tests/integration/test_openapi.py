"""The OpenAPI document against what the running program answers."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from chart_app.model.intervals import DAY_MS, MINUTE_MS
from tests.conftest import Cluster, StartProgram
from tests.integration.filled_store import FilledStore, Given

START = 1_682_882_400_000
SYMBOLS = ["BTCUSDT", "eth-krw", 'a "b"']
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
MAX_EXAMPLES = 20  # of each page, in each way of making them up
TIMEOUT_S = 300


async def fill(url: str) -> None:
    """Store some trades of all kinds."""
    times = [START + minute * MINUTE_MS for minute in (0, 1, 5, 2000)]
    trades = [Given(symbol, time, "1.50", "1E-7") for time in times for symbol in SYMBOLS]
    async with FilledStore(url) as filled:
        await filled.feed(*trades, Given("XRP", START - 90 * DAY_MS, "1E-18", "1E+17"))


def test_no_request_fails_or_is_answered_with_what_is_not_documented(
    cluster: Cluster, start: StartProgram, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/chart.sqlite"
    asyncio.run(fill(url))
    chart = start("chart_app", {**cluster.settings, "DATABASE_URL": url}).wait_ready()
    with urllib.request.urlopen(f"{chart.url}/openapi.json") as answer:
        document = json.load(answer)
    for page in document["paths"].values():
        for parameter in page["get"].get("parameters", []):
            if parameter["name"] == "symbol":  # else hardly any request would find a coin
                parameter["schema"] = {"type": "string", "enum": SYMBOLS}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    result = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", file, "--url", chart.url),
            *("--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS)),
            *("--seed", "1", "--generation-deterministic"),
            *("--max-examples", str(MAX_EXAMPLES), "--no-color"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    count = len(document["paths"])
    assert f"{count} selected / {count} total" in result.stdout
    assert " ERROR streaming.http.guard " not in chart.log()
