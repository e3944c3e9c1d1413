"""Why nothing may be changed although there is something to change: audit mode, the emergency stop, the circuit breaker
of repairs, a rollout."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import get_args

from shared.domain.profile import ProtectionProfile
from shared.domain.steps import Step, StepHistory
from shared.plan.freshness import DAILY
from shared.plan.parts import Part, Said
from shared.plan.rollout import Wait

CHANGES = ("ChangingPolicy", "ChangingScope")
"""Reasons of a condition that is true under the old profile and about to be true under the new one."""

_STEPS = {kind.__name__ for kind in get_args(Step)}


@dataclass(frozen=True, slots=True)
class Gate:
    """`requeue_after` is in Azure's seconds."""

    reason: str
    message: str
    recommended_action: str = ""
    requeue_after: float = DAILY
    holds_change: bool = False
    """Only a change waits: what the cluster had under the profile as it was before, it still has."""


def gate_of(
    profile: ProtectionProfile, *, stopped: str | None, rollout: Wait | None, hold: Gate | None = None
) -> Gate | None:
    """None when the cluster may be changed. `stopped` says who stopped everything and why; `hold` is that of the
    circuit breaker, None for a cluster that was not protected before."""
    if stopped is not None:
        return stop_gate(stopped)
    if profile.mode == "audit":
        return audit_gate(profile.name)
    if hold is not None:
        return hold
    if rollout is not None:
        return Gate(rollout.reason, rollout.message, rollout.recommended_action, rollout.seconds, holds_change=True)
    return None


def stop_gate(stopped: str) -> Gate:
    action = "When it is over: aks-backup-guard resume-all, and AKS_BACKUP_GUARD_STOPPED set to false."
    return Gate("EmergencyStop", f"The emergency stop is on ({stopped}): nothing is changed.", action, 900)


def audit_gate(profile_name: str) -> Gate:
    action = f"Set mode: enforce in the profile {profile_name!r} to let the Guard do it."
    return Gate("AuditMode", f"The profile {profile_name!r} is in audit mode: nothing is changed.", action)


def hold_gate(sweep_id: str, clusters: int, fleet: int) -> Gate:
    """`clusters` of `fleet` would have changed at once."""
    message = (
        f"The sweep {sweep_id} found that {clusters} of {fleet} clusters would be changed at once: "
        f"nothing that was protected before is repaired until a person says so."
    )
    action = "Look at what has changed; to let it be repaired: aks-backup-guard approve-repairs --reason TEXT."
    return Gate("RepairsHeld", message, action, 900, holds_change=True)


def held_back(part: Part, gate: Gate, history: StepHistory) -> Part:
    """The part as it is said while nothing may be done: what would be started is not "being created". An error that
    stands in the way is still said."""
    if not part.steps:
        return part
    failed = any(step.key in history.attempts for step in part.steps)
    said = part.said if failed else tuple(_would(s, part, gate) if s.status != "True" else s for s in part.said)
    return replace(part, said=said, steps=(), requeue_after=None)


def _would(said: Said, part: Part, gate: Gate) -> Said:
    still_true = gate.holds_change and said.reason in CHANGES
    message = f"Would do: {listed(part.remaining)}."
    return Said(said.type, "True" if still_true else "False", gate.reason, message, gate.recommended_action)


def listed(remaining: Iterable[str]) -> str:
    """The kinds of steps among what remains, in order, each once."""
    kinds = [name.partition(":")[0] for name in remaining]
    steps = [kind for kind in dict.fromkeys(kinds) if kind in _STEPS]
    return ", ".join(["what its region shares", *steps] if "Region" in kinds else steps)
