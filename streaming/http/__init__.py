"""The HTTP server of a program: access rules, limits, and the pages common to all programs."""
