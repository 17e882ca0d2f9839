"""The state of the program, as its services see it."""

from mode import Service


def is_ending(service: Service) -> bool:
    """Return whether a starting service should give up because the program is shutting down."""
    # A signal stops the app first, which is the parent in the tree of services.
    parent = service.beacon.parent
    return service.should_stop or bool(parent and parent.data.should_stop)
