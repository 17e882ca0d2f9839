"""Secrets in the files that git has."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dev.audit import tools
from dev.audit.outcome import Outcome, clean_unless

#: Files that are not looked at, by a pattern of their paths, and why.
EXCLUDED_FILES: Mapping[str, str] = {
    r"(^|/)package-lock\.json$": "npm's hashes of packages",
    r"^(requirements|bench)/\w+\.txt$": "pip's hashes of packages",
    r"^dev/local_kafka\.lock\.toml$": "Maven's hashes of packages",
}
#: What is no secret, by a pattern of its text, and why.
EXCLUDED_SECRETS: Mapping[str, str] = {
    r"^password$": "stands for one where a form is shown, as in user:password@host",
}
#: Kinds that are expected in tests: passwords of servers that the tests start themselves.
EXPECTED_IN_TESTS = frozenset({"Basic Auth Credentials", "Secret Keyword"})


def check(root: Path) -> Outcome:
    """Scan the files, as they are now."""
    done = tools.run(
        *("detect-secrets", "scan", "--exclude-files", "|".join(EXCLUDED_FILES)),
        *("--exclude-secrets", "|".join(EXCLUDED_SECRETS)),
        folder=root,
    )
    done.check_returncode()
    results = json.loads(done.stdout)["results"]
    return clean_unless("secrets in the files that git has", findings(results))


def findings(results: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Return what detect-secrets has found, by file, and is not expected there."""
    return [
        f"{path}:{it['line_number']}: {it['type']}"
        for path, found in sorted(results.items())
        for it in found
        if not (path.startswith("tests/") and it["type"] in EXPECTED_IN_TESTS)
    ]
