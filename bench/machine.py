"""The machine that the figures were measured on."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from dev import local_kafka
from dev.npm import node_binary


def describe() -> dict[str, str | int]:
    """Return the properties of this machine that the figures depend on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "kafka": local_kafka.ENDPOINT.split("+")[0].rpartition(":")[2],
        "faust-streaming": version("faust-streaming"),
        "aiokafka": version("aiokafka"),
        "node": subprocess.check_output([node_binary(), "--version"], text=True).strip(),
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB, as reported by Linux."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
