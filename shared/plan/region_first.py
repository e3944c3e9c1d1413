"""When a cluster waits for a look at what its region shares: a change there shows in no read of the cluster."""

from datetime import datetime
from typing import Literal

from shared.domain.conditions import PROTECTION_CONFIGURED
from shared.domain.facts import observed_at
from shared.domain.record import Record
from shared.plan.subject import Subject

REGION_FIRST = 15.0
"""Seconds until a cluster goes on whose region is looked at first."""
SEEN_LATELY = 60.0
"""Seconds by which what was read of the region may be older than the asking: the looks of a whole sweep are asked for
together."""
SETTLED = 600.0
"""Seconds since protection was configured: a cluster that is just being protected waits for nothing more."""


def waits_for_region(subject: Subject, region: Record | None) -> Literal["Look", "Lease"] | None:
    """Somebody asked for a look at a cluster that had long been protected: what is done about it may rest on what the
    region shares. `Look`: nobody has read it since; `Lease`: somebody is at it. A cluster that is only audited
    never wakes a region that would act."""
    record, moment = subject.record, subject.moment
    if region is None or record.stale_before is None or not had_been_protected(record):
        return None
    configured = record.conditions.get(PROTECTION_CONFIGURED)
    if configured is None or _seconds(configured.last_transition, record.stale_before, moment.scale) < SETTLED:
        return None
    if subject.profile.mode == "audit" and subject.wanted.enforce:
        return None
    # A vault that is being changed, or cannot be read, is the region's own business.
    seen_at = observed_at(subject.region.vault)
    if seen_at is None or _seconds(seen_at, record.stale_before, moment.scale) <= SEEN_LATELY:
        return None
    return "Lease" if region.lease_until is not None and region.lease_until > moment.now else "Look"


def had_been_protected(record: Record) -> bool:
    """Whether this very cluster, and not one that had its ARM id before, has been protected."""
    return bool(record.protected_uid) and record.protected_uid == record.resource_uid


def _seconds(one: datetime, other: datetime, scale: float) -> float:
    return (other - one).total_seconds() * scale
