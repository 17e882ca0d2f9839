"""A program that dies while it makes a void: ``python -m tests.killed_void``."""
