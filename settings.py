"""Every setting, read once from the environment and from ``.env``.

``docs/configuration.md`` and ``.env.example`` list them; a test keeps all three consistent.
"""

import difflib
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, get_args

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

logger = logging.getLogger(__name__)

ENV_FILE = ".env"
#: At this similarity (0 to 1) a name counts as a misspelt setting: LOGS_LEVEL and LOG_LEVEL have
#: 0.95, KAFKA_BOOTSTRAP_SERVERS and our name for it 0.85, KAFKA_HOST and KAFKA_PORT 0.80.
SIMILARITY_MIN = 0.84
#: Longer names are not misspelt settings, and comparing them takes time.
NAME_MAX_CHARS = 64


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _reject_dots(topic: str) -> str:
    if topic in {".", ".."}:
        raise ValueError(f"{topic} is not a valid topic name")
    return topic


def _check_port(server: str) -> str:
    if not 0 < int(server.rpartition(":")[2]) <= PORT_MAX:
        raise ValueError(f"{server} has no port from 1 to {PORT_MAX}")
    return server


PORT_MAX = 65535
Port = Annotated[int, Field(ge=1, le=PORT_MAX)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Topic = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._-]{1,237}$"),  # Kafka's 249 minus the length of ".dead-letter"
    AfterValidator(_reject_dots),
]
Server = Annotated[
    str,
    Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):[0-9]{1,5}$"),
    AfterValidator(_check_port),
]


def _check_database_url(url: SecretStr) -> SecretStr:
    if url and not url.get_secret_value().startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return url


#: The name in a Host header. An IP address is valid, but is always allowed anyway.
HostName = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]{1,253})$")]
Origin = Annotated[
    str,
    Field(pattern=r"^(\*|https?://(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]{1,253})(:[0-9]{1,5})?)$"),
]
Asset = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$")]
Glob = Annotated[str, Field(min_length=1, max_length=64)]


class Settings(BaseSettings):
    """The settings of both programs. The environment variable is the field name in capitals."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True
    )

    client_id: str = "tradeData"
    group_id: str = "chartMonitoringGroup"

    #: The port of the Kafka that `make run` and the compose file start on this machine.
    kafka_port: Port = 9094
    #: If empty, localhost and that port.
    kafka_client_bootstrap_server: Annotated[list[Server], NoDecode, BeforeValidator(_split)] = []
    kafka_startup_timeout: Seconds = 60
    kafka_delivery_timeout: Seconds = 5
    kafka_session_timeout: Annotated[float, Field(ge=6, le=300)] = 10
    kafka_replication_factor: Annotated[int, Field(ge=1, le=32767)] = 1

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ssl_cafile: FilePath | None = None
    kafka_ssl_certfile: FilePath | None = None
    kafka_ssl_keyfile: FilePath | None = None
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None

    trade_topics: Annotated[list[Topic], NoDecode, BeforeValidator(_split), Field(min_length=1)] = [
        "tradeData"
    ]
    trade_partitions: PositiveInt = 4
    trade_retention_bytes: Annotated[int, Field(ge=-1)] = 1024**3
    trade_max_future: Seconds = 10
    trade_max_age: Seconds | None = None
    coins: Annotated[
        list[Glob], NoDecode, BeforeValidator(_split), Field(min_length=1, max_length=100)
    ] = ["*"]
    max_coins: PositiveInt = 10_000

    data_dir: Path = Path("data")
    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] = SecretStr("")
    store_trades: bool = True
    quote_assets: Annotated[list[Asset], NoDecode, BeforeValidator(_split)] = [
        *("USD", "EUR", "GBP", "JPY", "KRW", "USDT", "USDC", "BUSD", "BTC", "ETH", "BNB")
    ]
    default_quote_asset: Asset = "USD"

    http_host: str = "127.0.0.1"
    trading_port: Port = 3000
    chart_port: Port = 3001
    http_allowed_hosts: Annotated[list[HostName], NoDecode, BeforeValidator(_split)] = []
    read_origins: Annotated[
        list[Origin], NoDecode, BeforeValidator(_split), Field(min_length=1)
    ] = ["*"]
    http_trusted_proxies: Annotated[
        list[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_split)
    ] = []
    #: Without it, a quarter of all.
    http_connections_per_client: PositiveInt | None = None
    http_body_limit: PositiveInt = 64 * 1024
    http_read_timeout: Seconds = 10
    http_reuse_port: bool = False
    http_allow_anonymous: bool = False
    api_keys_file: Path | None = None
    public_read: bool = True
    http_tls_certfile: FilePath | None = None
    http_tls_keyfile: FilePath | None = None
    http_tls_client_cafile: FilePath | None = None
    http_rate_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    max_unconfirmed: PositiveInt = 50_000

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take an empty value for the default, also where it outranks one in the file."""
        return {name: value for name, value in values.items() if value != ""}

    @model_validator(mode="after")
    def _default_to_local_kafka(self) -> "Settings":
        if not self.kafka_client_bootstrap_server:
            self.kafka_client_bootstrap_server = [f"localhost:{self.kafka_port}"]
        return self

    @model_validator(mode="after")
    def _check_combinations(self) -> "Settings":
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_username and self.kafka_sasl_password
        ):
            raise ValueError(
                "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed with "
                f"KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol}"
            )
        if self.kafka_ssl_keyfile and not self.kafka_ssl_certfile:
            raise ValueError("KAFKA_SSL_CERTFILE is needed with KAFKA_SSL_KEYFILE")
        if not self.http_tls_certfile:
            for name in ("http_tls_keyfile", "http_tls_client_cafile"):
                if getattr(self, name):
                    raise ValueError(f"HTTP_TLS_CERTFILE is needed with {name.upper()}")
        if not self.public_read and not self.api_keys_file:
            raise ValueError("API_KEYS_FILE is needed with PUBLIC_READ=false")
        return self

    @model_validator(mode="after")
    def _let_no_other_pages_read_what_is_not_public(self) -> "Settings":
        if not self.public_read:
            self.read_origins = [origin for origin in self.read_origins if origin != "*"]
        return self

    @model_validator(mode="after")
    def _check_security_is_used(self) -> "Settings":
        protocol = self.kafka_security_protocol
        unused = [
            name.upper()
            for layer in ("SASL", "SSL")
            if layer not in protocol
            for name in kafka_security_settings(layer)
            if getattr(self, name) != Settings.model_fields[name].default
        ]
        if unused:
            raise ValueError(
                f"{', '.join(unused)} would not be used with KAFKA_SECURITY_PROTOCOL={protocol}"
            )
        return self


def kafka_security_settings(*layers: Literal["SASL", "SSL"]) -> list[str]:
    """Return the names of the fields that only count with SASL, or with TLS."""
    prefixes = tuple(f"kafka_{layer.lower()}_" for layer in layers)
    return [name for name in Settings.model_fields if name.startswith(prefixes)]


@cache
def load() -> Settings:
    """Return the settings; exit with an error line for each that is not valid."""
    try:
        return Settings()
    except ValidationError as error:
        sys.exit("\n".join(_explain(error)))


def refuse(name: str, reason: object) -> NoReturn:
    """Exit with the line for a setting whose value is not valid, and may be a secret."""
    sys.exit(_line(name, reason))


def warn_of_misspelt() -> None:
    """Log names in the environment and in ``.env`` that look like misspelt settings."""
    file = dotenv_values(ENV_FILE, encoding="utf-8")
    for name, meant in find_misspelt([*os.environ, *file]):
        logger.warning("%s is not a setting and is ignored; did you mean %s?", name, meant)


def find_misspelt(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is similar to a setting's, with that setting."""
    settings = {name.upper() for name in Settings.model_fields}
    by_letters = {name.replace("_", ""): name for name in settings}
    for name in sorted(set(names)):
        if name.upper() in settings or len(name) > NAME_MAX_CHARS:
            continue
        meant = by_letters.get(name.upper().replace("_", "").replace("-", ""))
        similar = difflib.get_close_matches(name.upper(), settings, n=1, cutoff=SIMILARITY_MIN)
        if meant or similar:
            yield name, meant or similar[0]


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        if problem["loc"]:
            field = str(problem["loc"][0])
            value = "" if _is_secret(field) else f"={problem['input']!r}"
            lines.append(_line(f"{field.upper()}{value}", message))
        else:
            lines.append(f"bad setting: {message}")
    return lines


def _line(setting: str, reason: object) -> str:
    return f"bad setting: {setting}: {reason}"


def _is_secret(field: str) -> bool:
    annotation = Settings.model_fields[field].annotation
    return SecretStr in (annotation, *get_args(annotation))
