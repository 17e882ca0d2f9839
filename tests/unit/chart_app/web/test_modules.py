"""Joined modules do what they do one by one."""

import subprocess
from pathlib import Path

import pytest

from chart_app.web import modules
from chart_app.web.routes import ENTRIES, FOLDER, PACKAGES
from dev import npm

SOURCES = {
    "app.js": """\
// Says what it has imported.
import { greet } from "./text/greeting.js";
import {
  LIMIT,
  twice as double,
} from "./numbers.js";
import { version } from "./charts.mjs";

const own = "const own is of this module";
/**
 * import { nothing } from "./nothing.js";
 */
export class Unused {}
console.log(greet("you"), double(LIMIT), version, own);
""",
    "text/greeting.js": """\
import { twice } from "../numbers.js";
const own = "!"; // the same name as another module's
export const greet = (name) => `hello ${name}${twice(own)}`;
""",
    "numbers.js": """\
export const LIMIT = 21;
export function twice(it) {
  return it + it;
}
export async function later() {}
""",
}


def test_joined_modules_do_what_they_do_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "charts.mjs").write_text('export const version = "5";\n')
    joined = tmp_path / "joined.mjs"
    joined.write_text(modules.join("app.js", SOURCES))
    for name, text in SOURCES.items():
        module = tmp_path / name
        module.parent.mkdir(exist_ok=True)
        module.write_text(text)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    said = {
        subprocess.run(
            [npm.node_binary(), tmp_path / it], capture_output=True, text=True, check=True
        ).stdout
        for it in ("app.js", "joined.mjs")
    }
    assert said == {"hello you!! 42 5 const own is of this module\n"}


def test_joined_modules_have_no_comments_but_where_each_begins() -> None:
    lines = modules.join("app.js", SOURCES).splitlines()
    names = [line for line in lines if line.startswith(("//", "/*", " *"))]
    assert names == ["// numbers.js", "// text/greeting.js", "// app.js"]


@pytest.mark.parametrize(
    "line",
    [
        'import charts from "./charts.mjs";',
        'import "./charts.mjs";',
        'import { a } from "https://example.com/a.js";',
        "export default 1;",
        "export { own };",
        "export let own = 1;",
    ],
)
def test_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"app\.js: this is not joined: "):
        modules.join("app.js", {"app.js": f"{line}\n"})


def test_modules_that_need_each_other_are_refused() -> None:
    sources = {
        "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
        "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
    }
    with pytest.raises(ValueError, match=r"a\.js imports b\.js imports a\.js"):
        modules.join("a.js", sources)


def test_a_module_that_many_need_is_there_once() -> None:
    depth = 60
    sources = {
        f"{it}.js": f'import {{ a }} from "./{it + 1}.js";\nimport {{ b }} from "./{it + 1}.js";\n'
        "export const a = 1;\nexport const b = 2;\n"
        for it in range(depth)
    } | {f"{depth}.js": "export const a = 1;\nexport const b = 2;\n"}
    assert modules.join("0.js", sources).count(f"// {depth}.js") == 1


@pytest.mark.parametrize("entry", sorted(ENTRIES))
def test_the_modules_of_the_page_are_joined(entry: str) -> None:
    sources = {
        path.relative_to(FOLDER).as_posix(): path.read_text()
        for path in FOLDER.rglob("*.js")
        if PACKAGES not in path.parents
    }
    joined = modules.join(entry, sources)
    checked = subprocess.run(
        [npm.node_binary(), "--input-type=module", "--check", "-"],
        input=joined,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
