"""A Chromium to test with: the one that ``CHROMIUM`` names, the machine's own, or npm's.

Playwright's own cannot be relied on: it does not come from a package index. On Linux the
package @sparticuz/chromium has one, with the libraries and fonts that a bare machine lacks.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from playwright.async_api import Browser, Playwright

from dev import npm

FOLDER = Path(__file__).parent
FONTS = FOLDER.parent / "fonts"
#: In node_modules, so that another version of the package does not find it.
UNPACKED = FOLDER / "node_modules/.chromium"
UNPACK_TIMEOUT_S = 120
ARGUMENTS = (
    "--no-sandbox",  # there is none for root, nor in most containers
    "--disable-background-networking",
    "--disable-gpu",
)
#: Fewer processes and threads: the same pages take an eighth less CPU. Not to measure with.
#: --in-process-gpu is not among them: with it one start of four crashed.
FEW_THREADS = (
    "--num-raster-threads=1",
    "--js-flags=--single-threaded",
    "--enable-features=NetworkServiceInProcess2",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FONTS_CONF = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>{folder}/fonts</dir>
  <dir>{fonts}</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""


class Chromium(NamedTuple):
    """How to start one; without a path, Playwright's own."""

    path: str | None
    environment: Mapping[str, str] = MappingProxyType({})


class NoChromium(Exception):
    """There is no Chromium for this machine; name one in CHROMIUM."""


def find() -> Chromium:
    """Return one; the last resort is what ``package-lock.json`` locks. Raises :exc:`NoChromium`."""
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if named:
        return Chromium(named, {"FONTCONFIG_FILE": str(FONTS / "fonts.conf")})
    if sys.platform != "linux":
        return Chromium(None)
    if platform.machine() != "x86_64":
        raise NoChromium(NoChromium.__doc__)
    return _packaged()


async def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start one, with arguments besides those that all get. Raises :exc:`NoChromium`."""
    found = find()
    return await playwright.chromium.launch(
        executable_path=found.path,
        args=[*ARGUMENTS, *arguments],
        env={**os.environ, **found.environment},
    )


def _packaged() -> Chromium:
    with (FOLDER / "package-lock.json").open() as one_process:
        fcntl.flock(one_process, fcntl.LOCK_EX)
        if not UNPACKED.exists():
            _unpack()
        written = UNPACKED / "fonts.conf.new"  # another process's Chromium may be reading it
        written.write_text(FONTS_CONF.format(folder=UNPACKED, fonts=FONTS / "node_modules"))
        written.rename(UNPACKED / "fonts.conf")
    environment = {
        "FONTCONFIG_FILE": str(UNPACKED / "fonts.conf"),
        "LD_LIBRARY_PATH": str(UNPACKED / "al2023/lib"),
    }
    return Chromium(str(UNPACKED / "chromium"), environment)


def _unpack() -> None:
    folder = UNPACKED.with_suffix(f".{os.getpid()}")  # so that no half-unpacked one is found
    folder.mkdir()
    subprocess.run(
        [npm.node_binary(), FOLDER / "unpack.js"],
        # VERCEL: or it takes the libraries along for AWS Lambda only.
        env={**os.environ, "TMPDIR": str(folder), "VERCEL": "1"},
        timeout=UNPACK_TIMEOUT_S,
        check=True,
    )
    folder.rename(UNPACKED)
