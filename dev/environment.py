"""The environment of programs that are started with their own settings."""

import os
from pathlib import Path

from settings import Settings

ROOT = Path(__file__).parent.parent


def clean_environment() -> dict[str, str]:
    """Return this process's environment without our settings, with the project importable."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return {**kept, "PYTHONPATH": str(ROOT)}
