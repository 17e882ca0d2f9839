"""What the services of a program ask of it."""

from mode import Service


def is_ending(service: Service) -> bool:
    """Return whether a service that starts is to give up, because the program ends."""
    # The application, above it in the tree, is what a signal stops first.
    parent = service.beacon.parent
    return service.should_stop or bool(parent and parent.data.should_stop)
