"""The ports that are given to brokers and programs."""

import subprocess
import sys

import pytest

import local_kafka
from local_kafka import KafkaFailed, free_port
from tests.programs import ROOT

CLAIM = "import local_kafka; print(local_kafka.free_port(), flush=True); input()"


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
