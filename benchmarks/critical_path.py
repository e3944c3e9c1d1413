"""The least time in which the simulated Azure can protect a cluster, from its own durations alone.

A step begins when all it needs is there and lasts as long as `Timings` says; nothing else takes time here: no call, no
queue, no look that comes late. Two rules of the simulated Azure decide the path, and are taken at their word:

- what must be in effect must be so when validateForBackup begins, and until it ends;
- a backup job runs from the moment it is asked for; the operation that names it ends meanwhile.

The providers that a new subscription has not registered are Microsoft.DataProtection and
Microsoft.KubernetesConfiguration; Microsoft.Storage is registered.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.timings import Timings


@dataclass(frozen=True, slots=True)
class Stage:
    """Begins when every stage in `after` has ended, and lasts `seconds`."""

    seconds: float
    after: tuple[str, ...] = ()


def stages(timings: Timings, *, first_of_region: bool) -> Mapping[str, Stage]:
    """Each stage is named after those it needs."""
    shared = {
        "registrations": Stage(timings.provider_registration),
        "storage account": Stage(timings.storage_account_write),
        "vault": Stage(timings.vault_write, ("registrations",)),
    }
    if not first_of_region:
        shared = dict.fromkeys(shared, Stage(0))
    spreads = timings.role_propagation
    return {
        **shared,
        "trusted access": Stage(timings.trusted_access_write, ("vault",)),
        "trusted access in effect": Stage(timings.trusted_access_effect, ("trusted access",)),
        "vault's roles in effect": Stage(spreads, ("vault",)),
        "cluster's role in effect": Stage(spreads),
        "extension": Stage(timings.extension_install, ("registrations", "storage account")),
        "extension's role in effect": Stage(spreads, ("extension",)),
        "validation": Stage(
            timings.validate_for_backup,
            (
                "trusted access in effect",
                "vault's roles in effect",
                "cluster's role in effect",
                "extension's role in effect",
            ),
        ),
        "protection configured": Stage(timings.configure_protection, ("validation",)),
        "recovery point": Stage(max(timings.backup_job, timings.adhoc_trigger), ("protection configured",)),
    }


def ends(path: Mapping[str, Stage]) -> dict[str, float]:
    """Seconds from the beginning until each stage has ended."""
    ended: dict[str, float] = {}
    for name, stage in path.items():
        ended[name] = max((ended[before] for before in stage.after), default=0.0) + stage.seconds
    return ended


def longest(path: Mapping[str, Stage]) -> list[str]:
    """The stages that decide the end, first to last; those that take no time are left out."""
    ended = ends(path)
    way = [list(path)[-1]]
    while before := path[way[0]].after:
        way.insert(0, max(before, key=ended.__getitem__))
    return [name for name in way if path[name].seconds]
