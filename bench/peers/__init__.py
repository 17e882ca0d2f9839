"""What we are compared with, each as its own documentation writes it.

All take what they need from the environment: ``BROKER`` (host:port), ``TOPIC``, and
``GROUP`` or ``PORT``. The peers in JavaScript are in ``node/``.
"""
