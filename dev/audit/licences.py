"""The licences of all locked packages: ``requirements/licences.csv``, and which may be shipped.

``python -m dev.audit.licences`` writes the file anew, after ``make lock``.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.audit import tools
from dev.audit.locks import NPM_LOCKS, SHIPPED, Package, locked, normal, npm_packages
from dev.audit.outcome import Outcome, clean_unless

TABLE = "requirements/licences.csv"
HEADER = ("registry", "name", "version", "for", "licence")
#: Of what is shipped, as the packages name them. None asks more than to be named with its text;
#: MPL 2.0 besides, that changes of its own files are published, and we change none.
ALLOWED = frozenset(
    {
        "Apache License 2.0",
        "Apache Software License",
        "Apache Software License; MIT License",
        "Apache-2.0",
        "Apache-2.0 AND BSD-2-Clause",
        "Apache-2.0 AND MIT",
        "Apache-2.0 OR BSD-2-Clause",
        "BSD License",
        "BSD-3-Clause",
        "MIT",
        "MIT AND PSF-2.0",
        "MIT License",
        "MPL-2.0 AND MIT",
        "PSF-2.0",
        "Python Software Foundation License",
        "Repoze Public License",
    }
)


def read(root: Path) -> dict[Package, tuple[str, str]]:
    """Return what the table says of each package: what it is for, and its licence."""
    with (root / TABLE).open(newline="") as file:
        rows = csv.DictReader(file)
        return {
            Package(row["registry"], row["name"], row["version"]): (row["for"], row["licence"])
            for row in rows
        }


def findings(root: Path) -> list[str]:
    """Return where the table is not that of the lock files, and what must not be shipped."""
    packages, table = locked(root), read(root)
    found = [f"{_text(it)} is locked, and not in {TABLE}" for it in packages.keys() - table.keys()]
    found += [f"{_text(it)} is in {TABLE}, and not locked" for it in table.keys() - packages.keys()]
    for package in packages.keys() & table.keys():
        uses, licence = table[package]
        if uses != _uses(packages[package]):
            found.append(f"{_text(package)} is locked for {_uses(packages[package])}, not {uses}")
        if not licence:
            found.append(f"{_text(package)} has no licence in {TABLE}")
        elif packages[package] & SHIPPED and licence not in ALLOWED:
            found.append(f"{_text(package)} is shipped, and its licence not allowed: {licence}")
    return sorted(found)


def check(root: Path) -> Outcome:
    """Check the table against the lock files and against what is installed here."""
    found = findings(root)
    table = read(root)
    for package, licence in _installed().items():
        said = table.get(package, ("", licence))[1]
        if said != licence:
            found.append(f"{_text(package)} says that its licence is {licence}, {TABLE}: {said}")
    return clean_unless(f"licences of {len(table)} locked packages", found)


def renew(root: Path) -> None:
    """Write the table anew from what the packages say; those not installed here are fetched."""
    packages = locked(root)
    licences = _installed()
    for folder in NPM_LOCKS.values():
        licences |= npm_packages(root / folder)
    missing = [f"{it.name}=={it.version}" for it in packages if it not in licences]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        subprocess.run([*pip, *missing], check=True)  # noqa: S603 - all arguments are our own
        licences |= _licences(folder)
    with (root / TABLE).open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEADER)
        for package in sorted(packages):
            rows.writerow([*package, _uses(packages[package]), licences.get(package, "")])


def _installed() -> dict[Package, str]:
    """Return the licences of what is installed for the programs, their tests and the audit."""
    return _licences() | _licences("", "--python", sys.executable)


def _licences(folder: str = "", *options: str) -> dict[Package, str]:
    """Return the licences of the audit's environment, and of a folder of packages besides."""
    done = subprocess.run(  # noqa: S603 - all arguments are our own
        [
            *(str(tools.FOLDER / "bin/pip-licenses"), *options),
            *("--from", "mixed", "--format", "json", "--with-system"),
        ],
        env={**os.environ, "PYTHONPATH": folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        Package("pypi", normal(it["Name"]), it["Version"]): it["License"]
        for it in json.loads(done.stdout)
    }


def _uses(uses: set[str]) -> str:
    return " ".join(sorted(uses))


def _text(package: Package) -> str:
    return f"{package.name} {package.version} ({package.registry})"


if __name__ == "__main__":
    tools.install()
    renew(tools.ROOT)
