"""Virtual environments for what is not to be installed beside our own packages."""

import subprocess
import sys
from pathlib import Path


def install(folder: Path, requirements: Path) -> None:
    """Create the environment, unless it exists with the locked packages. It has no pip."""
    installed = folder / requirements.name
    if installed.exists() and installed.read_bytes() == requirements.read_bytes():
        return
    python = sys.executable
    subprocess.run(  # noqa: S603 - all arguments are our own
        [python, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True
    )
    subprocess.run(  # noqa: S603 - all arguments are our own
        [
            *(python, "-m", "pip", "--python", str(folder / "bin/python"), "install", "--quiet"),
            *("--disable-pip-version-check", "--no-compile"),
            *("--require-hashes", "-r", str(requirements)),
        ],
        check=True,
    )
    installed.write_bytes(requirements.read_bytes())
