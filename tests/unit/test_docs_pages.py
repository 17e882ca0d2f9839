"""The documentation: what its pages name is there.

Links are relative to the page, as on GitHub; paths in backticks are relative to the project.
"""

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import chart_app.rest.openapi
from chart_app.websocket.streams import OF_ALL_COINS, Kind
from settings import Settings
from tests.programs import ROOT, Program

README_MAX_LINES = 150
#: Folders in which no page of ours is; those that begin with a dot, but for GitHub's, neither.
NOT_OURS = {"node_modules"}
FILE_SUFFIXES = (
    *(".css", ".csv", ".html", ".js", ".json", ".md", ".mjs", ".png", ".py", ".svg", ".toml"),
    *(".txt", ".yaml", ".yml"),
)
#: What looks like a file of ours and is none, and why.
NO_FILES = {
    ".env": "whoever runs the programs makes it",
    ".venv": "make makes it",
    ".gz": "the end of a name",
    "build/screenshots/": "a test makes it",
    "sbom.json": "make makes it",
}
BIN = Path(sys.executable).parent

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)(?:    .*\n)+(?:\n+(?:    .*\n)+)*")
SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
PATH = re.compile(r"\.?[\w-]+(?:[./][\w-]+)*/?")
FAUST_COMMAND = re.compile(r"-A (\w+) ([\w-]+)")


def find_pages() -> Iterator[str]:
    """Yield all pages, as paths in the project."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name == ".github" or not (name.startswith(".") or name in NOT_OURS)
        ]
        for name in files:
            if name.endswith(".md"):
                yield str((Path(folder) / name).relative_to(ROOT))


PAGES = sorted(find_pages())


@cache
def text(page: str) -> str:
    return (ROOT / page).read_text()


def prose(page: str) -> str:
    """Return a page without its blocks of code."""
    return INDENTED.sub("", FENCED.sub("", text(page)))


def spans(page: str) -> list[str]:
    """Return what stands in backticks."""
    return [" ".join(code.split()) for _, code in SPAN.findall(prose(page))]


def commands(page: str) -> list[str]:
    """Return the lines of the blocks that show commands."""
    fenced = [block for language, block in FENCED.findall(text(page)) if language == "sh"]
    indented = INDENTED.findall(FENCED.sub("", text(page)))
    lines = [
        line.strip().removeprefix("$ ")
        for block in fenced + indented
        for line in block.splitlines()
    ]
    return [line for line in lines if re.match(r"make\b|python -m ", line) or ".venv/bin/" in line]


def links(page: str) -> list[str]:
    """Return where a page's links lead, within the project."""
    found = [one or other for one, other in LINK.findall(SPAN.sub("", prose(page)))]
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", FENCED.sub("", text(page)), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        again = sum(
            words == other or re.fullmatch(rf"{words}-\d+", other) is not None for other in found
        )
        found.append(f"{words}-{again}" if again else words)
    return set(found)


@cache
def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def looks_like_a_file(span: str) -> bool:
    return PATH.fullmatch(span) is not None and (
        re.match(r"\.\w", span) is not None or span.endswith(("/", *FILE_SUFFIXES))
    )


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page: str) -> None:
    dead = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (
            anchor and anchor not in anchors(str(target.resolve().relative_to(ROOT)))
        ):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_it_names_exist(page: str) -> None:
    named = {span for span in spans(page) if looks_like_a_file(span)} - NO_FILES.keys()
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_the_make_commands_that_it_names_exist(page: str) -> None:
    named = {match[1] for span in spans(page) if (match := re.match(r"make ([a-z]+)", span))}
    assert named <= make_targets()


@pytest.mark.parametrize(
    ("page", "line"), [(page, line) for page in PAGES for line in commands(page)]
)
def test_a_command_that_it_shows_exists(page: str, line: str) -> None:
    assert page
    program, _, arguments = line.partition(" ")
    if program == "make":
        assert not arguments or arguments.split()[0] in make_targets()
    if match := re.search(r"\.venv/bin/(\S+)", line):
        assert (BIN / match[1]).exists()
    if match := re.search(r"python -m (\S+)(?: (\S+))?", line):
        assert importlib.util.find_spec(match[1]) is not None
        if match[1] == "pytest":
            assert (ROOT / match[2]).exists()


FAUST_LINES = [
    line for page in PAGES for line in commands(page) if FAUST_COMMAND.search(line) is not None
]


@pytest.mark.parametrize("line", sorted(set(FAUST_LINES)))
def test_a_programs_command_has_the_options_that_are_shown(line: str, tmp_path: Path) -> None:
    match = FAUST_COMMAND.search(line)
    assert match
    program = Program(match[1], tmp_path, {}, match[2], "--help")
    with program:
        assert program.wait() == 0
    shown = program.log()
    assert re.match(rf"Usage: .*faust {match[2]} ", shown)
    for option in re.findall(r"--[a-z-]+", line):
        assert option in shown


def test_every_setting_is_in_the_example_and_in_the_table_with_its_default() -> None:
    defaults = {}
    for name, field in Settings.model_fields.items():
        value = field.default
        if isinstance(value, list):
            value = ",".join(value)
        if isinstance(value, bool):
            value = str(value).lower()
        defaults[name.upper()] = (
            "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        )
    example = (ROOT / ".env.example").read_text()
    assert dict(re.findall(r"^#?([A-Z_]+)=(.*)$", example, re.MULTILINE)) == defaults
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? *\|", text("docs/configuration.md"), re.MULTILINE
    )
    assert dict(rows) == defaults


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_readme_is_short(page: str) -> None:
    assert len(text(page).splitlines()) <= README_MAX_LINES


@pytest.mark.parametrize("page", ["README.md", "docs/from-nestjs.md"])
def test_the_korean_page_has_the_same_commands_and_leads_to_the_same_pages(page: str) -> None:
    korean = page.replace(".md", ".ko.md")
    assert commands(korean) == commands(page)
    assert text(korean).count("\n#") == text(page).count("\n#")
    assert {link.replace(".ko.", ".") for link in links(korean)} == {
        link.replace(".ko.", ".") for link in links(page)
    }


def plain_code(code: str) -> str:
    """Return code without what a page leaves out: layout, and the marks of what is private."""
    code = re.sub(r"\s", "", code).replace(",)", ")")
    return re.sub(r"self\._|\b_(?=settings\b)", "", code)


@pytest.mark.parametrize("page", ["docs/from-nestjs.md", "docs/from-nestjs.ko.md"])
def test_the_code_beside_nestjs_is_ours(page: str) -> None:
    folders = ("trading_app", "chart_app", "streaming")
    files = [
        *ROOT.glob("*.py"),
        *(path for name in folders for path in (ROOT / name).rglob("*.py")),
    ]
    ours = plain_code("\n".join(path.read_text() for path in sorted(files)))
    cells = [line.split(" | ")[1] for line in text(page).splitlines() if line.startswith("| `")]
    shown = [span for cell in cells for _, span in SPAN.findall(cell)]
    parts = [part for span in shown if not looks_like_a_file(span) for part in span.split("…")]
    assert parts
    assert [part for part in parts if plain_code(part) not in ours] == []


def test_every_endpoint_and_stream_is_beside_binances() -> None:
    page = text("docs/api.md")
    compared = page[page.index("### Beside Binance's spot API") : page.index("### OpenBB")]
    paths = chart_app.rest.openapi.document("")["paths"]
    endpoints = {it.removeprefix("/api/v3/") for it in paths if it.startswith("/api/")}
    streams = {f"@{kind}" for kind in Kind} - {"@kline"} | {*OF_ALL_COINS, "@kline_<interval>"}
    assert {*endpoints, *streams} <= set(re.findall("`([^`]+)`", compared))


def test_every_decision_is_in_the_index() -> None:
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [link for link in links("docs/decisions/README.md") if link[0].isdigit()] == pages
    for number, name in enumerate(pages, 1):
        assert name.startswith(f"{number:04}-")
        headings = re.findall(r"^## (.+)$", text(f"docs/decisions/{name}"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Measured", "Consequences"]
