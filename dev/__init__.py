"""Running everything on this machine: ``make run``, Kafka without Docker, npm without Node."""
