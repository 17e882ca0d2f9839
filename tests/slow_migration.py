"""chart_app's worker, whose migration of the store takes until a file is there: MIGRATION_END.

``faust -A tests.slow_migration worker``
"""

import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from chart_app import main
from chart_app.storage import migrations

_PAUSE_S = 0.1
_END = Path(os.environ["MIGRATION_END"])


def _slow(migrate: Any) -> Any:
    def migrate_and_wait(connection: Connection) -> None:
        migrate(connection)
        while not _END.exists():
            connection.execute(text("SELECT 1"))  # or PostgreSQL would end an idle transaction
            time.sleep(_PAUSE_S)

    return migrate_and_wait


for _version, _migrate in migrations.MIGRATIONS.items():
    migrations.MIGRATIONS[_version] = _slow(_migrate)

app: Any = main.program().app
