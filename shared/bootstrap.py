"""The composition root: builds the world on first use, never at import, and keeps it for the life of the process."""

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from shared.arm.client import ArmClient
    from shared.domain.fleet import Scope
    from shared.domain.profile import Configuration
    from shared.health import Health
    from shared.ports import JobSource
    from shared.record.alert_book import TableAlertBook
    from shared.record.emergency_stop import TableEmergencyStop
    from shared.record.storage import Storage
    from shared.settings import ConfigurationSource, Settings
    from shared.telemetry.exporters import Exporters
    from shared.world import World

_lock = asyncio.Lock()
_worlds: list["World"] = []
_telemetry: list["Exporters"] = []


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def world() -> "World":
    """The one world of this process. Raises InvalidSettingsError or InvalidConfigurationError, every time until the
    app is deployed with better ones: a half-built world is never kept."""
    start_telemetry()
    async with _lock:
        if not _worlds:
            _worlds.append(_build())
        return _worlds[0]


def start_telemetry() -> None:
    """From its first call on, what the app tells about itself is exported to where the app settings say; nowhere when
    they say nothing. Never raises."""
    if not _telemetry:
        from shared.telemetry.exporters import exporters_of, start_exporting

        _telemetry.append(exporters_of(os.environ))
        start_exporting(_telemetry[0])


@asynccontextmanager
async def storage() -> AsyncIterator["Storage"]:
    """For the terminal: what the Guard wrote down, without Azure. Raises InvalidSettingsError."""
    from shared.settings import read_settings

    opened = _storage(read_settings(os.environ))
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def emergency_stop() -> AsyncIterator["TableEmergencyStop"]:
    """The switch alone. Raises InvalidSettingsError."""
    from shared.record.emergency_stop import TableEmergencyStop

    async with storage() as opened:
        yield TableEmergencyStop(opened)


@asynccontextmanager
async def alert_book() -> AsyncIterator["TableAlertBook"]:
    """The alerts alone. Raises InvalidSettingsError."""
    from shared.record.alert_book import TableAlertBook

    async with storage() as opened:
        yield TableAlertBook(opened)


async def check_health() -> "Health":
    """What /api/health tells of."""
    from shared.health import health_of

    return await health_of(world)


def _build() -> "World":
    from shared.act.actor import ArmActor
    from shared.arm.client import ArmClient
    from shared.arm.throttle import ThrottleSettings
    from shared.notify.channels import AppriseChannels
    from shared.notify.event_topic import EventGridTopic
    from shared.observe.fleet import GraphFleetReader
    from shared.observe.job_details import JobDetails
    from shared.observe.reader import ArmReader
    from shared.own_controls import controls_of
    from shared.record.alert_book import TableAlertBook
    from shared.record.audit import TableAuditTrail
    from shared.record.destinations import TableDestinations
    from shared.record.emergency_stop import TableEmergencyStop
    from shared.record.history import TableJobHistory
    from shared.record.notify_queue import StorageNotifyQueue
    from shared.record.outbox import TableOutbox
    from shared.record.queue import StorageQueue
    from shared.record.quota import TableQuota
    from shared.record.repair_breaker import TableRepairBreaker
    from shared.record.rollouts import TableRollouts
    from shared.record.sweep_rows import TableSweepRows
    from shared.record.sweeps import Sweeps
    from shared.record.synthetic_events import TableSyntheticEvents
    from shared.record.tables import TableRecords
    from shared.record.watermarks import TableWatermarks
    from shared.settings import read_settings
    from shared.world import World

    settings = read_settings(os.environ)
    configuration = _configuration(settings.configuration)
    clock, state = WallClock(), _storage(settings)
    audit = TableAuditTrail(state)
    credential = _credential(settings.identity.client_id, settings.azure.authority)
    arm = ArmClient(
        settings.azure.arm,
        credential,
        (settings.azure.arm_scope,),
        quota=TableQuota(state),
        clock=clock,
        instance=uuid.uuid4().hex,
        scale=settings.loop.time_scale,
        throttle=ThrottleSettings(
            max_in_flight=settings.quota.max_calls_in_flight,
            reserve=settings.quota.reserve,
            # Where time is short, a dead instance's share is free again soon too.
            share_lasts=max(6.0, 90 / settings.loop.time_scale),
            share_renewed_every=max(2.0, 30 / settings.loop.time_scale),
        ),
    )
    return World(
        clock=clock,
        reader=ArmReader(arm, clock),
        actor=ArmActor(arm, audit, clock),
        records=TableRecords(state),
        rollouts=TableRollouts(state),
        queue=StorageQueue(state),
        history=TableJobHistory(state),
        alert_book=TableAlertBook(state),
        outbox=TableOutbox(state),
        destinations=TableDestinations(state),
        notify_queue=StorageNotifyQueue(state),
        channels=AppriseChannels(settings.channels),
        watermarks=TableWatermarks(state),
        job_sources=_job_sources(settings, arm, credential, clock),
        job_reader=JobDetails(arm),
        topic=EventGridTopic(topic, credential, clock=clock, scale=settings.loop.time_scale)
        if (topic := settings.job_watch.topic)
        else None,
        fleet=GraphFleetReader(arm, clock),
        sweeps=Sweeps(TableSweepRows(state)),
        breaker=TableRepairBreaker(state),
        audit=audit,
        scope=_scope(settings, configuration),
        controls=controls_of(configuration, settings.configuration.path.parent),
        configuration=configuration,
        jitter=random.random,
        new_id=lambda: uuid.uuid4().hex,
        time_scale=settings.loop.time_scale,
        lease_seconds=settings.loop.lease_seconds,
        pass_seconds=settings.loop.pass_seconds,
        stopped=settings.emergency_stop.stopped,
        emergency_stop=TableEmergencyStop(state),
        synthetic_events=TableSyntheticEvents(state),
    )


def _job_sources(
    settings: "Settings", arm: "ArmClient", credential: "AsyncTokenCredential", clock: WallClock
) -> tuple["JobSource", ...]:
    """Resource Graph is asked about all that the app may read: a vault may lie in a subscription of its own."""
    from shared.arm.log_analytics import LogAnalytics
    from shared.observe.ended_jobs_graph import ResourceGraphJobs
    from shared.observe.ended_jobs_logs import LogAnalyticsJobs
    from shared.observe.out_of_memory import ContainerInsightsSigns

    watch, sources = settings.job_watch, list["JobSource"]()
    if watch.resource_graph:
        sources.append(ResourceGraphJobs(arm))
    if watch.workspaces:
        logs = LogAnalytics(watch.log_analytics, credential, clock=clock, scale=settings.loop.time_scale)
        for workspace in watch.workspaces:
            sources += [LogAnalyticsJobs(logs, workspace), ContainerInsightsSigns(logs, workspace)]
    return tuple(sources)


def _scope(settings: "Settings", configuration: "Configuration") -> "Scope":
    """Of the app settings and of guard.yaml."""
    from shared.domain.fleet import Scope

    named = (*settings.scope.subscriptions, *(each.lower() for each in configuration.subscriptions))
    groups = (*settings.scope.management_groups, *configuration.management_groups)
    return Scope(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(groups)))


def _configuration(source: "ConfigurationSource") -> "Configuration":
    from shared.profiles import load_configuration, load_configuration_file

    if source.text is not None:
        return load_configuration(source.text, "AKS_BACKUP_GUARD_CONFIGURATION_YAML")
    return load_configuration_file(source.path)


def _credential(client_id: str | None, authority: str) -> "AsyncTokenCredential":
    """The app's managed identity where Azure gives one; on a developer's machine whoever is signed in there."""
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

    if "IDENTITY_ENDPOINT" not in os.environ:
        return DefaultAzureCredential(authority=authority, managed_identity_client_id=client_id)
    return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()


def _storage(settings: "Settings") -> "Storage":
    from shared.record.storage import Storage
    from shared.settings import StorageByConnectionString

    if isinstance(settings.storage, StorageByConnectionString):
        return Storage.by_connection_string(settings.storage.connection_string)
    by_identity = settings.storage
    return Storage.by_identity(
        by_identity.table_uri, by_identity.queue_uri, _credential(by_identity.client_id, settings.azure.authority)
    )
