"""An nginx to test with: the one that ``NGINX`` names, the machine's own, or Debian's package.

The package is unpacked, not installed: that takes no root, and starts no service.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from dev.local_kafka import is_listening
from tests.waiting import wait_for

STOP_TIMEOUT_S = 20
MAIN = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


class NoNginx(Exception):
    """There is no nginx, nor an apt that knows one; name one in NGINX."""


def find(folder: Path) -> str:
    """Return the path of one, unpacked into a folder if need be. Raises :exc:`NoNginx`."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    if named := os.environ.get("NGINX") or shutil.which("nginx", path=path):
        return named
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise NoNginx(NoNginx.__doc__)
    fetched = subprocess.run(
        ["apt-get", "download", "nginx"], cwd=folder, capture_output=True, text=True, check=False
    )
    packages = list(folder.glob("nginx_*.deb"))
    if not packages:
        raise NoNginx(f"{NoNginx.__doc__}\n{fetched.stderr}")
    subprocess.run(["dpkg-deb", "--extract", packages[0], folder], check=True)
    return str(folder / "usr/sbin/nginx")


class Nginx:
    """An nginx with a configuration of its ``http`` block, ended with the ``with`` block."""

    def __init__(self, binary: str, folder: Path, server: str, port: int) -> None:
        self._binary = binary
        self._folder = folder
        self._port = port
        self.log_file = folder / "nginx.log"
        self._config = folder / "nginx.conf"
        # Or the workers of one that root has started could not enter root's folders.
        user = "" if os.geteuid() else "user root;"
        self._config.write_text(MAIN.format(folder=folder, server=server, user=user))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._binary, "-p", self._folder, "-c", self._config, "-e", self.log_file],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._listens, f"nginx listens on {self._port}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(STOP_TIMEOUT_S)

    def _listens(self) -> bool:
        log = self.log_file.read_text() if self.log_file.exists() else ""
        assert self._process.poll() is None, log
        return is_listening(self._port)
