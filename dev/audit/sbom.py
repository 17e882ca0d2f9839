"""``sbom.json``: what the programs and their page are made of, in CycloneDX's form.

``python -m dev.audit.sbom`` writes and checks it. The Python packages are those of
``requirements/run.txt`` for this machine and this Python, which installs them for it in an
environment of their own.
"""

import fcntl
import json
import sys
from pathlib import Path
from typing import Any

from dev import venv
from dev.audit import tools
from dev.audit.outcome import Outcome, State, clean_unless

FILE = "sbom.json"
SPEC_VERSION = "1.5"  # the one that npm writes
SHIPPED = Path(sys.prefix) / "shipped"
LOCK = "requirements/run.txt"
PAGE = "chart_app/web/page"
VALIDATE = f"""
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
validator = JsonStrictValidator(SchemaVersion.from_version("{SPEC_VERSION}"))
error = validator.validate_str(sys.stdin.read())
sys.exit(error and str(error))
"""


def write(root: Path) -> Path:
    """Write the file; return its path. Raises CalledProcessError if a tool fails."""
    with (root / LOCK).open() as one_process:
        fcntl.flock(one_process, fcntl.LOCK_EX)
        venv.install(SHIPPED, root / LOCK)
    programs = tools.run(
        *("cyclonedx-py", "environment", "--pyproject", str(root / "pyproject.toml")),
        # --no-validate: the whole is checked, and a check takes 5 s.
        *("--spec-version", SPEC_VERSION, "--no-validate", str(SHIPPED)),
    )
    page = tools.run_npm(
        *("sbom", "--sbom-format", "cyclonedx", "--package-lock-only"), folder=root / PAGE
    )
    for done in (programs, page):
        done.check_returncode()
    path = root / FILE
    path.write_text(
        json.dumps(merged(json.loads(programs.stdout), json.loads(page.stdout)), indent=2)
    )
    return path


def merged(programs: dict[str, Any], page: dict[str, Any]) -> dict[str, Any]:
    """Return the bill of the programs with the page and its packages as components besides."""
    component = page["metadata"]["component"]
    own = programs["metadata"]["component"]["bom-ref"]
    dependencies = [
        it | {"dependsOn": [*it.get("dependsOn", ()), component["bom-ref"]]}
        if it["ref"] == own
        else it
        for it in programs["dependencies"]
    ]
    return programs | {
        "components": [*programs["components"], component, *page["components"]],
        "dependencies": [*dependencies, *page["dependencies"]],
    }


def errors(text: str) -> list[str]:
    """Return what CycloneDX's schema forbids of a text that is to be a bill of materials."""
    done = tools.run("python", "-c", VALIDATE, text=text)
    return done.stderr.splitlines()[:1] if done.returncode else []


def check(root: Path) -> Outcome:
    """Write the file, and check it against CycloneDX's schema."""
    return clean_unless(f"{FILE} in CycloneDX's form", errors(write(root).read_text()))


if __name__ == "__main__":
    tools.install()
    outcome = check(tools.ROOT)
    print(outcome)
    sys.exit(outcome.state is State.FOUND)
