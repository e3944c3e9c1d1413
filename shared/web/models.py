"""What `/api/v1` answers and takes, beside the parts of a sweep."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.alerts import Severity, State
from shared.domain.compliance import Restorable, VerdictStatus
from shared.domain.conditions import Status
from shared.report.json_models import ClusterModel, Facts, Model, SourceModel, TallyModel, VerdictModel
from shared.report.view import LARGEST_PAGE

ARM_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apps/providers/"
    "Microsoft.ContainerService/managedClusters/aks-1"
)
ALERT_ID = "0f3b6a1c9d2e4f5a8b7c6d5e4f3a2b1c"


class ErrorDetail(Model):
    where: str = Field(examples=["query parameter size"])
    message: str = Field(examples=["Input should be less than or equal to 500"])


class ErrorBody(Model):
    code: str = Field(description="One CamelCase word, for programs.", examples=["InvalidRequest"])
    message: str = Field(
        description="What was wrong and what to do, for people.",
        examples=["The request is not as it must be; `details` says where."],
    )
    details: tuple[ErrorDetail, ...] = ()


class ErrorResponse(Model):
    """What every call that failed is answered."""

    error: ErrorBody


class SweepItem(Model):
    """One finished sweep in short."""

    sweep_id: str = Field(examples=["20260301T040000Z-3f9a"])
    started_at: datetime
    ended_at: datetime
    configuration_revision: int
    overall: TallyModel
    calls: int
    changes: int
    findings: int


class SweepList(Model):
    value: tuple[SweepItem, ...]


class StopModel(Model):
    stopped: bool
    why: str = Field(description="Who pulled it and why; empty when it is not pulled.")


class HoldModel(Model):
    """Why drift is not repaired until a person says so: `clusters` of `fleet` would have changed at once."""

    sweep_id: str
    at: datetime
    clusters: int
    fleet: int


class StatusModel(Model):
    """The fleet's posture at a glance."""

    now: datetime
    sweep: SweepItem | None = Field(description="The latest; null before the first one has ended.")
    sweep_age_seconds: float | None
    sweep_under_way: str = Field(description="Id of the sweep that is under way; empty when none is.")
    emergency_stop: StopModel
    repairs_held: HoldModel | None
    repairs_approved_until: datetime | None
    open_alerts: Mapping[Severity, int]
    configuration_revision: int


class ClusterRow(ClusterModel):
    """`worst` is its gravest verdict that is NonCompliant or Unknown."""

    worst: VerdictModel | None


class Links(BaseModel):
    """Addresses of this and other pages, from the server's root; null where there is none."""

    model_config = ConfigDict(frozen=True)

    self: str
    first: str
    last: str
    prev: str | None = None
    next: str | None = None


class ClusterPage(Model):
    value: tuple[ClusterRow, ...]
    total: int
    page: int
    pages: int
    links: Links


class ExplainedVerdict(VerdictModel):
    """With what it rests on."""

    title: str
    why: str
    facts: Facts = Field(description="Those its control looks at.")
    sources: tuple[str, ...] = Field(description="Names of the questions that brought them, in `sources`.")


class JudgedModel(ClusterModel):
    """As the latest sweep found the cluster."""

    sweep_id: str
    facts: Facts
    verdicts: tuple[ExplainedVerdict, ...]
    sources: tuple[SourceModel, ...] = Field(description="The questions, with their times and request ids.")


class ConditionModel(Model):
    type: str = Field(examples=["Ready"])
    status: Status
    reason: str
    message: str
    last_transition: datetime
    recommended_action: str


class RungModel(Model):
    """A change of the backup extension's memory or CPU, and what it was decided by."""

    at: datetime
    kind: str
    before: str
    after: str
    evidence: str


class RecordModel(Model):
    """What the Guard itself knows of a cluster, from its last look."""

    first_seen_at: datetime
    deleted_at: datetime | None
    profile: str
    conditions: tuple[ConditionModel, ...]
    remaining: tuple[str, ...]
    memory: tuple[RungModel, ...]
    last_restore_at: datetime | None
    next_look_at: datetime | None


class ClusterDetail(Model):
    """At least one of the two is there."""

    cluster_id: str
    judged: JudgedModel | None
    record: RecordModel | None


class ChangeModel(Model):
    """A verdict that is another than in the sweep before."""

    sweep_id: str
    at: datetime
    cluster_id: str
    name: str
    team: str
    control: str
    before: VerdictStatus
    after: VerdictStatus
    reason: str
    message: str


class ChangeList(Model):
    value: tuple[ChangeModel, ...]
    since: datetime
    complete: bool = Field(description="Whether that is all of them; else ask with a larger `limit`.")


class AlertModel(Model):
    id: str = Field(examples=[ALERT_ID])
    subject: str = Field(
        description="ARM id of the cluster in lower case, `subscription|region|vault class`, or `aks-backup-guard`.",
        examples=[ARM_ID.lower()],
    )
    state: State
    severity: Severity
    code: str
    title: str
    message: str
    recommended_action: str
    will_do: str
    did: tuple[str, ...]
    occurrences: int
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    acknowledged_by: str
    snoozed_until: datetime | None


class AlertList(Model):
    value: tuple[AlertModel, ...]


class ActionModel(Model):
    """One line of the audit trail: a change about to be made, or its outcome."""

    at: datetime
    subject: str
    step: str = Field(examples=["CreateBackupInstance"])
    target: str
    outcome: str = Field(examples=["Done"])
    request_id: str
    detail: str
    actor: str


class ActionList(Model):
    value: tuple[ActionModel, ...]


class Accepted(Model):
    """It is done later; `status` is the address that tells of it."""

    message: str
    status: str


class SweepAsked(Accepted):
    """It shows as the latest once it has ended."""

    sweep_id: str = Field(examples=["20260301T040000Z-3f9a"])
    begun: bool = Field(description="Whether it begins because of this call.")


class RepairsApproved(Model):
    lifted: HoldModel | None = Field(description="The hold that was lifted; null when nothing was held.")
    approved_until: datetime


Hours = Annotated[float, Field(ge=0.1, le=720, description="For how long.", examples=[8])]


class Body(Model):
    """What a caller sends: a member nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Body):
    """An empty object."""


class Snooze(Body):
    hours: Hours = 8


class Approval(Body):
    hours: Annotated[float, Field(ge=0.1, le=168, description="For how long nothing is held again.", examples=[24])] = (
        24
    )


class WhichCluster(Body):
    id: str = Field(description="ARM id of the cluster, in any spelling.", max_length=400, examples=[ARM_ID])


SortBy = Literal["name", "team", "location", "score", "restorable", "subscription", "worst", "since"]


class ViewQuery(BaseModel):
    """Which clusters, and in which order. What is empty leaves nothing out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field("", max_length=300, description="Every word is in name, resource group, team or subscription.")
    team: str = Field("", description="`(none)`: clusters of no team.")
    subscription: str = Field("", description="Its id or name.")
    location: str = ""
    profile: str = ""
    restorable: Restorable | Literal[""] = ""
    control: str = Field("", description="Clusters that do not comply with it, or of which nobody knows.")
    status: VerdictStatus | Literal[""] = Field("", description="Of that control, or of any.")
    sort: SortBy = Field("score", description="Upwards, what needs a person comes first.")
    descending: bool = False
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(50, ge=1, le=LARGEST_PAGE)
