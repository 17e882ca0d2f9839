"""Benchmarks beside peers: ``python -m bench.consume`` and ``python -m bench.http``."""
