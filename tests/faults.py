"""The instructions at which something can happen to a worker: see tests/faulty_worker.py.

They stand apart, because that module changes the process that imports it.
"""

BEFORE_TRANSACTION = "before-transaction"
BEFORE_COMMIT = "before-commit"
AFTER_COMMIT = "after-commit"
AFTER_DEAD_LETTERS = "after-dead-letters"
