"""What DATABASE_URL may be, and that nobody sees its password."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from chart_app.storage.database import Database, database_url
from settings import Settings

PASSWORD = "p@s:s/w#r?d%+ &=[x]"
QUOTED = "p%40s%3As%2Fw%23r%3Fd%25%2B%20%26%3D%5Bx%5D"


def settings_of(url: str) -> Settings:
    return Settings(database_url=SecretStr(url), _env_file=None)  # type: ignore[call-arg]


def test_without_a_url_it_is_a_file_under_the_data_folder() -> None:
    url = database_url(Settings(data_dir=Path("/a/b"), _env_file=None))  # type: ignore[call-arg]
    assert (url.get_backend_name(), url.database) == ("sqlite", "/a/b/chart.sqlite")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (QUOTED, PASSWORD),
        ("pa:ss", "pa:ss"),
        ("p/w#1?", "p/w#1?"),
        ("p+w", "p+w"),
        ("100%", "100%"),
    ],
)
def test_a_password_may_have_any_character(written: str, read: str) -> None:
    url = database_url(settings_of(f"postgresql://user:{written}@host:1/name"))
    assert (url.username, url.password, url.host, url.port) == ("user", read, "host", 1)
    assert read not in f"{url} {url!r}"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("user:hush@ush@host/name", "has more than one @"),
        ("user:hush@host:port/name", "cannot be read"),
        ("user:hush@host:54:32/name", "cannot be read"),
        ("user:hush@a:1,b:2/name", "cannot be read"),
        ("user:hush@host/name?sslmode=verify-full&sslmode=disable", "has sslmode more than once"),
        ("user:hush@host/name?sslrootcert=/nowhere", "no file /nowhere, which is its sslrootcert"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(rest: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        database_url(settings_of(f"postgresql://{rest}"))
    assert "ush" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_engines_do_not_show_the_password() -> None:
    database = Database(database_url(settings_of("postgresql://user:hush@host/name")))
    assert "hush" not in f"{database.engine!r} {database.reader!r} {database.engine.url}"
