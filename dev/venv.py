"""Virtual environments for what is not to be installed beside our own packages."""

import subprocess
import sys
from pathlib import Path

from dev import packages


def install(folder: Path, requirements: Path) -> None:
    """Create the environment, unless it exists with the locked packages. It has no pip."""
    installed = folder / requirements.name
    if installed.exists() and installed.read_bytes() == requirements.read_bytes():
        return
    subprocess.run(  # noqa: S603 - all arguments are our own
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True
    )
    packages.install(requirements, str(folder / "bin/python"))
    installed.write_bytes(requirements.read_bytes())
