"""The files that lock packages, and what they lock."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

#: What is installed from the Python package index, by what it is for.
PYTHON_LOCKS: Mapping[str, str] = {
    "run": "requirements/run.txt",
    "local": "requirements/local.txt",
    "dev": "requirements/dev.txt",
    "audit": "requirements/audit.txt",
    "uv": "requirements/uv.txt",
    "bench": "bench/requirements.txt",
}
#: The folders of what is installed from the npm registry, by what it is for.
NPM_LOCKS: Mapping[str, str] = {
    "page": "chart_app/web/page",
    "page-lint": "tests/page",
    "browser-tests": "tests/browser",
    "fonts": "tests/fonts",
    "node": "node",
}
#: What is part of the programs and their container image.
SHIPPED = frozenset({"run", "page"})

_REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class Package(NamedTuple):
    """A version of a package in a registry, ``pypi`` or ``npm``."""

    registry: str
    name: str
    version: str


def locked(root: Path) -> dict[Package, set[str]]:
    """Return all locked packages with what they are for."""
    found: dict[Package, set[str]] = {}
    for use, path in PYTHON_LOCKS.items():
        for name, version in _REQUIREMENT.findall((root / path).read_text()):
            found.setdefault(Package("pypi", normal(name), version), set()).add(use)
    for use, path in NPM_LOCKS.items():
        for package in npm_packages(root / path):
            found.setdefault(package, set()).add(use)
    return found


def npm_packages(folder: Path) -> dict[Package, str]:
    """Return the packages of a ``package-lock.json`` with their licences, "" if it names none."""
    lock = json.loads((folder / "package-lock.json").read_text())
    return {
        Package("npm", path.rpartition("node_modules/")[2], it["version"]): it.get("license", "")
        for path, it in lock["packages"].items()
        if path
    }


def normal(name: str) -> str:
    """Return the name of a Python package as lock files write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
