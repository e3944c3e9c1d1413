"""Is the app able to work? The whole report is for those who may read; anybody may see the rest."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from shared.domain.errors import GuardError
from shared.domain.profile import Configuration
from shared.ports import HandledEvent
from shared.profiles import InvalidConfigurationError
from shared.settings import CHANNEL_PREFIX, InvalidSettingsError, read_hosting, read_settings
from shared.version import VERSION
from shared.world import World


@dataclass(frozen=True, slots=True)
class Health:
    """`problems` keep the app from working, `warnings` do not. `stopped` says who stopped every change and why."""

    status: Literal["healthy", "unhealthy"]
    version: str = VERSION
    revision: int | None = None
    profiles: Mapping[str, str] | None = None
    stopped: str | None = None
    synthetic_event: HandledEvent | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def for_anybody(self) -> "Health":
        """Without what tells a stranger how the app is made."""
        return Health(self.status, self.version, synthetic_event=self.synthetic_event)

    def as_json(self) -> dict[str, object]:
        """In snake case, without what is not known."""
        event = self.synthetic_event
        told: dict[str, object] = {
            "status": self.status,
            "version": self.version,
            "synthetic_event": event and {"id": event.id, "handled_at": event.handled_at.isoformat()},
        }
        if self.profiles is not None or self.problems:
            told |= {"revision": self.revision, "profiles": dict(self.profiles or {}), "stopped": self.stopped}
            told |= {"warnings": list(self.warnings), "problems": list(self.problems)}
        return told


async def health_of(world: Callable[[], Awaitable[World]], environ: Mapping[str, str] = os.environ) -> Health:
    """Settings, configuration and storage are usable, or every problem in words."""
    try:
        here = await world()
        healthy = Health(
            "healthy",
            revision=here.configuration.revision,
            profiles={name: profile.mode for name, profile in here.configuration.profiles.items()},
            stopped=await here.stop_reason(),
            synthetic_event=await here.synthetic_events.latest() if here.synthetic_events else None,
        )
        return replace(healthy, warnings=(*_unreachable(here.configuration, environ), *_unauthenticated(environ)))
    except (InvalidSettingsError, InvalidConfigurationError) as error:
        return Health("unhealthy", problems=tuple(error.errors))
    except GuardError as error:
        return Health("unhealthy", problems=(str(error),))


def _unreachable(configuration: Configuration, environ: Mapping[str, str]) -> list[str]:
    """The channels of guard.yaml that have no address."""
    known = read_settings(environ).channels
    named = dict.fromkeys(channel for route in configuration.notifications.routes for channel in route.channels)
    return [
        f"guard.yaml names the channel {channel}, but the app setting {CHANNEL_PREFIX}{channel} is not set: "
        "nobody is told through it"
        for channel in named
        if channel not in known
    ]


def _unauthenticated(environ: Mapping[str, str]) -> list[str]:
    hosting = read_hosting(environ)
    if not hosting.deployed or hosting.authenticated:
        return []
    return ["App Service authentication is off: /api/v1 and the dashboard refuse every call until it is turned on"]
