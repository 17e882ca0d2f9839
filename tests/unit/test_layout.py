"""What import-linter cannot see: its contracts are about packages, and these are modules."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dev.environment import clean_environment
from tests.programs import ROOT

OURS = {path.stem for path in ROOT.glob("*.py")} | {
    path.parent.name for path in ROOT.glob("*/__init__.py")
}
ALLOWED = {
    "trade_rules": set[str](),
    "records": {"trade_rules"},
    "settings": set[str](),
    "topics": {"settings", "streaming"},
}

#: Imports modules one by one, and says of each what that has changed, of all what they have built.
IMPORT = """
import asyncio, gc, importlib, sys
policy, threshold = type(asyncio.get_event_loop_policy()), gc.get_threshold()
BUILT = {"App", "AIOKafkaProducer", "AIOKafkaConsumer", "AsyncEngine", "Engine", "Database"}
for name in sys.argv[1:]:
    importlib.import_module(name)
    if type(asyncio.get_event_loop_policy()) is not policy:
        sys.exit(f"{name}: another event loop policy")
    if gc.get_threshold() != threshold:
        sys.exit(f"{name}: another threshold of the garbage collector")
    conn = sys.modules.get("aiokafka.conn")
    if conn and conn.AIOKafkaConnection.__module__ != "aiokafka.conn":
        sys.exit(f"{name}: another connection for aiokafka")
if built := sorted({type(it).__name__ for it in gc.get_objects()} & BUILT):
    sys.exit(f"they have built {built}")
"""
PACKAGES = ("streaming", "trading_app", "chart_app", "dev")


def modules() -> list[str]:
    """Return the names of all modules of the programs."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    return sorted([*ALLOWED, *(name.removesuffix(".__init__") for name in names)])


@pytest.mark.parametrize("module", ALLOWED)
def test_a_module_imports_only_what_is_below_it(module: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((ROOT / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported & OURS <= ALLOWED[module]


def test_to_import_a_module_builds_and_changes_nothing() -> None:
    command = [sys.executable, "-c", IMPORT, *modules()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("package", "command"),
    [("trading_app", "replay"), ("chart_app", "rebuild"), ("chart_app", "void")],
)
def test_faust_makes_the_app_and_its_command_in_the_projects_folder(
    package: str, command: str
) -> None:
    """The modules beside the package are not on Python's path there."""
    faust = Path(sys.executable).with_name("faust")
    environment = {k: v for k, v in clean_environment().items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [faust, "-A", package, command, "--help"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: faust {command} ")


def test_the_image_has_the_modules_beside_the_packages() -> None:
    (copied,) = re.findall(
        r"^COPY ((?:\w+\.py )+)\./$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert {name.removesuffix(".py") for name in copied.split()} == ALLOWED.keys()
