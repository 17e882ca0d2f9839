import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import settings
from dev.run import local_environment
from settings import Settings, kafka_security_settings
from tests.programs import ROOT


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    settings.load.cache_clear()


def failure(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """Return what a start with these environment variables ends with."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        settings.load()
    return str(caught.value)


def test_the_defaults_are_the_older_systems() -> None:
    loaded = settings.load()
    assert loaded.client_id == "tradeData"
    assert loaded.group_id == "chartMonitoringGroup"
    assert loaded.kafka_client_bootstrap_server == ["localhost:9094"]
    assert loaded.trade_topics == ["tradeData"]
    assert (loaded.trading_port, loaded.chart_port) == (3000, 3001)
    assert loaded.http_host == "127.0.0.1"


def test_the_environment_outranks_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GROUP_ID=filed\nCLIENT_ID=filed\nUNKNOWN=1\n")
    monkeypatch.setenv("GROUP_ID", "set")
    loaded = settings.load()
    assert (loaded.group_id, loaded.client_id) == ("set", "filed")


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SSL_CAFILE", "")
    monkeypatch.setenv("TRADING_PORT", "")
    loaded = settings.load()
    assert loaded.kafka_ssl_cafile is None
    assert loaded.trading_port == 3000


def test_an_empty_value_in_the_environment_outranks_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("GROUP_ID=filed\n")
    monkeypatch.setenv("GROUP_ID", "")
    assert settings.load().group_id == "chartMonitoringGroup"


def test_the_programs_follow_the_port_of_the_local_kafka(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("KAFKA_PORT=9194\nKAFKA_CLIENT_BOOTSTRAP_SERVER=\n")
    assert Settings().kafka_client_bootstrap_server == ["localhost:9194"]
    monkeypatch.setenv("KAFKA_CLIENT_BOOTSTRAP_SERVER", "another:1")
    assert Settings().kafka_client_bootstrap_server == ["another:1"]


def test_compose_has_the_ports_defaults_of_the_settings() -> None:
    compose = (ROOT / "docker-compose.yaml").read_text()
    ports = dict(re.findall(r"\$\{([A-Z]+_PORT):-(\d+)\}", compose))
    defaults = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    assert {"KAFKA_PORT", "TRADING_PORT", "CHART_PORT"} <= ports.keys()
    assert ports.items() <= defaults.items()
    assert (
        "KAFKA_ADVERTISED_LISTENERS: INSIDE://kafka:9092,HOST://localhost:${KAFKA_PORT" in compose
    )


def test_compose_lets_nobody_in_from_elsewhere_without_keys() -> None:
    compose = (ROOT / "docker-compose.yaml").read_text()
    assert 'HTTP_ALLOW_ANONYMOUS: "true"' in compose
    ports = re.findall(r"^    ports: \[\"(.*?)\"\]", compose, re.MULTILINE)
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_CLIENT_BOOTSTRAP_SERVER", "a:1, b.example:2,[::1]:3")
    monkeypatch.setenv("TRADE_TOPICS", "tradeData,more")
    loaded = settings.load()
    assert loaded.kafka_client_bootstrap_server == ["a:1", "b.example:2", "[::1]:3"]
    assert loaded.trade_topics == ["tradeData", "more"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_DELIVERY_TIMEOUT", "soon"),
        ("KAFKA_DELIVERY_TIMEOUT", "nan"),
        ("KAFKA_STARTUP_TIMEOUT", "-1"),
        ("TRADING_PORT", "99999"),
        ("KAFKA_PORT", "abc"),
        ("KAFKA_CLIENT_BOOTSTRAP_SERVER", "a:1,"),
        ("KAFKA_CLIENT_BOOTSTRAP_SERVER", "localhost"),
        ("KAFKA_CLIENT_BOOTSTRAP_SERVER", "http://a:1"),
        ("KAFKA_CLIENT_BOOTSTRAP_SERVER", "a:1,b:99999"),
        ("KAFKA_SSL_CAFILE", "/nowhere/ca.pem"),
        ("TRADE_TOPICS", "a topic"),
        ("TRADE_TOPICS", ".."),
        ("LOG_FORMAT", "xml"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("QUOTE_ASSETS", "usd"),
        ("STORE_TRADES", "perhaps"),
        ("HTTP_ALLOWED_HOSTS", "trades.example:3000"),
        ("HTTP_ALLOWED_HOSTS", "localhost,http://trades.example"),
        ("READ_ORIGINS", "page.example"),
        ("READ_ORIGINS", "https://page.example/"),
        ("READ_ORIGINS", "null"),
    ],
)
def test_a_bad_value_ends_the_start_with_a_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    line = failure(monkeypatch, **{name: value})
    assert line.startswith(f"bad setting: {name}=")
    assert "\n" not in line


@pytest.mark.parametrize("value", ["mysql://u:hush@host/db", "postgres://u:hush@host/db", "hush"])
def test_a_bad_secret_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    line = failure(monkeypatch, DATABASE_URL=value, TRADING_PORT="no-port")
    first, second = line.split("\n")
    assert first == "bad setting: DATABASE_URL: must begin with sqlite:/// or postgresql://"
    assert second.startswith("bad setting: TRADING_PORT='no-port': ")


def test_no_secret_is_in_the_settings_text_nor_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hush@host/db")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hush")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "KAFKA_SASL_USERNAME" in str(caught.value)
    assert "hush" not in str(caught.value)
    monkeypatch.setenv("KAFKA_SASL_USERNAME", "me")
    loaded = Settings()
    assert "hush" not in f"{loaded} {loaded!r} {loaded.model_dump()} {loaded.model_dump_json()}"
    assert loaded.kafka_sasl_password is not None
    assert loaded.kafka_sasl_password.get_secret_value() == "hush"


def test_sasl_needs_a_user_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    line = failure(monkeypatch, KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SASL_USERNAME="me")
    assert "KAFKA_SASL_PASSWORD" in line


def test_a_key_needs_its_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch()
    assert "KAFKA_SSL_CERTFILE" in failure(monkeypatch, KAFKA_SSL_KEYFILE=str(key))


@pytest.mark.parametrize(
    ("protocol", "unused"),
    [
        ("PLAINTEXT", "KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE"),
        ("PLAINTEXT", "KAFKA_SASL_USERNAME"),
        ("PLAINTEXT", "KAFKA_SASL_PASSWORD"),
        ("PLAINTEXT", "KAFKA_SASL_MECHANISM"),
        ("PLAINTEXT", "KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, KAFKA_SSL_CAFILE"),
        ("SSL", "KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD"),
        ("SASL_PLAINTEXT", "KAFKA_SSL_CAFILE"),
    ],
)
def test_security_that_would_not_be_used_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, protocol: str, unused: str
) -> None:
    (tmp_path / "file.pem").touch()
    values = {
        "KAFKA_SSL_CAFILE": "file.pem",
        "KAFKA_SSL_CERTFILE": "file.pem",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "me",
        "KAFKA_SASL_PASSWORD": "hush",
    }
    wanted = unused.split(", ")
    if protocol == "SASL_PLAINTEXT":
        wanted += ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]
    line = failure(
        monkeypatch,
        KAFKA_SECURITY_PROTOCOL=protocol,
        **{name: values[name] for name in wanted},
    )
    assert line == (
        f"bad setting: {unused} would not be used with KAFKA_SECURITY_PROTOCOL={protocol}"
    )


def test_the_example_as_it_is_has_no_unused_security(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert settings.load() == Settings(_env_file=None)  # type: ignore[call-arg]


def test_what_runs_on_this_machine_uses_no_security_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / ".env").write_text(
        "KAFKA_SECURITY_PROTOCOL=SASL_SSL\nKAFKA_SASL_USERNAME=me\nKAFKA_SASL_PASSWORD=hush\n"
        "KAFKA_SASL_MECHANISM=SCRAM-SHA-256\nKAFKA_SSL_CAFILE=ca.pem\n"
    )
    for name, value in local_environment(Settings()).items():
        monkeypatch.setenv(name, value)
    loaded = settings.load()
    assert loaded.kafka_security_protocol == "PLAINTEXT"
    assert loaded.kafka_sasl_password is None
    assert loaded.kafka_ssl_cafile is None


def test_containers_use_no_security_of_the_file() -> None:
    compose = (ROOT / "docker-compose.yaml").read_text()
    for name in kafka_security_settings("SASL", "SSL"):
        assert f'\n  {name.upper()}: ""' in compose


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KAFKA_PROT", "KAFKA_PORT"),
        ("KAFKAPORT", "KAFKA_PORT"),
        ("kafka-port", "KAFKA_PORT"),
        ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_CLIENT_BOOTSTRAP_SERVER"),
        ("TRADE_TOPIC", "TRADE_TOPICS"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("DATABASE_URI", "DATABASE_URL"),
    ],
)
def test_a_name_that_is_nearly_a_settings_is_told_with_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    meant: str,
) -> None:
    (tmp_path / ".env").write_text(f"{name}=1\n")
    line = f"{name} is not a setting and is ignored; did you mean {meant}?"
    settings.warn_of_misspelt()
    assert line in caplog.messages
    (tmp_path / ".env").unlink()
    caplog.clear()
    settings.warn_of_misspelt()
    assert line not in caplog.messages
    monkeypatch.setenv(name, "1")
    settings.warn_of_misspelt()
    assert line in caplog.messages


@pytest.mark.parametrize(
    "name",
    [
        *(
            "POSTGRES_PASSWORD",
            "SPRING_SECURITY_USER_PASSWORD",
            "COMPOSE_PROJECT_NAME",
            "KAFKA_HOST",
        ),
        *("KAFKA_PORT", "kafka_port", "PATH", "LOGNAME", "HOSTNAME", "KAFKA_PORT_9092_TCP", "_"),
        "K" * 100_000,
    ],
)
def test_a_name_that_is_another_is_not_told(name: str) -> None:
    assert list(settings.find_misspelt([name])) == []


def test_the_example_misspells_nothing() -> None:
    names = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert list(settings.find_misspelt(names)) == []


def test_tls_needs_a_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.touch()
    for name in ("HTTP_TLS_KEYFILE", "HTTP_TLS_CLIENT_CAFILE"):
        line = failure(monkeypatch, **{name: str(file)})
        assert line == f"bad setting: HTTP_TLS_CERTFILE is needed with {name}"
        monkeypatch.delenv(name)


def test_reading_that_is_not_public_needs_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "API_KEYS_FILE is needed" in failure(monkeypatch, PUBLIC_READ="false")


def test_where_reading_is_not_public_pages_of_others_do_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_KEYS_FILE", "api.keys")
    assert Settings().read_origins == ["*"]
    monkeypatch.setenv("PUBLIC_READ", "false")
    assert Settings().read_origins == []
    monkeypatch.setenv("READ_ORIGINS", "https://page.example,*")
    assert Settings().read_origins == ["https://page.example"]
