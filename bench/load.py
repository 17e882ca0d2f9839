"""The load client: k9, a compiled program from the package index.

It was chosen because it can be installed without root. Against a trivial server it costs 25 µs a
request, like autocannon; wrk costs 8.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench import venv
from bench.processes import BenchFailed

END_TIMEOUT_S = 30
NO_HEADERS: Mapping[str, str] = {}


class Load(NamedTuple):
    """The result of a load test. All responses were 201."""

    answers: int
    per_s: float
    p50_ms: float
    p99_ms: float


def run(  # noqa: PLR0913, PLR0917 - what is sent where, how much of it, and the files' place
    url: str,
    body: Any,
    connections: int,
    seconds: float,
    folder: Path,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Load:
    """POST the body as JSON over keep-alive connections, on each one request after the other.

    Strings in the body may contain k9's templates. Raises BenchFailed if a response is not a 201.
    """
    plan = folder / "plan.json"
    summary = folder / "summary.json"
    request = {
        "method": "POST",
        "url": url,
        "headers": {"Content-Type": "application/json", **headers},
        "body": json.dumps(body),
        "checks": {"created": {"status": 201}},
    }
    plan.write_text(
        json.dumps(
            {
                "options": {"vus": connections, "duration": f"{seconds:g}s"},
                "flows": {"default": [{"request": request}]},
            }
        )
    )
    done = subprocess.run(
        [
            *(str(venv.BIN / "k9"), "run", str(plan), "--quiet", "--http-version", "1.1"),
            *("--discard-response-bodies", "--summary-trend-stats", "med,p(99)"),
            *("--summary-export", str(summary)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + END_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise BenchFailed(done.stdout)
    metrics = json.loads(summary.read_text())["metrics"]
    answers = int(metrics["http_reqs"]["count"])
    created = int(metrics["checks"]["passes"])
    if created != answers:
        raise BenchFailed(f"{answers - created} of {answers} answers were no 201\n{done.stdout}")
    duration = metrics["http_req_duration"]
    return Load(answers, metrics["http_reqs"]["rate"], duration["med"], duration["p(99)"])
