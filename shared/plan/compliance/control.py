"""One thing a sweep holds a cluster to. A control is a pure function of a `Posture`, with the words that go with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from shared.domain.alerts import Severity
from shared.plan.compliance.posture import Posture

FactSource = Literal[
    "clusters", "extensions", "instances", "policies", "vaults", "grants", "jobs", "record", "arm", "configuration"
]
"""Names of a sweep's questions; `record` is the Guard's own, `arm` single reads, `configuration` guard.yaml."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a control says of one cluster. `reason` is one CamelCase word, `message` says it to a person, `remedy` what
    to do where the control's own says too little."""

    status: Literal["Compliant", "NonCompliant", "Unknown"]
    reason: str = ""
    message: str = ""
    remedy: str = ""


COMPLIANT = Outcome("Compliant")


def non_compliant(reason: str, message: str, remedy: str = "") -> Outcome:
    return Outcome("NonCompliant", reason, message, remedy)


def unknown(reason: str, message: str, remedy: str = "") -> Outcome:
    return Outcome("Unknown", reason, message, remedy)


Judge = Callable[[Posture], Outcome | None]
"""None: the control does not apply to the cluster."""


@dataclass(frozen=True, slots=True)
class Control:
    """`why` says in a sentence what it means for a restore, `remedy` what a person does. `essential`: a cluster that
    does not comply cannot be restored to the promise its profile makes. `rests_on` names facts of the fact sheet."""

    id: str
    title: str
    why: str
    remedy: str
    severity: Severity
    essential: bool
    rests_on: tuple[str, ...]
    judge: Judge = field(repr=False)


def control(
    *,
    id: str,
    title: str,
    why: str,
    remedy: str = "",
    severity: Severity = "Warning",
    essential: bool = False,
    rests_on: tuple[str, ...] = (),
) -> Callable[[Judge], Control]:
    """Makes a control of the function below it, for people's own Python files."""
    return lambda judge: Control(id, title, why, remedy, severity, essential, rests_on, judge)
