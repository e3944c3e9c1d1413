"""The shape of guard.yaml where it says what follows a bad backup: what the Guard does, and whom it tells."""

from typing import Annotated, Literal

from pydantic import Field

from shared.domain.alerts import Severity
from shared.profiles.base_models import Model, SelectorModel
from shared.profiles.fields import (
    ChannelName,
    Cpu,
    DayOrTime,
    Duration,
    LocalTime,
    Memory,
    ProfileName,
    RouteName,
    TimeZone,
    WebAddress,
    Within,
)

Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DAYS: tuple[Day, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class MemoryModel(Model):
    """How the extension's memory limit follows its out-of-memory kills."""

    automatic: bool = Field(default=True, description="false: out-of-memory kills are only alerted.")
    rungs: list[Memory] = Field(
        default=["1280Mi", "2560Mi", "4400Mi", "6Gi", "8Gi"],
        min_length=1,
        description="Ascending; one up for each out-of-memory kill.",
    )
    ceiling: Memory = Field(default="8Gi", description="The limit is never raised above it.")
    cpu_limit_after: Cpu | None = Field(
        default=None, description="CPU limit to set when the last rung was not enough; unsaid: the CPU is left alone."
    )
    raise_request: bool = Field(
        default=False, description="The request follows the limit, so that only a node that can hold it gets the pod."
    )
    node_share: Annotated[float, Within(0.1, 0.95, "what AKS leaves to pods")] = Field(
        default=0.75, description="Of the smallest node's memory the limit may take at most."
    )
    raise_ahead: bool = Field(
        default=False, description="One rung up before anything happens, when more than 1,000 resources are backed up."
    )
    come_down_after: Duration | None = Field(
        default=None,
        description="One rung down after so long a time of clean backups, for example P30D; unsaid: never.",
    )


class CuresModel(Model):
    """What the Guard may do by itself after a failed backup."""

    automatic: bool = Field(default=True, description="false: failures are only alerted.")
    reinstall_extension: bool = Field(
        default=False, description="Whether the backup extension may be deleted and installed again."
    )
    retries_per_day: Annotated[int, Within(0, 10, "Azure's ten on-demand backups a day", "none")] = Field(
        default=5, description="On-demand backups of a cluster that the Guard may ask for within a day."
    )


class WeeklyWindowModel(Model):
    """A maintenance window of every week."""

    days: list[Day] = Field(default=list(DAYS), min_length=1, description="On which it begins; unsaid: every day.")
    start: LocalTime = Field(description="When it begins, for example 22:00.")
    duration: Duration = Field(description="How long it lasts, for example PT6H; it may go on after midnight.")
    time_zone: TimeZone = Field(default="UTC", description="For example Europe/Berlin.")


class OneTimeWindowModel(Model):
    """A maintenance window of a certain date."""

    start: DayOrTime = Field(description="First day (UTC), or a time with zone.")
    end: DayOrTime = Field(description="Last day (UTC), or a time with zone.")


class MaintenanceModel(Model):
    """While one of these windows lasts, alerts are held back; what is still true afterwards is told then."""

    weekly: list[WeeklyWindowModel] = Field(default=[])
    once: list[OneTimeWindowModel] = Field(default=[])


class AlertingModel(Model):
    """When something becomes an alert, and when an alert becomes graver."""

    not_protected_after: Duration = Field(
        default="PT2H", description="A cluster that is still not protected, although nobody needs to act."
    )
    blocked_after: Duration = Field(default="PT30M", description="Something that waits for a person.")
    escalate_after_failures: Annotated[int, Within(1, 1000, least="one failure")] = Field(
        default=3, description="So many in a row make an alert one step graver."
    )
    escalate_after: Duration = Field(
        default="P1D", description="So does an alert that nobody acknowledged for so long."
    )
    maintenance: MaintenanceModel = Field(default_factory=MaintenanceModel)


class QuietHoursModel(Model):
    """What comes while they last is told afterwards."""

    start: LocalTime = Field(description="For example 22:00.")
    end: LocalTime = Field(description="For example 06:00, the next day.")
    time_zone: TimeZone = Field(default="UTC", description="For example Europe/Berlin.")
    unless: Severity = Field(default="Critical", description="What is as grave as this, or graver, is told at once.")


class RouteModel(Model):
    """Whom to tell. Every route that matches an alert gets it."""

    name: RouteName
    match: SelectorModel = Field(
        default_factory=SelectorModel,
        description="Of the cluster; tags also of its resource group. Unsaid: every cluster.",
    )
    profiles: list[ProfileName] = Field(default=[], description="Of the cluster; empty: any.")
    least: Severity = Field(default="Warning", description="What is less grave is not told.")
    channels: list[ChannelName] = Field(
        min_length=1, description="TEAM has its address in the app setting AKS_BACKUP_GUARD_CHANNEL_TEAM."
    )
    quiet_hours: QuietHoursModel | None = None
    updates: bool = Field(
        default=False, description="Tell of each further failure and cure, not only of opening, escalation and end."
    )
    fallback: bool = Field(default=False, description="Takes what no other route takes.")


class NotificationsModel(Model):
    """Whom the Guard tells of alerts, and how often at most."""

    routes: list[RouteModel] = Field(default=[])
    group_wait: Duration = Field(
        default="PT2M", description="How long the first alert waits for others, to go out in one message."
    )
    group_interval: Duration = Field(default="PT5M", description="At least between two messages of one channel.")
    dashboard_url: WebAddress = Field(default="", description="Linked in messages.")
