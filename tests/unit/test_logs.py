"""Which logs are named where a test fails, and which of their lines are errors of ours."""

import os
from pathlib import Path

from tests.logs import kept, last_lines, trouble


def test_a_test_has_its_own_logs_and_those_of_what_it_shares(tmp_path: Path) -> None:
    files = {
        "test_this0/chart_app-1.log": 50,  # its own, however old
        "test_this0/kafka/log/trades-0/00000000000000000000.log": 150,  # Kafka's records
        "test_other0/chart_app-2.log": 150,
        "postgresql0/postgresql.log": 100,
        "trading0/trading_app-3.log": 99,  # another file's
    }
    run, kafka = tmp_path / "popen-gw0", tmp_path / "kafka0"  # where several processes run tests
    files = {f"{run.name}/{name}": time for name, time in files.items()}
    for name, time in {**files, f"{kafka.name}/kafka.log": 100}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (time, time))
    found = kept([run, kafka], run / "test_this0", since=100)
    assert [str(it.relative_to(tmp_path)) for it in found] == [
        "popen-gw0/postgresql0/postgresql.log",
        "popen-gw0/test_this0/chart_app-1.log",
        "kafka0/kafka.log",
    ]


def test_of_a_long_log_the_last_lines_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "kafka.log"
    log.write_text("".join(f"{number}\n" for number in range(1000)))
    first, *lines = last_lines(log).splitlines()
    assert first == f"{log}: 1000 lines"
    assert lines == [str(number) for number in range(980, 1000)]


def test_errors_are_those_of_the_programs_not_what_a_busy_kafka_says_of_itself() -> None:
    ours = [
        "12:00:02 chart   | 2026-11-27T12:00:02.000Z ERROR streaming.http.health Kafka does not",
        "12:00:02 trading | Traceback (most recent call last):",
        "12:00:03 system  | CRITICAL kafka   | is not where a line of Kafka's begins",
        "ERROR: what a tool says before anything runs",
    ]
    others = [
        "12:00:01 kafka   | [controller] ERROR org.apache.kafka Timed out heartbeat from broker 1.",
        "12:00:01 chart   | 2026-11-27T12:00:01.000Z INFO streaming.http.health Kafka answers",
    ]
    assert trouble("\n".join(others + ours)) == ours
