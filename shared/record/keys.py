"""Where a row lies. One partition serves 2,000 entities/s, so rows are spread over shards by the hash of their key."""

from dataclasses import dataclass

from shared.domain.ids import RegionId, Subject, row_key

CLUSTERS = "clusters"
REGIONS = "regions"
REQUESTS = "requests"
SUBSCRIPTIONS = "subscriptions"
ROLLOUTS = "rollouts"
ACTIONS = "actions"
SWITCHES = "switches"
JOBS = "jobs"
ALERTS = "alerts"
OUTBOX = "outbox"
DESTINATIONS = "destinations"
WATERMARKS = "watermarks"
SWEEPS = "sweeps"

TABLES = (
    ACTIONS,
    ALERTS,
    CLUSTERS,
    DESTINATIONS,
    JOBS,
    OUTBOX,
    REGIONS,
    REQUESTS,
    ROLLOUTS,
    SUBSCRIPTIONS,
    SWEEPS,
    SWITCHES,
    WATERMARKS,
)
"""All there are."""

RECONCILE_QUEUE = "reconcile"
NOTIFY_QUEUE = "notify"
EVENTS_QUEUE = "events"
"""What Event Grid puts there is taken in as if it had called the app."""
POISON = "-poison"
QUEUES = tuple(name + ending for name in (RECONCILE_QUEUE, NOTIFY_QUEUE, EVENTS_QUEUE) for ending in ("", POISON))
"""All there are: the Functions host puts a message that failed too often into the queue's poison queue."""

SHARDS = tuple(f"{shard:02x}" for shard in range(16))


@dataclass(frozen=True, slots=True)
class RowAddress:
    """PartitionKey and RowKey: the shard and the SHA-256 hex of the lower-cased key."""

    partition: str
    row: str

    @classmethod
    def of(cls, key: str) -> "RowAddress":
        digest = row_key(key)
        return cls(SHARDS[int(digest[:8], 16) % len(SHARDS)], digest)

    def as_columns(self) -> dict[str, str]:
        return {"PartitionKey": self.partition, "RowKey": self.row}


def table_of(subject: Subject) -> str:
    return REGIONS if isinstance(subject, RegionId) else CLUSTERS
