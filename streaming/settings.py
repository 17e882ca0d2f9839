"""What is read here of a program's settings: any object that has these will do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class KafkaSettings(Protocol):
    """How to reach Kafka. Times are in seconds."""

    @property
    def client_id(self) -> str:
        """How the program calls itself to Kafka."""

    @property
    def kafka_client_bootstrap_server(self) -> Sequence[str]:
        """``host:port`` of some brokers."""

    @property
    def kafka_startup_timeout(self) -> float:
        """How long to wait for Kafka at the start."""

    @property
    def kafka_session_timeout(self) -> float:
        """After how long the partitions of a dead worker are given away."""

    @property
    def kafka_replication_factor(self) -> int:
        """Of the topics that are created."""

    @property
    def kafka_security_protocol(self) -> str:
        """``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``."""

    @property
    def kafka_ssl_cafile(self) -> Path | None:
        """CA certificates, if not the system's."""

    @property
    def kafka_ssl_certfile(self) -> Path | None:
        """The client's certificate."""

    @property
    def kafka_ssl_keyfile(self) -> Path | None:
        """Its key, if not in the same file."""

    @property
    def kafka_sasl_mechanism(self) -> str:
        """``PLAIN``, ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``."""

    @property
    def kafka_sasl_username(self) -> str | None:
        """The user."""

    @property
    def kafka_sasl_password(self) -> str | None:
        """The user's password."""


class ProgramSettings(KafkaSettings, Protocol):
    """Besides: where to listen, whom to answer, and what to log."""

    @property
    def http_host(self) -> str:
        """The address to listen on."""

    @property
    def http_allowed_hosts(self) -> Sequence[str]:
        """Names that requests may call the program by; without any, loopback's and the host's."""

    @property
    def http_reuse_port(self) -> bool:
        """Return whether several processes listen on one port."""

    @property
    def read_origins(self) -> Sequence[str]:
        """Origins whose pages may read."""

    @property
    def log_level(self) -> str:
        """``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``."""

    @property
    def log_format(self) -> str:
        """``text`` or ``json``."""
