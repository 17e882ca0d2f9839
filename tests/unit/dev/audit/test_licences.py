"""``requirements/licences.csv`` is that of the lock files, and what is shipped may be."""

import re
import shutil
from pathlib import Path

import pytest

from dev.audit.licences import ALLOWED, TABLE, findings, read
from dev.audit.locks import NPM_LOCKS, PYTHON_LOCKS, SHIPPED, locked
from tests.programs import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the lock files and the table."""
    names = [*PYTHON_LOCKS.values(), *(f"{it}/package-lock.json" for it in NPM_LOCKS.values())]
    for name in [*names, TABLE]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(file: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)


def version_of(name: str) -> str:
    (version,) = (it.version for it in locked(ROOT) if it.name == name)
    return version


def test_the_table_is_that_of_the_lock_files_and_all_that_is_shipped_is_allowed() -> None:
    assert findings(ROOT) == [], "make lock writes it anew"


def test_every_lock_file_of_the_project_is_read() -> None:
    files = [*ROOT.glob("requirements/*.txt"), *ROOT.glob("bench/*.txt")]
    assert {str(it.relative_to(ROOT)) for it in files} == set(PYTHON_LOCKS.values())
    folders = {
        str(it.parent.relative_to(ROOT))
        for it in ROOT.rglob("package-lock.json")
        if "node_modules" not in it.parts and not it.relative_to(ROOT).parts[0].startswith(".")
    }
    assert folders == set(NPM_LOCKS.values())
    for path in PYTHON_LOCKS.values():
        lines = (ROOT / path).read_text().splitlines()
        pinned = [line for line in lines if "==" in line and not line.startswith((" ", "#"))]
        use = next(use for use, other in PYTHON_LOCKS.items() if other == path)
        assert len(pinned) == sum(use in uses for uses in locked(ROOT).values())


def test_no_licence_is_allowed_that_nothing_has() -> None:
    shipped = {it for it, uses in locked(ROOT).items() if uses & SHIPPED}
    assert {licence for it, (_, licence) in read(ROOT).items() if it in shipped} == ALLOWED


def test_a_package_that_is_new_or_gone_is_found(copy: Path) -> None:
    change(copy / "requirements/run.txt", r"^aiosqlite==\S+", "aiosqlite==0.0.0")
    (copy / TABLE).write_text((copy / TABLE).read_text() + "npm,gone,1.0.0,page,MIT\n")
    assert findings(copy) == [
        f"aiosqlite 0.0.0 (pypi) is locked, and not in {TABLE}",
        f"aiosqlite {version_of('aiosqlite')} (pypi) is locked for dev local, not dev local run",
        f"gone 1.0.0 (npm) is in {TABLE}, and not locked",
    ]


def test_what_must_not_be_shipped_is_found(copy: Path) -> None:
    change(copy / TABLE, r"^(pypi,aiosqlite,.*),.*", r"\1,")
    change(copy / TABLE, r"^(pypi,pytz,.*),.*", r"\1,GPL")
    change(copy / TABLE, r"^(npm,lightweight-charts,.*),.*", r"\1,GPL")
    change(copy / TABLE, r"^(pypi,pytest,.*),.*", r"\1,GPL")  # it is not shipped
    shipped = "is shipped, and its licence not allowed: GPL"
    assert findings(copy) == [
        f"aiosqlite {version_of('aiosqlite')} (pypi) has no licence in {TABLE}",
        f"lightweight-charts {version_of('lightweight-charts')} (npm) {shipped}",
        f"pytz {version_of('pytz')} (pypi) {shipped}",
    ]
