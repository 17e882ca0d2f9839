"""The ports that are given to brokers and programs, and what Kafka is told."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev import local_kafka
from dev.local_kafka import KafkaFailed, LocalKafka, fetch_jars, free_port, to_properties
from tests.programs import ROOT

CLAIM = "from dev import local_kafka; print(local_kafka.free_port(), flush=True); input()"


def test_a_port_that_a_process_was_given_is_given_to_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        port = int(other.stdout.readline())
        monkeypatch.setattr(local_kafka, "PORTS", range(port, port + 1))
        with pytest.raises(KafkaFailed, match=f"no free port from {port} to {port}"):
            free_port()
        other.communicate(b"\n")
    assert free_port() == port
    with pytest.raises(KafkaFailed):
        free_port()


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("/home/me/.kafka/data", "name=/home/me/.kafka/data\n"),
        ("/체크 아웃", "name=/\\uccb4\\ud06c\\u0020\\uc544\\uc6c3\n"),
        ("  #!=:", "name=\\u0020\\u0020#!=:\n"),
        ("back\\slash\nline", "name=back\\u005cslash\\u000aline\n"),
        ("😀", "name=\\ud83d\\ude00\n"),
        ("", "name=\n"),
    ],
)
def test_what_java_would_read_otherwise_is_escaped(value: str, line: str) -> None:
    assert to_properties({"name": value}) == line


@given(st.text())
def test_java_reads_what_was_written(value: str) -> None:
    (line,) = to_properties({"name": value}).split("\n")[:-1]
    read = line.removeprefix("name=").encode("ascii").decode("unicode_escape")
    assert read.encode("utf-16", "surrogatepass").decode("utf-16") == value


def test_a_folder_that_kafka_takes_for_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KafkaFailed, match=r"no folder with a comma in its path: .*/one,two"):
        LocalKafka(1, tmp_path / "one,two").prepare()


def test_a_kafka_that_cannot_be_fetched_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(
        KafkaFailed, match=r"Maven Central: is it reachable from here\? \(ProxyError\)$"
    ):
        fetch_jars()
