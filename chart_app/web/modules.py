"""Joins the page's ES modules into one: over a slow line each of a hundred takes its time.

It is for modules of the page's form, which its tests keep: ``import { … } from "…";`` and
``export`` before a declaration, each at the start of a line, and no two that need each other.
"""

import posixpath
import re
from collections.abc import Mapping

#: Those that have their lines for themselves.
COMMENTS = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]*)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:class|const|function) (\w+))", re.MULTILINE)
OTHER_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def without_comments(module: str) -> str:
    """Leave out the lines that are comments: a third of all."""
    return COMMENTS.sub("", module)


def join(entry: str, sources: Mapping[str, str]) -> str:
    """Return a module that does what the module ``entry`` does with all that it imports.

    ``sources`` has the text of each module by its path. What is imported but not there is imported
    still, by its path from the folder of the paths. Raises ValueError for modules of another form.
    """
    order: list[str] = []
    _append(entry, sources, order, ())
    names = {path: f"${number}" for number, path in enumerate(order)}
    parts = []
    for path, name in names.items():
        if path in sources:
            parts.append(_as_function(path, name, sources[path], names))
        else:
            parts.append(f'import * as {name} from "./{path}";\n')
    return "".join(parts)


def _append(
    path: str, sources: Mapping[str, str], order: list[str], importers: tuple[str, ...]
) -> None:
    """Append a module, and before it those that it needs."""
    if path in importers:
        raise ValueError(" imports ".join([*importers, path]))
    if path in order:
        return
    for _, name in IMPORT.findall(sources.get(path, "")):
        _append(_resolved(path, name), sources, order, (*importers, path))
    order.append(path)


def _resolved(importer: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))


def _as_function(path: str, name: str, source: str, names: Mapping[str, str]) -> str:
    """Return a module as the call of a function that returns its exports."""

    def from_joined(found: re.Match[str]) -> str:
        imported = found[1].replace(" as ", ": ")
        return f"const {{{imported}}} = {names[_resolved(path, found[2])]};"

    body = EXPORT.sub("", IMPORT.sub(from_joined, without_comments(source)))
    if other := OTHER_FORM.search(body):
        raise ValueError(f"{path}: this is not joined: {other[0]}")
    exports = ", ".join(EXPORT.findall(source))
    return f"// {path}\nconst {name} = (() => {{\n{body}return {{ {exports} }};\n}})();\n"
