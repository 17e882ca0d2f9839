"""The programs that the checks run: those of ``requirements/audit.txt``, and npm."""

import fcntl
import subprocess
import sys
from pathlib import Path

from dev import npm, venv

ROOT = Path(__file__).parent.parent.parent
FOLDER = Path(sys.prefix) / "audit"
TIMEOUT_S = 300


def install() -> None:
    """Install the programs, unless they are there."""
    with (ROOT / "requirements/audit.in").open() as one_process:
        fcntl.flock(one_process, fcntl.LOCK_EX)
        venv.install(FOLDER, ROOT / "requirements/audit.txt")


def run(
    program: str, *arguments: str, folder: Path = ROOT, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a program of ``requirements/audit.txt`` in a folder, with a text to read."""
    return _run([str(FOLDER / "bin" / program), *arguments], folder, text)


def run_npm(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run npm in a folder; it asks a registry once only."""
    return _run([*npm.command(), *arguments, "--fetch-retries=0"], folder, "")


def _run(command: list[str], folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - all arguments are our own
        command,
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
