import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from streaming.http.files import MAX_BYTES, InvalidFile, WatchedFiles


class Loaded(list[bytes]):
    """What was loaded; ``bad`` is refused."""

    def load(self, contents: Sequence[bytes]) -> None:
        """Keep the contents."""
        if contents[0] == b"bad":
            raise ValueError("line 1: bad")
        self[:] = contents


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file."""
    file = tmp_path / "keys"
    file.write_bytes(b"one")
    return file


def watch(loaded: Loaded, *paths: Path) -> WatchedFiles:
    """Return them, loaded."""
    files = WatchedFiles("A_FILE", paths, loaded.load)
    files.load_first()
    return files


async def test_a_change_is_loaded_however_it_is_made(path: Path, tmp_path: Path) -> None:
    loaded = Loaded()
    files = watch(loaded, path)
    assert loaded == [b"one"]
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # of the same size and age
    await files.check()
    assert loaded == [b"two"]
    other = tmp_path / "other"
    other.write_bytes(b"three")
    other.rename(path)
    await files.check()
    assert loaded == [b"three"]


async def test_a_symbolic_link_may_lead_elsewhere(tmp_path: Path) -> None:
    """As Kubernetes has it: ``keys`` leads to ``..data/keys``, and ``..data`` to a folder."""
    loaded = Loaded()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keys").write_text(name)
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "keys").symlink_to("..data/keys")
    files = watch(loaded, tmp_path / "keys")
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").rename(tmp_path / "..data")
    await files.check()
    assert loaded == [b"two"]


async def test_what_cannot_be_loaded_is_told_once_and_changes_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = Loaded()
    files = watch(loaded, path)
    caplog.set_level(logging.INFO)
    path.write_bytes(b"bad")
    for _ in range(3):
        await files.check()
    path.unlink()
    for _ in range(3):
        await files.check()
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    await files.check()
    assert loaded == [b"one"]
    path.write_bytes(b"two")
    for _ in range(3):
        await files.check()
    assert loaded == [b"two"]
    stays = "; what was loaded before stays in use"
    assert caplog.messages == [
        f"A_FILE: line 1: bad{stays}",
        f"A_FILE: {path} cannot be read: No such file or directory{stays}",
        f"A_FILE: {path} is larger than {MAX_BYTES} bytes{stays}",
        "A_FILE: loaded again",
    ]


async def test_one_of_several_is_enough(path: Path, tmp_path: Path) -> None:
    loaded = Loaded()
    other = tmp_path / "other"
    other.write_bytes(b"1")
    files = watch(loaded, path, other)
    other.write_bytes(b"2")
    await files.check()
    assert loaded == [b"one", b"2"]


def test_a_start_without_the_file_fails(path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"A_FILE: .*/keys/none cannot be read: Not a directory"):
        watch(Loaded(), path / "none")
    path.write_bytes(b"bad")
    with pytest.raises(InvalidFile, match="A_FILE: line 1: bad"):
        watch(Loaded(), path)
