"""What import-linter cannot see: the modules beside the packages import one way, too."""

import ast

import pytest

from tests.programs import ROOT

OURS = {path.stem for path in ROOT.glob("*.py")} | {
    path.parent.name for path in ROOT.glob("*/__init__.py")
}
ALLOWED = {
    "records": set[str](),
    "settings": set[str](),
    "topics": {"settings", "streaming"},
    "local_kafka": set[str](),
}


@pytest.mark.parametrize("module", ALLOWED)
def test_a_module_imports_only_what_is_below_it(module: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((ROOT / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported & OURS <= ALLOWED[module]
