"""The JSON of a sweep: its parts, in camelCase as Azure writes them. docs/schemas/sweep.json is made of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.domain.alerts import Severity
from shared.domain.compliance import FactValue, Restorable, VerdictStatus
from shared.plan.compliance.control import Control
from shared.report.evidence import source_names

SCHEMA_VERSION: Literal[1] = 1


class Model(BaseModel):
    """Made of the domain's own objects by `model_validate`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True, frozen=True)


Percent = Annotated[float, Field(ge=0, le=100)]
Facts = Mapping[str, FactValue]


class TallyModel(Model):
    """Counts over some clusters. `score` is the mean of theirs, those left out that are exempt as a whole."""

    clusters: int
    yes: int = Field(description="Clusters that could be restored today, to the promise of their profile.")
    no: int
    unknown: int
    exempt: int
    score: Percent


class SourceModel(Model):
    """One question to Azure, and what its answer can be traced by."""

    name: str
    at: datetime = Field(description="When Azure answered the first page.")
    request_ids: tuple[str, ...] = Field(description="x-ms-request-id of every page.")
    rows: int
    error: str = Field(description="Why there is no answer; empty when there is one.")


class FindingModel(Model):
    """Something about the fleet rather than one cluster of it."""

    control: str
    subject: str = Field(description="An ARM id, a subscription id, or a name in guard.yaml.")
    status: VerdictStatus
    severity: Severity
    reason: str
    message: str
    remedy: str
    since: datetime | None


class RepairsModel(Model):
    """What the sweep asked to be repaired."""

    drifted: int = Field(description="Clusters in enforce that are not as their profile says.")
    asked: int = Field(description="Looks that were asked for.")
    held: str = Field(description="Why the rest was not; empty when nothing is held.")


class SweepModel(Model):
    """One finished sweep without its clusters."""

    sweep_id: str = Field(examples=["20260301T040000Z-3f9a"])
    started_at: datetime
    ended_at: datetime
    configuration_revision: int
    overall: TallyModel
    by_team: Mapping[str, TallyModel]
    by_subscription: Mapping[str, TallyModel]
    by_location: Mapping[str, TallyModel]
    by_profile: Mapping[str, TallyModel]
    by_control: Mapping[str, Mapping[VerdictStatus, int]]
    subscription_names: Mapping[str, str]
    findings: tuple[FindingModel, ...]
    sources: tuple[SourceModel, ...]
    calls: int = Field(description="Calls of Azure.")
    changes: int = Field(description="Verdicts that are others than in the sweep before.")
    repairs: RepairsModel


class ControlModel(Model):
    """What clusters are held to."""

    id: str
    title: str
    why: str
    remedy: str
    severity: Severity
    essential: bool = Field(description="A cluster that does not comply cannot be restored as promised.")
    rests_on: tuple[str, ...] = Field(description="Names of the facts it looks at, in a cluster's `facts`.")
    sources: tuple[str, ...] = Field(description="Names of the questions that bring them, in a sweep's `sources`.")


def control_model(control: Control) -> ControlModel:
    told = {name: getattr(control, name) for name in ControlModel.model_fields if name != "sources"}
    return ControlModel(**told, sources=source_names(control))


class VerdictModel(Model):
    """Of one control about one cluster. The words are empty for Compliant."""

    control: str
    status: VerdictStatus
    severity: Severity
    reason: str
    message: str
    remedy: str
    since: datetime | None = Field(description="When the status became what it is.")
    expires: datetime | None = Field(description="Of an exemption.")


class ClusterModel(Model):
    """One cluster as the sweep found it, without what it rests on."""

    cluster_id: str = Field(description="ARM id.")
    name: str
    subscription_id: str
    resource_group: str
    location: str
    team: str
    profile: str = Field(description="Empty when no profile was found for it.")
    mode: str
    score: Percent
    restorable: Restorable
    remaining: tuple[str, ...] = Field(description="What the Guard has still to do, or would do if it were let.")
    judged_at: datetime | None


class JudgedClusterModel(ClusterModel):
    """One cluster with every verdict and the facts they rest on."""

    verdicts: tuple[VerdictModel, ...]
    facts: Facts = Field(description="By name. Times are ISO 8601.")


class SweepDocument(Model):
    """A sweep of AKS Backup Guard. A verdict rests on the facts of its cluster that its control's `restsOn` names; the
    questions that brought them, with their times and request ids, are those of `sweep.sources` that its control's
    `sources` names. `configuration` is guard.yaml; what came by `arm` and `record` was read one by one, when the facts
    themselves say (`bindings_read_at`, `diagnostics_read_at`), and its request ids are not kept."""

    schema_version: Literal[1] = Field(description="Raised when something is no longer as it was.")
    sweep: SweepModel
    controls: tuple[ControlModel, ...]
    clusters: tuple[JudgedClusterModel, ...]
