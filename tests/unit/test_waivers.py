"""Ruff's rules on security (S) are on, and where one is waived the reason stands beside it."""

import re
import subprocess

import pytest

from tests.programs import ROOT

WAIVER = re.compile(r"# noqa(?!: )|# noqa: ([A-Z0-9, ]+)(.*)")
IGNORED = re.compile(r'^"([^"]+)" = \[(.*)\](.*)$', re.MULTILINE)
SECURITY = re.compile(r"\bS(?:\d+)?\b")


def without_reason(line: str) -> bool:
    """Return whether a line waives a rule on security, or all rules, and does not say why."""
    match = WAIVER.search(line)
    if match is None:
        return False
    rules, rest = match[1], match[2]
    return rules is None or bool(SECURITY.search(rules) and not re.match(r"\s*- \w", rest or ""))


def ignored_without_reason(pyproject: str) -> list[str]:
    """Return the files for which rules are ignored without a reason, there or in their block."""
    section = pyproject.partition("[tool.ruff.lint.per-file-ignores]\n")[2].partition("\n[")[0]
    found = []
    for block in section.split("\n\n"):
        above = "".join(line for line in block.splitlines() if line.startswith("#"))
        for file, rules, beside in IGNORED.findall(block):
            if SECURITY.search(rules) and not re.search(r"\bS\d*\b.*: \w", above + beside):
                found.append(file)
    return found


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("run(x)  # noqa" + ": S603", True),
        ("run(x)  # noqa" + ": S603, ARG001", True),
        ("run(x)  # noqa" + ": S603 -", True),
        ("run(x)  # noqa", True),
        ("run(x)  # noqa" + ": S603 - our own arguments", False),
        ("run(x)  # noqa" + ": ARG001", False),
        ("run(x)", False),
    ],
)
def test_a_waiver_without_reason_is_seen(line: str, is_found: bool) -> None:
    assert without_reason(line) == is_found


def test_ignored_rules_without_reason_are_seen() -> None:
    pyproject = """
[tool.ruff.lint.per-file-ignores]
"a.py" = ["S"]
"b.py" = ["T201", "S603"]
"c.py" = ["S603"]  # S603: it starts a program

# S: they start programs
"d.py" = ["S"]
"e.py" = ["S"]

"f.py" = ["SLF001"]
"g.py" = ["S"]  # it does

[tool.other]
"""
    assert ignored_without_reason(pyproject) == ["a.py", "b.py", "g.py"]


def test_every_waiver_has_its_reason() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    names = listed.stdout.splitlines()
    assert names
    bare = [
        f"{name}: {line.strip()}"
        for name in names
        if name != "tests/unit/test_waivers.py"
        for line in (ROOT / name).read_text().splitlines()
        if without_reason(line)
    ]
    assert bare == []


def test_every_ignored_rule_has_its_reason() -> None:
    assert ignored_without_reason((ROOT / "pyproject.toml").read_text()) == []
