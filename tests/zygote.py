"""A process that has loaded the libraries of the programs, and forks to become them.

``python -m tests.zygote`` reads requests from standard input, a JSON object a line, and answers
each with one: ``{"args", "cwd", "env", "files", "open_files"}`` with ``{"pid"}`` of
``python -m ARGS…`` that now runs there, with its standard input, output and errors in files of
these names, and as many files as it may have open, or None for as many as we; ``{"pid"}`` with
``{"status"}``, its exit code as :mod:`subprocess` has it, or None.
It ends with its input. To load the libraries takes four fifths of the time of a start.
"""

import atexit
import gc
import inspect
import json
import os
import resource
import runpy
import signal
import sys
import threading
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from mode.utils import imports

from chart_app.web import routes

#: What the programs import that is not ours. None of it does anything before it is used.
LIBRARIES = (
    "aiohttp.web",
    "aiokafka.admin",
    "aiosqlite",
    "asyncpg",
    "faust.assignor.partition_assignor",
    "faust.cli.faust",
    "faust.cli.worker",
    "faust.tables.sets",
    "faust.transport.drivers.aiokafka",
    "faust.web.drivers.aiohttp",
    "msgspec",
    "prometheus_client",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "sqlalchemy.ext.asyncio",
    "swagger_ui",
    "tqdm",
    "uvloop",
)
#: Ours: to import them builds nothing and reads no setting.
OURS = ("chart_app.main", "trading_app.main")

_WRITE = os.O_WRONLY | os.O_APPEND | os.O_CREAT
#: Of standard input, output and errors.
FILE_FLAGS = (os.O_RDONLY, _WRITE, _WRITE)


def load() -> None:
    """Load what the programs import, for good."""
    for name in (*LIBRARIES, *OURS):
        import_module(name)
    inspect.getmodule(load.__code__)  # Faust asks for one: the first answer takes 0.08 s
    # Faust also asks what is installed, and each answer takes 0.03 s.
    packages = vars(imports)["entry_points"] = cache(entry_points)
    packages()
    routes.own_files()  # of the page: 0.04 s
    gc.freeze()  # or a fork goes through all of it when it ends, which takes 0.35 s


def serve() -> dict[str, Any]:
    """Answer requests until the input ends; return, in a fork, what that is to become."""
    for line in sys.stdin:
        request = json.loads(line)
        if "pid" in request:
            answer = {"status": _status(request["pid"])}
        else:
            sys.stdout.flush()
            pid = os.fork()
            if not pid:
                return dict(request)
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    os._exit(0)  # at once: to end in order takes a second, with all that is loaded


def _status(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def become(request: dict[str, Any]) -> None:
    """Run a package as a fresh interpreter would."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if open_files := request["open_files"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for number, (name, flags) in enumerate(zip(request["files"], FILE_FLAGS, strict=True)):
        file = os.open(name, flags)
        os.dup2(file, number)
        os.close(file)
    paths = request["env"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [request["cwd"], *filter(None, paths)]
    package, *arguments = request["args"]
    sys.argv[:] = [package, *arguments]  # the list that Faust has taken for its default
    try:
        # Not of the package: Faust's has replaced itself in sys.modules, and has no spec there.
        runpy.run_module(f"{package}.__main__", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int):
            _exit(end.code)
        raise


def _exit(status: int) -> None:
    """End as an interpreter does, but leave to the system what is in memory: that takes 0.15 s."""
    threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing does
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    load()
    become(serve())
