"""The HTTP app over storage that behaves, with a fleet in it, and the door a browser goes through."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, cast

import httpx
from fastapi import FastAPI

from shared.domain.alerts import Alert, Cause
from shared.domain.conditions import READY, Condition
from shared.domain.fleet import Scope
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.profile import Configuration
from shared.domain.record import Action, BackupEnd, Cure, ExtensionMemory, Record, Rung
from shared.domain.sweeps import Batch
from shared.plan.compliance.catalogue import CONTROLS
from shared.record.sweeps import Sweeps
from shared.settings import Hosting
from shared.web.app import create_app
from shared.world import World
from tests.browser.generated_fleet import NOW, Fleet
from tests.fakes.storage import FakeAlertBook, FakeAuditTrail, FakeRecords, FakeRepairBreaker, FakeSweepRows

ORIGIN = "http://guard.test"
PAGE = f"{ORIGIN}/api/dashboard"
_BATCH = 2000


class StandingClock:
    """It is always the same moment."""

    def now(self) -> datetime:
        return NOW


@dataclass
class GuardedApp:
    """An app whose storage a test can look at and change. Without a fleet no sweep has ended."""

    fleet: Fleet | None = None
    records: FakeRecords = field(default_factory=FakeRecords)
    alerts: FakeAlertBook = field(default_factory=FakeAlertBook)
    trail: FakeAuditTrail = field(default_factory=FakeAuditTrail)
    breaker: FakeRepairBreaker = field(default_factory=FakeRepairBreaker)
    sweeps: Sweeps = field(default_factory=lambda: Sweeps(FakeSweepRows()))
    stopped: bool = False

    async def start(self) -> FastAPI:
        """With the fleet in storage, as a sweep leaves it."""
        if self.fleet is not None:
            await _keep(self.fleet, self.sweeps)
        world = self._world()
        return create_app(lambda: _answered(world), Hosting(deployed=False, authenticated=False))

    def _world(self) -> World:
        nobody = cast(Any, None)  # ports that a page never asks
        return World(
            clock=StandingClock(),
            reader=nobody,
            actor=nobody,
            records=self.records,
            rollouts=nobody,
            queue=nobody,
            history=nobody,
            alert_book=self.alerts,
            outbox=nobody,
            destinations=nobody,
            notify_queue=nobody,
            channels=nobody,
            watermarks=nobody,
            job_sources=(),
            job_reader=nobody,
            topic=None,
            fleet=nobody,
            sweeps=self.sweeps,
            breaker=self.breaker,
            audit=self.trail,
            scope=Scope(("11111111-1111-1111-1111-111111111111",), ("mg-platform",)),
            controls=CONTROLS,
            configuration=Configuration(12, {}, ()),
            jitter=lambda: 0.5,
            new_id=lambda: "one",
            stopped=self.stopped,
        )


async def _answered(world: World) -> World:
    return world


async def _keep(fleet: Fleet, sweeps: Sweeps) -> None:
    for old in reversed(fleet.summaries[1:]):
        await sweeps.finish(old, ())
    summary, kept = fleet.summary, []
    for number, clusters in enumerate(batched(fleet.clusters, _BATCH, strict=False)):
        changes = fleet.changes if number == 0 else ()
        pages, change_pages = await sweeps.write_batch(summary.sweep_id, number, clusters, changes)
        subscriptions = tuple(sorted({cluster.subscription_id for cluster in clusters}))
        kept.append(Batch(subscriptions, pages=pages, change_pages=change_pages))
    await sweeps.finish(summary, kept)


def client(app: FastAPI) -> httpx.AsyncClient:
    """Calls the app in this process, without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, timeout=120)


async def with_a_past(app: GuardedApp, clusters: Sequence[str], text: str = "") -> None:
    """Gives clusters a record, alerts and a trail; `text` is put wherever somebody else's text may stand."""
    for number, arm_id in enumerate(clusters):
        cluster, began = ClusterId.parse(arm_id), NOW - timedelta(days=6 - number % 5)
        app.records.put(_record(cluster, began, text))
        await app.alerts.show([_alert(cluster.key, number, began, text)])
        await app.trail.append(_actions(cluster.key, number, began, text))


def _record(cluster: ClusterId, began: datetime, text: str) -> Record:
    message = (
        text or "The pod of the backup extension was killed twice; its memory limit goes up as soon as no job runs."
    )
    return Record(
        cluster,
        began - timedelta(days=90),
        ObservedCluster(),
        conditions={
            READY: Condition(READY, "False", "Raising", message, began, "Nothing: the Guard is at it."),
            "ExtensionReady": Condition("ExtensionReady", "True", "", "", began),
            "BackupHealthy": Condition(
                "BackupHealthy", "Unknown", "Unobserved", text or "No answer from the vault.", began
            ),
        },
        due_at=NOW + timedelta(minutes=12),
        last_backup=BackupEnd("job-1", "Failed", "UserErrorOutOfMemory", began + timedelta(hours=1)),
        memory=ExtensionMemory(
            "2560Mi", rungs=(Rung(began + timedelta(hours=2), "memory", "1280Mi", "2560Mi", text or "job-1"),)
        ),
        cures=(
            Cure(
                began + timedelta(hours=3), "retry", "UserErrorOutOfMemory", "job-1", text or "asked for another backup"
            ),
        ),
        remaining=("RaiseMemory:4400Mi",),
        last_restore_at=began - timedelta(days=20),
    )


def _alert(subject: str, number: int, began: datetime, text: str) -> Alert:
    cause = Cause(
        "Backup:UserErrorOutOfMemory",
        "UserErrorOutOfMemory",
        "Error",
        text or "Backup failed: the extension ran out of memory",
        text or "The pod that makes the backup was killed.",
        "Give it more memory, or let the Guard do it: mode: enforce.",
        began,
        began + timedelta(hours=number),
        occurrences=1 + number,
    )
    severity = ("Critical", "Error", "Warning")[number % 3]
    return Alert(subject, cause, "Open", cast(Any, severity), began)


def _actions(subject: str, number: int, began: datetime, text: str) -> list[Action]:
    target = f"{subject}/extensions/azure-aks-backup"
    at = began + timedelta(hours=2)
    return [
        Action(at, subject, "UpdateExtension", target, "Started"),
        Action(
            at + timedelta(seconds=4),
            subject,
            "UpdateExtension",
            target,
            ("Done", "AuthorizationFailed")[number % 2],
            f"5f1c0c3e-{number:04d}",
            text or "memory 1280Mi to 2560Mi",
        ),
    ]
