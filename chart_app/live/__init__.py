"""Live messages: what a worker has stored, broadcast to all workers."""
