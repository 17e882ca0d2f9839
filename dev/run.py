"""``make run``: Kafka and both programs in one terminal, until Ctrl-C.

Kafka starts first and stops last: the programs cannot shut down cleanly without it.
"""

import fcntl
import json
import os
import signal
import sys
import urllib.request
from pathlib import Path
from types import FrameType
from typing import NoReturn

import settings
from dev.local_kafka import is_listening
from dev.programs import ProgramEnded, Programs
from settings import Settings

LOCK_FILE = Path(".kafka.lock")
KAFKA_DATA = ".kafka/data"
FAUST = (".venv/bin/python", "-m", "faust", "-A")
SAMPLE = "trading_app/sample/coinbase_btcusd_trades_2023-09-05.csv.gz"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: The programs end within 5 s by themselves, Kafka within 2 s on an idle machine.
PROGRAM_STOP_TIMEOUT_S = 10
KAFKA_STOP_TIMEOUT_S = 30

#: The example trade has the coin and the price of the demo.
WELCOME = """\

  Kafka        localhost:{kafka}
  trading_app  http://localhost:{trading}   documented at http://localhost:{trading}/docs
  chart_app    http://localhost:{chart}   documented at http://localhost:{chart}/docs

The live chart is at http://localhost:{chart}/. Send a trade, and see it there and in the log:

  curl localhost:{trading}/send-trading-data \
-d 'topic={topic}&coinName=BTC-USD&price=25736.5&numOfCoin=0.25'

`make demo` replays an hour of real trades: the chart moves. Ctrl-C ends everything.
"""


def main() -> None:
    """Run everything, or exit with the reason why that is not possible."""
    loaded = settings.load()
    for name, port in (
        ("KAFKA_PORT", loaded.kafka_port),
        ("TRADING_PORT", loaded.trading_port),
        ("CHART_PORT", loaded.chart_port),
    ):
        if is_listening(port):
            sys.exit(f"{name} {port} is taken: is `make run` or `make up` running already?")
    lock = LOCK_FILE.open("w")  # held until this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("`make run` is starting already")
    for number in ENDING:
        signal.signal(number, _end)
    programs = Programs()
    try:
        _run(programs, loaded)
    except ProgramEnded as ended:
        _ignore_signals()
        programs.write("system", str(ended))
        sys.exit(1)
    finally:
        programs.stop(dict.fromkeys(("chart", "trading"), PROGRAM_STOP_TIMEOUT_S))
        programs.stop({"kafka": KAFKA_STOP_TIMEOUT_S})


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    _ignore_signals()
    sys.exit()


def _ignore_signals() -> None:
    """Ignore further signals while the programs stop, which has time limits."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _run(programs: Programs, loaded: Settings) -> None:
    """Start everything, print the addresses, and wait. Raises ProgramEnded."""
    port = loaded.kafka_port
    command = ("-m", "dev.local_kafka", "--port", str(port), "--data", KAFKA_DATA)
    programs.start("kafka", (sys.executable, *command), os.environ)
    programs.wait_until(lambda: is_listening(port))
    environment = local_environment(loaded)
    programs.start("trading", (*FAUST, "trading_app", "worker"), environment)
    programs.start("chart", (*FAUST, "chart_app", "worker"), environment)
    host = "127.0.0.1" if loaded.http_host == "0.0.0.0" else loaded.http_host
    ports = (loaded.trading_port, loaded.chart_port)
    programs.wait_until(lambda: all(is_ready(host, port) for port in ports))
    welcome = WELCOME.format(
        kafka=port,
        trading=loaded.trading_port,
        chart=loaded.chart_port,
        topic=loaded.trade_topics[0],
    )
    programs.write("ready", welcome)
    programs.wait_until(lambda: False)


def local_environment(loaded: Settings) -> dict[str, str]:
    """Return the environment of programs that use the Kafka on this machine."""
    unused = settings.kafka_security_settings("SASL", "SSL")
    return {
        **os.environ,
        **{name.upper(): "" for name in unused},
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": f"localhost:{loaded.kafka_port}",
        "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "KAFKA_REPLICATION_FACTOR": "1",
    }


def is_ready(host: str, port: int) -> bool:
    """Return whether a program's ``/readyz`` answers ok."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=5) as response:
            return bool(json.load(response)["status"] == "ok")
    except OSError:
        return False


def demo() -> NoReturn:
    """Replay the sample trades into the Kafka on this machine, which takes a minute."""
    command = (*FAUST, "trading_app", "replay", SAMPLE, "--speed", "60", "--until-now")
    os.execve(command[0], command, local_environment(settings.load()))


if __name__ == "__main__":
    demo() if "--demo" in sys.argv else main()
