"""What the app says of itself."""

from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.seen import Sight, Unread


def check_health(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    check, found = Check("health", "healthy"), sight.health
    if isinstance(found, Unread):
        yield check.unread(found)
        return
    if found.healthy:
        yield check.ok(f"version {found.version}")
        return
    ask = f"az rest --url {deployment.app_url}/api/v1/health --resource api://AUTH_CLIENT_ID"
    yield check.wrong("It says that it is unhealthy; the command, of whoever may read, says why.", ask)
