"""The OpenAPI documents against what the running programs answer."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chart_app.model.intervals import DAY_MS, MINUTE_MS
from tests.conftest import Cluster, StartProgram
from tests.integration.filled_store import FilledStore, Given
from tests.programs import Program
from tests.waiting import PATIENCE_S

START = 1_682_882_400_000
SYMBOLS = ["BTCUSDT", "eth-krw", 'a "b"']
#: Else hardly any request would name a coin, or a zone.
VALUES = {
    "symbol": SYMBOLS,
    "symbols": ['["BTCUSDT"]', '["eth-krw","BTCUSDT"]', '["a \\"b\\""]', "[]"],
    "timeZone": ["0", "+09:00", "-5", "5:45", "+14:00", "-12:30", "x"],
}
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
MAX_EXAMPLES = 20  # of each page, in each way of making them up
TIMEOUT_S = 1200  # for a hang
#: 503 is documented: Kafka may not answer in time.
CONFIGURATION = """\
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
"""


async def fill(url: str) -> None:
    """Store some trades of all kinds."""
    times = [START + minute * MINUTE_MS for minute in (0, 1, 5, 2000)]
    trades = [Given(symbol, time, "1.50", "1E-7") for time in times for symbol in SYMBOLS]
    async with FilledStore(url) as filled:
        await filled.feed(*trades, Given("XRP", START - 90 * DAY_MS, "1E-18", "1E+17"))


def document(program: Program) -> dict[str, Any]:
    """Return what a program says of itself, with some values to choose from."""
    with urllib.request.urlopen(f"{program.url}/openapi.json") as answer:
        content: dict[str, Any] = json.load(answer)
    for page in content["paths"].values():
        for operation in page.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in VALUES:
                    parameter["schema"] = {"type": "string", "enum": VALUES[parameter["name"]]}
    return content


def fuzz(program: Program, content: dict[str, Any], folder: Path) -> subprocess.Popen[str]:
    """Begin to send a program requests of all kinds."""
    folder.mkdir()
    file = folder / "openapi.json"
    file.write_text(json.dumps(content))
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", file, "--url", program.url),
            *("--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS)),
            *("--seed", "1", "--generation-deterministic"),
            *("--max-examples", str(MAX_EXAMPLES), "--no-color"),
            *("--request-timeout", str(PATIENCE_S)),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_no_request_fails_or_is_answered_with_what_is_not_documented(
    cluster: Cluster, start: StartProgram, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/chart.sqlite"
    asyncio.run(fill(url))
    programs = [
        start("chart_app", {**cluster.settings, "DATABASE_URL": url}).wait_ready(),
        start("trading_app", cluster.settings).wait_ready(),
    ]
    runs = []
    with ExitStack() as stack:
        for program in programs:
            content = document(program)
            count = sum(map(len, content["paths"].values()))
            run = stack.enter_context(fuzz(program, content, tmp_path / program.package))
            stack.callback(run.kill)
            runs.append((program, count, run))
        for program, count, run in runs:
            output, _ = run.communicate(timeout=TIMEOUT_S)
            assert run.returncode == 0, output
            assert f"{count} selected / {count} total" in output
            assert " ERROR streaming.http.guard " not in program.log()
