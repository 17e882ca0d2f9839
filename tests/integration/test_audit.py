"""The audit's tools find what is planted. `make audit` installs them; CI has them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from dev.audit import licences, sbom, secret_scan, tools
from dev.audit.locks import SHIPPED, locked, normal
from dev.audit.outcome import State
from tests.programs import ROOT

#: Put together here, so that the file is not found itself.
PLANTED = {
    "key.pem": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "aws.py": 'KEY = "AKIA' + 'ZYXWVUTSRQPONMLK"',
    "settings.py": "PASSWORD" + ' = "hunter-two-times"',
    "docs/page.md": "postgresql://chart:" + "Tr0ub4dor" + "@db.example/chart",
    "tests/token.py": 'TOKEN = "ghp_' + 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"',
}
HARMLESS = {
    "a.py": "password = settings.kafka_sasl_password",
    ".env.example": "DATABASE_URL=postgresql://user:password@host:5432/name",
    "tests/a.py": "PASSWORD" + ' = "of-a-server-of-the-test"',
    "requirements/a.txt": "--hash=sha256:" + "0123456789abcdef" * 4,
}


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if not tools.FOLDER.exists() and not os.environ.get("CI"):
        pytest.skip("`make audit` has not installed its tools")
    tools.install()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder with files that git has, planted and harmless ones."""
    for name, text in (PLANTED | HARMLESS).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_planted_secrets_are_found_and_not_shown(repository: Path) -> None:
    outcome = secret_scan.check(repository)
    assert outcome.state is State.FOUND
    assert {line.partition(":")[0] for line in outcome.lines} == PLANTED.keys()
    assert "hunter" not in str(outcome)
    assert "Tr0ub4dor" not in str(outcome)


def test_the_bill_of_materials_names_what_is_locked_and_is_valid() -> None:
    assert sbom.check(ROOT).state is State.CLEAN
    bill = json.loads((ROOT / sbom.FILE).read_text())
    named = {(normal(it["name"]), it["version"]) for it in bill["components"]}
    shipped = {(it.name, it.version) for it, uses in locked(ROOT).items() if uses & SHIPPED}
    assert named - shipped == {("page", "0.0.0")}  # npm names our own by its folder
    assert {name for name, _ in shipped - named} == {"colorama"}  # it is for Windows only
    page = next(it for it in bill["dependencies"] if it["ref"].startswith("trade-streaming-page@"))
    assert page["dependsOn"] == [f"lightweight-charts@{dict(named)['lightweight-charts']}"]
    del bill["specVersion"]
    assert sbom.errors(json.dumps(bill)) != []
    assert sbom.errors("{}") != []


def test_the_licences_are_those_that_the_packages_name() -> None:
    outcome = licences.check(ROOT)
    assert (outcome.state, outcome.lines) == (State.CLEAN, ())
