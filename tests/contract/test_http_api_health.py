"""What the app says of its own health: everything to readers, little to strangers."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.errors import TransientError
from shared.health import Health, health_of
from shared.ports import HandledEvent
from shared.profiles import InvalidConfigurationError
from shared.settings import InvalidSettingsError
from shared.version import VERSION
from shared.world import World
from tests.contract.http_api_world import AS_READER, IN_AZURE, Api
from tests.virtual.world import VirtualWorld

EVENT = HandledEvent("5f3c1b9e8f5e4c1a9d550f1d6f2f7b11", datetime(2026, 3, 1, 12, tzinfo=UTC))


class Kept:
    """`ports.SyntheticEvents`."""

    def __init__(self, event: HandledEvent | None = None, error: Exception | None = None) -> None:
        self.event, self.error = event, error

    async def keep(self, event: HandledEvent) -> None:
        self.event = event

    async def latest(self) -> HandledEvent | None:
        if self.error is not None:
            raise self.error
        return self.event


async def health_with(kept: Kept, **environ: str) -> Health:
    async def world() -> World:
        return replace(VirtualWorld().host, synthetic_events=kept)

    return await health_of(world, environ)


async def test_a_healthy_app_says_what_it_runs_and_the_last_event_that_arrived() -> None:
    told = (await health_with(Kept(EVENT))).as_json()
    assert told == {
        "status": "healthy",
        "version": VERSION,
        "synthetic_event": {"id": EVENT.id, "handled_at": "2026-03-01T12:00:00+00:00"},
        "revision": 1,
        "profiles": {"standard": "enforce"},
        "stopped": None,
        "warnings": [],
        "problems": [],
    }


async def test_anybody_sees_the_version_and_the_event_and_nothing_else() -> None:
    for kept, event in ((Kept(EVENT), {"id": EVENT.id, "handled_at": "2026-03-01T12:00:00+00:00"}), (Kept(), None)):
        told = (await health_with(kept, WEBSITE_SITE_NAME="guard")).for_anybody().as_json()
        assert told == {"status": "healthy", "version": VERSION, "synthetic_event": event}


async def test_storage_that_is_down_is_a_problem_that_strangers_do_not_see() -> None:
    found = await health_with(Kept(error=TransientError("ServerBusy", "account secret")))
    assert (found.status, "secret" in found.problems[0]) == ("unhealthy", True)
    assert found.for_anybody().as_json() == {"status": "unhealthy", "version": VERSION, "synthetic_event": None}


async def test_authentication_that_is_off_is_a_warning() -> None:
    off = await health_with(Kept(), WEBSITE_SITE_NAME="guard")
    assert (off.status, ["authentication is off" in warning for warning in off.warnings]) == ("healthy", [True])
    assert (await health_with(Kept(), WEBSITE_SITE_NAME="guard", WEBSITE_AUTH_ENABLED="True")).warnings == ()


@pytest.mark.parametrize(
    "error", [InvalidSettingsError(("STORAGE: wrong", "TOPIC: wrong")), InvalidConfigurationError(("guard.yaml:1",))]
)
async def test_readers_see_every_problem(error: Any) -> None:
    async def no_world() -> World:
        raise error

    api = Api(IN_AZURE)
    api.app.state.world = no_world
    answer = await api.get("/health", AS_READER)
    assert (answer.status_code, answer.json()["status"]) == (200, "unhealthy")
    assert answer.json()["problems"] == list(error.errors)
    assert (await api.get("/health")).status_code == 401


async def test_readers_see_the_whole_report() -> None:
    api = Api(IN_AZURE)
    api.virtual.host = replace(api.virtual.host, synthetic_events=Kept(EVENT))
    told = (await api.get("/health", AS_READER)).json()
    assert (told["status"], told["revision"], told["profiles"]) == ("healthy", 1, {"standard": "enforce"})
    assert told["syntheticEvent"] == {"id": EVENT.id, "handledAt": "2026-03-01T12:00:00Z"}
