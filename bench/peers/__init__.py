"""The peers that we are compared with, each written as in its own documentation.

All are configured by the environment: ``BROKER`` (host:port), ``TOPIC``, and ``GROUP`` or
``PORT``. The peers in JavaScript are in ``node/``.
"""
