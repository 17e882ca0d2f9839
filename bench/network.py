"""Bytes on TCP connections, as ``ss`` of iproute2 reads them from the kernel.

They are what TCP carries (Kafka's or PostgreSQL's protocol), without the headers of TCP and IP.
A connection counts while it is open.
"""

import re
import subprocess
from collections.abc import Collection
from typing import NamedTuple

_PID = re.compile(r"\bpid=([0-9]+)")
_SENT = re.compile(r"\bbytes_acked:([0-9]+)")
_RECEIVED = re.compile(r"\bbytes_received:([0-9]+)")


class Transferred(NamedTuple):
    """Bytes sent, and acknowledged by the other side; bytes received."""

    sent: int
    received: int


def transferred(pids: Collection[int], port: int) -> Transferred:
    """Return the bytes on the connections that processes have opened to a port."""
    connections = [
        line
        for line in _ss("--info", "state", "established", "dport", "=", f":{port}")
        if any(int(pid) in pids for pid in _PID.findall(line))
    ]
    return Transferred(_sum(_SENT, connections), _sum(_RECEIVED, connections))


def listener(port: int) -> int:
    """Return the id of the process that listens on a port."""
    (line,) = _ss("--listening", "sport", "=", f":{port}")
    return int(_PID.findall(line)[0])


def _sum(pattern: re.Pattern[str], lines: Collection[str]) -> int:
    return sum(int(found) for line in lines for found in pattern.findall(line))


def _ss(*arguments: str) -> list[str]:
    command = ["ss", "--tcp", "--numeric", "--processes", "--no-header", "--oneline", *arguments]
    return subprocess.check_output(command, text=True).splitlines()
