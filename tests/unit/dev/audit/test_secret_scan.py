import re

from dev.audit.secret_scan import EXCLUDED_FILES, findings
from tests.programs import ROOT


def found(kind: str) -> list[dict[str, object]]:
    return [{"type": kind, "line_number": 7, "hashed_secret": "…"}]


def test_findings_name_file_line_and_kind_and_never_the_secret() -> None:
    assert findings({"b.py": found("AWS Access Key"), "a.py": found("Secret Keyword")}) == [
        "a.py:7: Secret Keyword",
        "b.py:7: AWS Access Key",
    ]


def test_only_passwords_are_expected_in_tests() -> None:
    assert findings({"tests/a.py": found("Secret Keyword")}) == []
    assert findings({"tests/a.py": found("Basic Auth Credentials")}) == []
    assert findings({"tests/a.py": found("AWS Access Key")}) == ["tests/a.py:7: AWS Access Key"]


def test_what_is_not_looked_at_exists_and_is_no_code() -> None:
    files = [str(it.relative_to(ROOT)) for it in ROOT.rglob("*") if it.is_file()]
    for pattern in EXCLUDED_FILES:
        excluded = [it for it in files if re.search(pattern, it)]
        assert excluded
        assert not [it for it in excluded if it.endswith((".py", ".md", ".js", ".yaml"))]
