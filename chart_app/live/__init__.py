"""What was stored, broadcast from the worker that stored it to all workers."""
