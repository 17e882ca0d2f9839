"""All benchmarks, one after the other, and all bars in one table: ``python -m bench``."""

import subprocess
import sys

from bench import report

PARTS = (
    "consume",
    "workers",
    "http",
    "replay",
    "latency",
    "start",
    "memory",
    "scaling",
    "klines",
    "coins",
    "zones",
    "live",
    "chart_memory",
    "page",
)


def main() -> None:
    """Run all. Exits with 1 if a bar is missed or a benchmark failed."""
    codes = []
    for part in PARTS:
        print(f"\n== {part}\n", flush=True)
        codes.append(
            subprocess.run([sys.executable, "-m", f"bench.{part}"], check=False).returncode
        )
    print()
    sys.exit(0 if report.merge() and not any(codes) else 1)


if __name__ == "__main__":
    main()
