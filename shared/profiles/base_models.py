"""What the models of guard.yaml have in common: how strictly they are read, and how clusters are selected."""

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.profile import Selector
from shared.profiles.fields import GuidPattern, LocationPattern, NamePattern, TagName, TagValue


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class SelectorModel(Model):
    """Which clusters: all that is given must match. Patterns with * and ?, upper and lower case alike."""

    subscriptions: list[GuidPattern] = Field(default=[])
    resource_groups: list[NamePattern] = Field(default=[])
    locations: list[LocationPattern] = Field(default=[])
    names: list[NamePattern] = Field(default=[], description="Names of clusters.")
    tags: dict[TagName, TagValue] = Field(default={}, description="Tags of the cluster; the values may be patterns.")


def selector(model: SelectorModel) -> Selector:
    return Selector(
        tuple(model.subscriptions),
        tuple(model.resource_groups),
        tuple(model.locations),
        tuple(model.names),
        dict(model.tags),
    )
