"""A virtual environment for packages that only benchmarks need: FastAPI and the load client."""

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(__file__).parent / ".cache" / "venv"
BIN = FOLDER / "bin"


def install() -> None:
    """Create the environment, unless it exists with the locked packages."""
    installed = FOLDER / REQUIREMENTS.name
    if installed.exists() and installed.read_bytes() == REQUIREMENTS.read_bytes():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
    subprocess.run(
        [
            *(str(BIN / "python"), "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--require-hashes", "-r", str(REQUIREMENTS)),
        ],
        check=True,
    )
    installed.write_bytes(REQUIREMENTS.read_bytes())
