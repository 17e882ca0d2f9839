"""The settings that this package reads, as protocols: any object with these properties will do."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol


class Secret(Protocol):
    """A text that neither ``str`` nor ``repr`` shows, as pydantic's SecretStr."""

    def get_secret_value(self) -> str:
        """Return the text."""


class KafkaSettings(Protocol):
    """How to connect to Kafka. Times are in seconds."""

    @property
    def client_id(self) -> str:
        """The client id sent to Kafka."""

    @property
    def kafka_client_bootstrap_server(self) -> Sequence[str]:
        """``host:port`` of some brokers."""

    @property
    def kafka_startup_timeout(self) -> float:
        """How long to wait for Kafka at startup."""

    @property
    def kafka_session_timeout(self) -> float:
        """How long until a dead worker's partitions are assigned to others."""

    @property
    def kafka_replication_factor(self) -> int:
        """The replication factor of the topics that are created."""

    @property
    def kafka_security_protocol(self) -> str:
        """``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``."""

    @property
    def kafka_ssl_cafile(self) -> Path | None:
        """The file of CA certificates, if not the system's."""

    @property
    def kafka_ssl_certfile(self) -> Path | None:
        """The file of the client's certificate."""

    @property
    def kafka_ssl_keyfile(self) -> Path | None:
        """The file of its key, if not the same."""

    @property
    def kafka_sasl_mechanism(self) -> str:
        """``PLAIN``, ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``."""

    @property
    def kafka_sasl_username(self) -> str | None:
        """The SASL user."""

    @property
    def kafka_sasl_password(self) -> Secret | None:
        """The SASL user's password."""


class ProgramSettings(KafkaSettings, Protocol):
    """In addition: where to listen, whom to answer, and what to log."""

    @property
    def http_host(self) -> str:
        """The address to listen on."""

    @property
    def http_allowed_hosts(self) -> Sequence[str]:
        """Host names that requests may use; if empty, localhost and :attr:`http_host`."""

    @property
    def http_allow_anonymous(self) -> bool:
        """Whether other machines may connect although there are no keys."""

    @property
    def api_keys_file(self) -> Path | None:
        """The file of keys; without one, nobody needs a key."""

    @property
    def public_read(self) -> bool:
        """Whether market data is read without a key."""

    @property
    def http_tls_certfile(self) -> Path | None:
        """The file of the server's certificate; without one, it does not speak TLS."""

    @property
    def http_tls_keyfile(self) -> Path | None:
        """The file of its key, if not the same."""

    @property
    def http_tls_client_cafile(self) -> Path | None:
        """The file of CA certificates, one of which must have issued a client's certificate."""

    @property
    def http_reuse_port(self) -> bool:
        """Whether several processes listen on one port."""

    @property
    def read_origins(self) -> Sequence[str]:
        """Origins whose pages may read, ``*`` for all."""

    @property
    def http_trusted_proxies(self) -> Sequence[IPv4Network | IPv6Network]:
        """The networks of proxies, whose X-Forwarded-For counts."""

    @property
    def http_connections_per_client(self) -> int | None:
        """The maximum number of connections of a client, None for a share of all."""

    @property
    def log_level(self) -> str:
        """``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``."""

    @property
    def log_format(self) -> str:
        """``text`` or ``json``."""
