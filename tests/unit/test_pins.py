"""What is fetched by a name is fetched by an exact version of it."""

import re

from tests.programs import ROOT

#: Two numbers for PostgreSQL, whose versions have no third.
EXACT = re.compile(
    r"(?:postgres:\d+\.\d+|(?!postgres:)[\w./-]+:v?\d+\.\d+\.\d+)(?:-[\w.-]+)?(?:@sha256:[0-9a-f]{64})?"
)


def test_images_are_of_exact_versions() -> None:
    compose = (ROOT / "docker-compose.yaml").read_text()
    dockerfile = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    images = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) - stages
    images |= set(re.findall(r"^ *image: (\S+)$", compose, re.MULTILINE))
    assert len(images) == 4
    assert [it for it in images if not EXACT.fullmatch(it)] == []


def test_a_tag_that_moves_is_seen() -> None:
    for moving in ("postgres:17", "python:3.12-slim", "apache/kafka:latest", "apache/kafka"):
        assert not EXACT.fullmatch(moving)


def test_actions_are_pinned_by_commit() -> None:
    workflows = list((ROOT / ".github/workflows").glob("*.yml"))
    used = [
        action
        for path in workflows
        for action in re.findall(r"uses: (.+)$", path.read_text(), re.MULTILINE)
    ]
    assert used
    assert [it for it in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", it)] == []
