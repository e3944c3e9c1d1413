"""Which profile a cluster has: the first rule that matches, unless a tag or an exemption says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from shared.domain.ids import ClusterId
from shared.domain.observed import Cluster
from shared.domain.profile import Configuration, Exemption, ProtectionProfile, Selector

PROFILE_TAG = "aks-backup-guard-profile"
EXEMPT_TAG = "aks-backup-guard-exempt"


@dataclass(frozen=True, slots=True)
class Selected:
    """The profile a cluster has."""

    profile: ProtectionProfile


@dataclass(frozen=True, slots=True)
class NotSelected:
    """The cluster is left alone. `reason` is one CamelCase word, `message` for a person."""

    reason: str
    message: str
    recommended_action: str = ""
    expires: datetime | None = None


def select_profile(
    configuration: Configuration, cluster_id: ClusterId, cluster: Cluster, now: datetime
) -> Selected | NotSelected:
    """Tags are read without regard to case in their names, as Azure does."""
    tags = {name.lower(): value for name, value in cluster.tags.items()}
    if EXEMPT_TAG in tags:
        why = tags[EXEMPT_TAG].strip()
        if why.lower() not in ("false", "no", "0"):
            return NotSelected("Exempt", f"The tag {EXEMPT_TAG} on the cluster says: {why or 'no reason given'}.")
    for exemption in configuration.exemptions:
        if _in_force(exemption, now) and matches(exemption.selector, cluster_id, cluster.location, tags):
            return NotSelected("Exempt", f"Exempt by guard.yaml: {exemption.reason}.", expires=exemption.expires)
    if PROFILE_TAG in tags:
        name = tags[PROFILE_TAG].strip()
        if name in configuration.profiles:
            return Selected(configuration.profiles[name])
        return NotSelected(
            "UnknownProfile",
            f"The tag {PROFILE_TAG} on the cluster names the profile {name!r}, which guard.yaml does not have.",
            f"Correct the tag; the profiles are: {', '.join(sorted(configuration.profiles))}.",
        )
    for rule in configuration.rules:
        if matches(rule.selector, cluster_id, cluster.location, tags):
            if rule.profile is None:
                return NotSelected("NotSelected", "A rule of guard.yaml leaves this cluster alone.")
            return Selected(configuration.profiles[rule.profile])
    return NotSelected("NotSelected", "No rule of guard.yaml matches this cluster.")


def matches(selector: Selector, cluster_id: ClusterId, location: str, tags: Mapping[str, str]) -> bool:
    """Whether all that the selector gives fits. `tags` has lower-case names."""
    return (
        _any(selector.subscriptions, cluster_id.subscription_id)
        and _any(selector.resource_groups, cluster_id.resource_group)
        and _any(selector.locations, location)
        and _any(selector.names, cluster_id.name)
        and all(
            name.lower() in tags and _any((pattern,), tags[name.lower()]) for name, pattern in selector.tags.items()
        )
    )


def _any(patterns: tuple[str, ...], value: str) -> bool:
    return not patterns or any(fnmatchcase(value.lower(), pattern.lower()) for pattern in patterns)


def _in_force(exemption: Exemption, now: datetime) -> bool:
    return exemption.expires is None or now < exemption.expires
