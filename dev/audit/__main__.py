"""``python -m dev.audit``: all checks at once, and exit code 1 if one has found something.

What the registries of this machine do not tell is not done, and said so. With ``--online`` that
counts as found: for machines that reach the real registries.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from dev.audit import licences, sbom, secret_scan, tools, vulnerabilities
from dev.audit.locks import NPM_LOCKS
from dev.audit.outcome import Outcome, State, is_failed

#: requirements/dev.txt holds what run.txt and local.txt hold.
LOOKED_UP = (
    "requirements/dev.txt",
    "requirements/audit.txt",
    "requirements/uv.txt",
    "bench/requirements.txt",
)


def checks() -> list[Callable[[], Outcome]]:
    """Return all checks."""
    root = tools.ROOT
    return [
        *(partial(it.check, root) for it in (secret_scan, sbom, licences)),
        *(partial(vulnerabilities.of_python, root, lock) for lock in LOOKED_UP),
        *(partial(vulnerabilities.of_npm, root, folder) for folder in NPM_LOCKS.values()),
        *(partial(vulnerabilities.signatures, root, folder) for folder in NPM_LOCKS.values()),
    ]


def main() -> None:
    """Run the checks, a few at a time: most of them wait."""
    is_online = "--online" in sys.argv[1:]
    tools.install()
    with ThreadPoolExecutor(4) as pool:
        states = []
        for outcome in pool.map(lambda check: check(), checks()):
            print(outcome, flush=True)
            states.append(outcome.state)
    undone = states.count(State.NOT_DONE)
    if undone:
        print(f"{undone} of {len(states)} checks were not done: no answer from where they ask.")
    sys.exit(is_failed(states, is_online=is_online))


if __name__ == "__main__":
    main()
