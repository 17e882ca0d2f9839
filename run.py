"""``make run``: the programs of the Procfile in one terminal, until Ctrl-C."""

import fcntl
import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

import settings
from local_kafka import is_listening

KAFKA_PORT = int(os.environ.get("KAFKA_PORT", "9094"))
LOCK_FILE = Path(".kafka.lock")
POLL_INTERVAL_S = 0.3

WELCOME = """\

  Kafka        localhost:{kafka}
  trading_app  http://localhost:{trading}   documented at http://localhost:{trading}/docs
  chart_app    http://localhost:{chart}   documented at http://localhost:{chart}/docs

The live chart is at http://localhost:{chart}/. Send a trade, and see it there and in the log:

  curl localhost:{trading}/send-trading-data \
-d 'topic={topic}&coinName=BTC&price=91234.5&numOfCoin=0.25'

`make demo` replays an hour of real trades: the chart moves. Ctrl-C ends everything.
"""


def main() -> None:
    """Run everything, or say what is in the way."""
    loaded = settings.load()
    for name, port in (
        ("Kafka", KAFKA_PORT),
        ("trading_app", loaded.trading_port),
        ("chart_app", loaded.chart_port),
    ):
        if is_listening(port):
            sys.exit(f"Port {port} of {name} is taken: is `make run` or `make up` running already?")
    lock = LOCK_FILE.open("w")  # held until this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("`make run` is starting already")
    environment = {
        **os.environ,
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": f"localhost:{KAFKA_PORT}",
        "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "KAFKA_REPLICATION_FACTOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    manager = Manager()
    for name, command in parse_procfile(Path("Procfile").read_text()).processes.items():
        manager.add_process(name, command, env=environment)
    manager.add_process("ready", f"exec {sys.executable} run.py --announce", env=environment)
    # honcho handles Ctrl-C and SIGTERM; a terminal that is closed sends SIGHUP.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    ended_by_us = manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    sys.exit(0 if ended_by_us else manager.returncode)


def announce() -> None:
    """Say where everything is once it is ready; then only wait for the end."""
    loaded = settings.load()
    host = "127.0.0.1" if loaded.http_host == "0.0.0.0" else loaded.http_host
    ports = (loaded.trading_port, loaded.chart_port)
    while not all(is_ready(host, port) for port in ports):
        time.sleep(POLL_INTERVAL_S)
    print(
        WELCOME.format(
            kafka=KAFKA_PORT,
            trading=loaded.trading_port,
            chart=loaded.chart_port,
            topic=loaded.trade_topics[0],
        )
    )
    signal.pause()


def is_ready(host: str, port: int) -> bool:
    """Ask a program's ``/readyz``."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=5) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except OSError:
        return False


if __name__ == "__main__":
    announce() if "--announce" in sys.argv else main()
