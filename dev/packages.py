"""Installs the Python packages that a lock file names.

``python -m dev.packages FILE`` installs them beside the python that runs it. uv takes a fifth of
pip's CPU, and waits for many answers at once. But it does not read pip's settings, which may name
another index or other certificates: what uv could not install is left to pip.
"""

import subprocess
import sys
from pathlib import Path


def install(lock: Path, python: str = sys.executable) -> None:
    """Install locked packages into an environment, which needs no pip.

    Raises :exc:`subprocess.CalledProcessError`.
    """
    locked = ("--quiet", "--require-hashes", "--requirement", str(lock))
    uv = Path(sys.prefix, "bin", "uv")
    if uv.exists():
        command = [str(uv), "pip", "install", "--python", python, *locked]
        if not subprocess.run(command, check=False).returncode:  # noqa: S603 - our own arguments
            return
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    subprocess.run(  # noqa: S603 - all arguments are our own
        [*pip, "install", "--no-compile", "--retries", "2", *locked], check=True
    )


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
