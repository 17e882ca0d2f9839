"""The scripts in ``node/`` and the packages they need."""

from pathlib import Path

from dev import npm
from dev.npm import node_binary

FOLDER = Path(__file__).parent.parent / "node"


def command(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script in ``node/``."""
    return [str(node_binary()), str(FOLDER / script), *arguments]


def install() -> None:
    """Install the locked packages if they are missing. Raises :exc:`npm.InstallFailed`."""
    npm.install(FOLDER)
