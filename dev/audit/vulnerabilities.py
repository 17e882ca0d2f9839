"""Known vulnerabilities and signatures of what is locked, as the registries tell them.

A registry may be a mirror that does not. Then a check is not done, which is not the same as clean.
"""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from dev import npm
from dev.audit import tools
from dev.audit.outcome import Outcome, clean_unless, not_done


def of_python(root: Path, lock: str) -> Outcome:
    """Look the packages of a lock file up in the database of the Python package index."""
    done = tools.run(
        "pip-audit",
        *("--disable-pip", "--require-hashes", "--requirement", str(root / lock)),
        *("--format", "json", "--progress-spinner", "off"),
    )
    return judge_pip_audit(f"known vulnerabilities of {lock}", done)


def judge_pip_audit(check: str, done: "CompletedProcess[str]") -> Outcome:
    """Return what pip-audit has found. It calls clean, too, what it could not look up."""
    answer = _json(done.stdout)
    if "dependencies" not in answer:
        return not_done(check, _last_line(done.stderr))
    packages = answer["dependencies"]
    skipped = [it for it in packages if "skip_reason" in it]
    if len(skipped) == len(packages):
        return not_done(check, "The package index in use here tells none of any package.")
    found = [it["skip_reason"] for it in skipped]
    for package in packages:
        for vulnerability in package.get("vulns", ()):
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            name = f"{package['name']} {package['version']}"
            found.append(f"{name}: {vulnerability['id']}, fixed in {fixed}")
    return clean_unless(check, found)


def of_npm(root: Path, folder: str) -> Outcome:
    """Look the packages of a folder's lock file up in the database of the npm registry."""
    done = tools.run_npm("audit", "--json", "--package-lock-only", folder=root / folder)
    return judge_npm_audit(f"known vulnerabilities of {folder}/package-lock.json", done)


def judge_npm_audit(check: str, done: "CompletedProcess[str]") -> Outcome:
    """Return what ``npm audit`` has found."""
    answer = _json(done.stdout)
    if "auditReportVersion" not in answer:
        return not_done(check, _npm_error(answer, done))
    found = [
        f"{name} {it['range']}: {it['severity']}" for name, it in answer["vulnerabilities"].items()
    ]
    return clean_unless(check, found)


def signatures(root: Path, folder: str) -> Outcome:
    """Check the registry's signatures of the packages that are installed in a folder."""
    check = f"signatures of {folder}/package-lock.json"
    try:
        npm.install(root / folder)
    except npm.InstallFailed as failed:
        return not_done(check, _last_line(str(failed)))
    return judge_npm_signatures(
        check, tools.run_npm("audit", "signatures", "--json", folder=root / folder)
    )


def judge_npm_signatures(check: str, done: "CompletedProcess[str]") -> Outcome:
    """Return what ``npm audit signatures`` has found."""
    answer = _json(done.stdout)
    if "invalid" not in answer:
        return not_done(check, _npm_error(answer, done))
    found = [
        f"{it['name']} {it['version']}: the signature is {what}"
        for what in ("invalid", "missing")
        for it in answer[what]
    ]
    return clean_unless(check, found)


def _npm_error(answer: dict[str, Any], done: "CompletedProcess[str]") -> str:
    summary = answer.get("error", {}).get("summary")
    return summary or answer.get("message") or _last_line(done.stderr)


def _json(text: str) -> dict[str, Any]:
    """Return the object that a program has printed, an empty one if it has not."""
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _last_line(text: str) -> str:
    return next(iter(text.strip().splitlines()[::-1]), "It ended without a word.")
