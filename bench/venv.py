"""A virtual environment for packages that only benchmarks need: FastAPI and the load client."""

from pathlib import Path

from dev import venv

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(__file__).parent / ".cache" / "venv"
BIN = FOLDER / "bin"


def install() -> None:
    """Create the environment, unless it exists with the locked packages."""
    venv.install(FOLDER, REQUIREMENTS)
