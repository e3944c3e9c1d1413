"""Where announcements go: one channel of a route of guard.yaml, or the app's own topic."""

TOPIC = "topic"


def destination_of(route: str, channel: str) -> str:
    """The destination of a route's channel. Each is delivered to by itself, so that none waits for a dead one."""
    return f"route:{route}|{channel}"


def route_and_channel(destination: str) -> tuple[str, str] | None:
    """The inverse of `destination_of`; None for the topic, and for what was never a destination."""
    route, bar, channel = destination.removeprefix("route:").rpartition("|")
    return (route, channel) if bar and destination.startswith("route:") else None
