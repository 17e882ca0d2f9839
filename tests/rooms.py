"""The rooms of both programs, and which of them import which, read from the imports.

``python -m tests.rooms`` puts the drawing into docs/architecture.md.
"""

import re
from collections.abc import Iterator

import grimp

from tests.programs import ROOT

PROGRAMS = ("trading_app", "chart_app")
PAGE = ROOT / "docs/architecture.md"
DRAWING = re.compile(r"(?<=<!-- rooms:begin -->\n).*?(?=<!-- rooms:end -->)", re.DOTALL)


def room_of(module: str) -> str:
    """Return the room of a module: the first package, or module, in its program."""
    return ".".join(module.split(".")[:2])


def arrows() -> set[tuple[str, str]]:
    """Return (room that imports, room that is imported), without main, which imports all."""
    graph = grimp.build_graph(*PROGRAMS, cache_dir=None)
    pairs = {
        (room_of(module), room_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    left_out = {*PROGRAMS, *(f"{program}.main" for program in PROGRAMS)}
    return {pair for pair in pairs if pair[0] != pair[1] and not left_out & {*pair}}


def drawing() -> Iterator[str]:
    """Yield the lines of the drawing."""
    yield "```mermaid"
    yield "flowchart TD"
    found = sorted(arrows())
    for program in PROGRAMS:
        yield f"    subgraph {program}"
        for one, other in found:
            if one.startswith(program):
                yield f"        {_node(one)} --> {_node(other)}"
        yield "    end"
    yield "```"


def _node(room: str) -> str:
    name = room.partition(".")[2]
    return f"{room.replace('.', '_')}[{name}]"


def page() -> str:
    """Return the page as it is to be."""
    return DRAWING.sub("\n".join([*drawing(), ""]), PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(page())
