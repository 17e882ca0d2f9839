"""Parsers from text to valid trades, without Kafka and HTTP."""
