"""A program that dies while it migrates a store: ``python -m tests.killed_migration``."""
