"""Benchmarks, in comparison with peers; ``python -m bench`` runs them all."""
