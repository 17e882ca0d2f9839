"""The HTTP endpoints that accept trades."""
