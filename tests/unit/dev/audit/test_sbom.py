from typing import Any

from dev.audit.sbom import merged

PROGRAMS: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"bom-ref": "root", "name": "trade-streaming"}},
    "components": [{"bom-ref": "six", "name": "six"}],
    "dependencies": [{"ref": "root", "dependsOn": ["six"]}, {"ref": "six"}],
}
PAGE: dict[str, Any] = {
    "metadata": {"component": {"bom-ref": "page", "name": "page"}},
    "components": [{"bom-ref": "chart", "name": "chart"}],
    "dependencies": [{"ref": "page", "dependsOn": ["chart"]}, {"ref": "chart", "dependsOn": []}],
}


def test_the_page_and_what_it_loads_are_parts_of_the_programs() -> None:
    bill = merged(PROGRAMS, PAGE)
    assert [it["name"] for it in bill["components"]] == ["six", "page", "chart"]
    assert bill["dependencies"] == [
        {"ref": "root", "dependsOn": ["six", "page"]},
        {"ref": "six"},
        {"ref": "page", "dependsOn": ["chart"]},
        {"ref": "chart", "dependsOn": []},
    ]
    assert bill["metadata"] == PROGRAMS["metadata"]
