"""The environment of programs that are started with settings of their own."""

import os
from pathlib import Path

from settings import Settings

ROOT = Path(__file__).parent.parent


def clean_environment() -> dict[str, str]:
    """Return our environment without any setting of the programs, which are found from anywhere."""
    names = {name.upper() for name in Settings.model_fields}
    ours = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return {**ours, "PYTHONPATH": str(ROOT)}
