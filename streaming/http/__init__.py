"""The HTTP server of a program: who is answered, its limits, and the pages all programs have."""
