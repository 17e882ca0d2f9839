"""What the tools' answers mean. The answers are those of pip-audit 2.10 and npm 11."""

import json
from subprocess import CompletedProcess
from typing import Any

import pytest

from dev.audit.outcome import Outcome, State
from dev.audit.vulnerabilities import judge_npm_audit, judge_npm_signatures, judge_pip_audit

SKIPPED = {
    "name": "ours",
    "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)",
}
SAFE = {"name": "six", "version": "1.17.0", "vulns": []}
UNSAFE = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [
        {"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]},
        {"id": "A", "fix_versions": []},
    ],
}
UNREACHABLE = {"error": {"code": "ENOTFOUND", "summary": "request to … failed", "detail": ""}}
REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405, "error": {"summary": ""}}


def done(stdout: object, stderr: str = "") -> "CompletedProcess[str]":
    """Return what a program has printed; an exit code is told by none of them alone."""
    text = stdout if isinstance(stdout, str) else json.dumps(stdout)
    return CompletedProcess([], 1, text, stderr)


def of_python(*packages: dict[str, Any]) -> Outcome:
    return judge_pip_audit("it", done({"dependencies": packages, "fixes": []}))


def test_packages_without_known_vulnerabilities_are_clean() -> None:
    assert of_python(SAFE, SAFE) == Outcome("it", State.CLEAN)
    report = {"auditReportVersion": 2, "vulnerabilities": {}}
    assert judge_npm_audit("it", done(report)) == Outcome("it", State.CLEAN)
    signed: dict[str, list[object]] = {"invalid": [], "missing": []}
    assert judge_npm_signatures("it", done(signed)) == Outcome("it", State.CLEAN)


def test_each_vulnerability_is_found() -> None:
    outcome = of_python(SAFE, UNSAFE)
    assert outcome.state is State.FOUND
    assert outcome.lines == (
        "jinja2 2.4.1: PYSEC-2019-217, fixed in 2.10.1",
        "jinja2 2.4.1: A, fixed in no version yet",
    )
    lodash = {"name": "lodash", "severity": "high", "range": "<=4.17.20", "via": []}
    report = {"auditReportVersion": 2, "vulnerabilities": {"lodash": lodash}}
    outcome = judge_npm_audit("it", done(report))
    assert (outcome.state, outcome.lines) == (State.FOUND, ("lodash <=4.17.20: high",))


def test_bad_signatures_are_found() -> None:
    package = {"name": "a", "version": "1.0.0", "registry": "…"}
    outcome = judge_npm_signatures("it", done({"invalid": [package], "missing": [package]}))
    assert outcome.state is State.FOUND
    assert outcome.lines == (
        "a 1.0.0: the signature is invalid",
        "a 1.0.0: the signature is missing",
    )


def test_an_index_that_tells_nothing_of_any_package_is_not_clean() -> None:
    assert of_python(SKIPPED, SKIPPED).state is State.NOT_DONE
    assert of_python().state is State.NOT_DONE


def test_a_package_that_alone_is_not_told_of_is_found() -> None:
    outcome = of_python(SAFE, SKIPPED)
    assert (outcome.state, outcome.lines) == (State.FOUND, (SKIPPED["skip_reason"],))


@pytest.mark.parametrize("stdout", ["", "[]", "no JSON", {}])
def test_a_tool_that_could_not_ask_is_not_clean(stdout: object) -> None:
    answer = done(stdout, "Traceback …\n  …\nConnectionError: no such host\n")
    for judge in (judge_pip_audit, judge_npm_audit, judge_npm_signatures):
        outcome = judge("it", answer)
        assert (outcome.state, outcome.lines) == (
            State.NOT_DONE,
            ("ConnectionError: no such host",),
        )
    assert judge_pip_audit("it", done(stdout)).lines == ("It ended without a word.",)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(UNREACHABLE, "request to … failed"), (REFUSED, "405 Method Not Allowed")],
)
def test_a_registry_that_does_not_answer_is_named(answer: dict[str, Any], reason: str) -> None:
    for judge in (judge_npm_audit, judge_npm_signatures):
        assert judge("it", done(answer)) == Outcome("it", State.NOT_DONE, (reason,))
