"""``make`` where the package indexes cannot be reached."""

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from dev import venv
from dev.local_kafka import free_port
from dev.npm import InstallFailed, install
from tests.programs import ROOT


def test_make_without_a_package_index_says_so_in_a_line(tmp_path: Path) -> None:
    needed = (
        "Makefile",
        "dev/packages.py",
        "requirements/uv.txt",
        "requirements/local.txt",
        "chart_app/web/page/package-lock.json",
    )
    for name in needed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    # As from a terminal, also where the tests were started by make.
    environment = {
        key: it for key, it in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))
    }
    index = f"http://127.0.0.1:{free_port()}/simple"
    done = subprocess.run(
        ["make", "run"],
        cwd=tmp_path,
        env={**environment, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode != 0
    line, make = done.stderr.splitlines()
    assert line == (
        "Packages could not be installed from the Python package index: is it reachable from here? "
        ".venv/install.log says more."
    )
    assert make.startswith("make: *** ")
    assert "Connection refused" in (tmp_path / ".venv/install.log").read_text()


def test_what_uv_does_not_find_is_left_to_pip_and_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "found-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("found.py", "")
        info = {
            "METADATA": "Metadata-Version: 2.1\nName: found\nVersion: 1.0\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }
        for name, text in info.items():
            file.writestr(f"found-1.0.dist-info/{name}", text)
    lock = tmp_path / "lock.txt"
    lock.write_text(f"found==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    venv.install(tmp_path / "venv", lock)
    subprocess.run([tmp_path / "venv/bin/python", "-c", "import found"], check=True)
    lock.write_text(f"found==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(subprocess.CalledProcessError):
        venv.install(tmp_path / "venv", lock)


def test_npm_without_a_registry_fails_with_what_npm_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "chart_app/web/page" / name, tmp_path)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(InstallFailed, match="ECONNREFUSED"):
        install(tmp_path)


def test_packages_for_other_platforms_are_not_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}/")
    ours = {"tool": {"version": "1.0.0"}, "tool-linux": {"version": "1.0.0", "optional": True}}
    other = {"tool-darwin": {"version": "1.0.0", "optional": True}}
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": ours | other}))
    (tmp_path / "node_modules/.package-lock.json").write_text(json.dumps({"packages": ours}))
    install(tmp_path)  # does not ask the registry
